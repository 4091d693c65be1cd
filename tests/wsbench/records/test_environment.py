import json
import os
import platform

import wsbench


def test_environment__is_json_and_names_what_computes(monkeypatch):
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    found = wsbench.environment()
    assert json.loads(json.dumps(found)) == found
    assert found["python"] == platform.python_version()
    assert found["n_cpus"] == os.cpu_count()
    assert found["packages"]["wsbench"] == wsbench.__version__
    assert found["packages"]["numpy"]
    assert found["variables"]["NUMBA_CPU_NAME"] == "generic"
    assert found["cpu"]
