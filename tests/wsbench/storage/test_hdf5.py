import subprocess
import sys

import h5py
import numpy as np
import pytest

from wsbench.storage.hdf5 import create_hdf5, get_attributes, set_attributes


def test_created__writes_what_h5py_reads(tmp_path):
    values = np.arange(5000, dtype=np.float32).reshape(50, 100)
    with create_hdf5(tmp_path / "x.h5") as file:
        file.create_dataset("values", data=values, chunks=(10, 100), compression=1, shuffle=True)
        np.testing.assert_array_equal(file["values"][:], values)
    with h5py.File(tmp_path / "x.h5") as file:
        np.testing.assert_array_equal(file["values"][:], values)


def test_created__leaves_the_blocks_own_errors_alone(tmp_path):
    with pytest.raises(RuntimeError, match="mine"), create_hdf5(tmp_path / "x.h5"):
        raise RuntimeError("mine")


def test_attributes__come_back_as_they_were(tmp_path):
    attributes = {"format": 1, "text": "λ = 3e-4\nsecond line\n", "empty": "", "one": "x"}
    with create_hdf5(tmp_path / "x.h5") as file:
        set_attributes(file, attributes)
        file.attrs["variable"] = "of h5py's own kind"
        assert get_attributes(file) == attributes | {"variable": "of h5py's own kind"}


_WRITE = """
import resource, sys
from pathlib import Path
import numpy as np
from wsbench.storage.hdf5 import create_hdf5
import h5py
rng = np.random.default_rng(0)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    with create_hdf5(Path(sys.argv[1])) as file:
        data = file.create_dataset("x", (0, 1000), "f4", maxshape=(None, 1000), chunks=(5, 1000))
        for _ in range(10):
            data.resize(len(data) + 5, axis=0)
            data[-5:] = rng.random((5, 1000))
        data[:]
        file.attrs["n"] = 1
except OSError as error:
    print("told:", error.strerror)
"""


@pytest.mark.parametrize("n_bytes", [1, 1000, 30_000, 150_000, 199_000])
def test_created__tells_of_a_file_that_may_not_grow_and_does_not_crash(tmp_path, n_bytes):
    """h5py alone raises RuntimeError as it closes, complains of it, or ends in a crash."""
    result = subprocess.run(
        [sys.executable, "-c", _WRITE, tmp_path / "x.h5", str(n_bytes)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (result.returncode, result.stdout, result.stderr) == (0, "told: File too large\n", "")
