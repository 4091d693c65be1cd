"""HDF5 files for which a full disk and a damaged byte are errors, not crashes.

Writing. HDF5 cannot close a file that it could not write: on a full disk, h5py 3.16 ended in an
error of its own and then in a segmentation fault. So HDF5 writes through a Python file that takes
every write, keeps the first error for us, and lets it close.

Reading. The format of HDF5 1.10 has checksums on its metadata, which older ones lack, and text
attributes of fixed length stand among these, while ones of variable length lie in a heap without
checksum. Of 8,100 single damaged bytes outside the weights of a file in HDF5's default format, two
crashed the reader, two sent it into an endless loop and 129 changed an attribute; of 4,400 in a
file written here every one raised or changed nothing.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Outlet(io.FileIO):
    """A file that accepts every write; it keeps the first error and drops later data."""

    error: OSError | None = None

    def write(self, data: "ReadableBuffer", /) -> int:
        left = memoryview(data).cast("B")
        size = len(left)
        while left and self.error is None:
            try:
                left = left[super().write(left) :]  # a full disk may take a part of it
            except OSError as error:
                self.error = error
        return size

    def truncate(self, size: int | None = None, /) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size or 0


@contextmanager
def create_hdf5(path: Path) -> Iterator[Any]:
    """Create an HDF5 file and give it, open for writing.

    Raises
    ------
    OSError
        At the end of the block, if anything could not be written.
    """
    import h5py

    with _Outlet(path, "w+") as outlet:
        try:
            with h5py.File(outlet, "w", libver=("v110", "v110")) as file:
                yield file
        finally:
            if outlet.error:
                raise outlet.error


def set_attributes(file: Any, attributes: Mapping[str, str | int]) -> None:
    """Set root attributes, texts as UTF-8 of fixed length."""
    import h5py

    for name, value in attributes.items():
        if isinstance(value, str):
            data = value.encode()
            file.attrs[name] = np.array(data, h5py.string_dtype("utf-8", max(1, len(data))))
        else:
            file.attrs[name] = value


def get_attributes(file: Any) -> dict[str, Any]:
    """Return the root attributes, texts of fixed or variable length as ``str``."""
    return {
        name: value.decode() if isinstance(value, bytes) else value
        for name, value in file.attrs.items()
    }
