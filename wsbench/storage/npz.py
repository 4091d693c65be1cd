"""Arrays in ``.npz`` files: every damage is noticed, and the size is bounded.

``numpy.load`` checks an array's checksum only if it reads to the end, and a damaged header can make
it stop early. So every member is read whole before numpy sees it. The caller bounds the unpacked
size: a megabyte of deflated zeros is a gigabyte, and one of bzip2 a terabyte.
"""

import math
import struct
import tokenize
import zlib
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np
import numpy.typing as npt


def pack(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Return arrays as the bytes of a compressed ``.npz``; the same arrays give the same bytes."""
    buffer = BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def unpack(data: bytes, max_bytes: int = 64_000_000) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays in the bytes of an ``.npz``.

    Parameters
    ----------
    data
        The bytes of the file.
    max_bytes
        Bound on the size of all arrays together.

    Raises
    ------
    ValueError
        If the bytes are damaged, or unpack to more than `max_bytes`.
    """
    try:
        with ZipFile(BytesIO(data)) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            if size > max_bytes:
                raise ValueError(f"unpacks to {size:,} bytes, at most {max_bytes:,} are allowed")
            if len({member.filename for member in members}) < len(members):
                raise ValueError("not a whole .npz file: two members have one name")
            if min((member.header_offset for member in members), default=archive.start_dir):
                raise ValueError("not a whole .npz file: its list of members is not whole")
            contents = {m.filename.removesuffix(".npy"): _read(archive, m) for m in members}
        return {name: _array(name, content) for name, content in contents.items()}
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


def _read(archive: ZipFile, member: ZipInfo) -> bytes:
    """Return the bytes of a member, at most the size in its header."""
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):  # others cannot be bounded
        raise ValueError(f"not a whole .npz file: {member.filename!r:.60} is not deflated")
    with archive.open(member) as file:
        return file.read(member.file_size)  # read() without a size inflates everything


def _array(name: str, content: bytes) -> npt.NDArray[Any]:
    """Return the array in an ``.npy``, if its size agrees with its header."""
    file = BytesIO(content)
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    if not dtype.hasobject and math.prod(shape) * dtype.itemsize != len(content) - file.tell():
        raise ValueError(f"not a whole .npz file: {name!r:.60} does not have the size of its shape")
    file.seek(0)
    array: npt.NDArray[Any] = np.lib.format.read_array(file)
    return array
