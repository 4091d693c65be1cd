import json
import os
import platform

import msgspec

import wsbench
from wsbench.records.environment import Environment
from wsbench.storage import strict_json


def test_environment__is_json_and_names_what_computes(monkeypatch):
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    found = wsbench.environment()
    assert json.loads(strict_json.write(found)) == msgspec.to_builtins(found)
    assert strict_json.read(strict_json.write(found), Environment) == found
    assert found.python == platform.python_version()
    assert found.n_cpus == os.cpu_count()
    assert found.packages["wsbench"] == wsbench.__version__
    assert found.packages["numpy"]
    assert found.variables["NUMBA_CPU_NAME"] == "generic"
    assert found.cpu


def test_environment__names_the_libraries_that_compute_in_threads():
    pools = wsbench.environment().thread_pools
    assert pools == sorted(set(pools), key=lambda pool: (pool.library, pool.version, pool.threads))
    assert any(pool.library == "openblas" for pool in pools)
