"""Arrays in ``.npz`` files, read so that damage is noticed.

``numpy.load`` checks an array's checksum only if it reads to the end, and a damaged header can make
it stop before; so every member is read whole before numpy sees it.
"""

import struct
import tokenize
import zlib
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
import numpy.typing as npt


def pack(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Return arrays as the bytes of a compressed ``.npz``; the same arrays give the same bytes."""
    buffer = BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def unpack(data: bytes) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays in the bytes of an ``.npz``; raise `ValueError` if they are damaged."""
    try:
        with ZipFile(BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        return {
            name.removesuffix(".npy"): np.lib.format.read_array(BytesIO(member))
            for name, member in members.items()
        }
    except (
        BadZipFile,
        EOFError,
        KeyError,
        MemoryError,
        NotImplementedError,
        OSError,
        RuntimeError,
        struct.error,
        tokenize.TokenError,
        zlib.error,
    ) as error:
        raise ValueError(f"not a whole .npz file: {error}") from None
