import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from wsbench_zoos.training.kernels import numba_policy

_PERMUTE = """
import numpy as np
from wsbench_zoos.training.randomness import permutation
print(permutation(np.arange(7, dtype="u8") << np.uint64(60)).tolist())
print(len(permutation.stats.cache_hits), len(permutation.stats.cache_misses))
"""


def permute_in_fresh_process(cache: Path | None) -> list[str]:
    environment = {k: v for k, v in os.environ.items() if k != "WSBENCH_KERNEL_CACHE"}
    if cache:
        environment["WSBENCH_KERNEL_CACHE"] = str(cache)
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", _PERMUTE],
        env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return result.stdout.splitlines()


@pytest.mark.slow
def test_kernel__is_compiled_once_for_all_processes_with_a_cache_folder(tmp_path):
    without, _ = permute_in_fresh_process(None)
    cold, cold_counts = permute_in_fresh_process(tmp_path)
    warm, warm_counts = permute_in_fresh_process(tmp_path)
    assert cold == warm == without
    assert (cold_counts, warm_counts) == ("0 1", "1 0")


@pytest.mark.parametrize("file", ["simd.py", "cnn_layers.py", "numba_policy.py"])
def test_sources_key__changes_with_every_source(tmp_path, monkeypatch, file):
    folder = Path(numba_policy.__file__).parent
    copy = tmp_path / "kernels"
    shutil.copytree(folder, copy)
    monkeypatch.setattr(numba_policy, "__file__", str(copy / "numba_policy.py"))
    key = numba_policy._sources_key()
    with (copy / file).open("a") as source:
        source.write("#")
    assert numba_policy._sources_key() != key
