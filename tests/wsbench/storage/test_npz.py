import io
import random
import zipfile

import numpy as np
import pytest

from wsbench.storage.npz import pack, unpack

ARRAYS = {
    "inputs": np.arange(30, dtype=np.float32).reshape(3, 10),
    "empty": np.zeros((0, 2), np.int16),
}


def test_unpack__gives_what_was_packed():
    found = unpack(pack(ARRAYS))
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


def test_pack__gives_the_same_bytes_for_the_same_arrays():
    assert pack(ARRAYS) == pack({name: array.copy() for name, array in ARRAYS.items()})


def test_unpack__raises_or_gives_the_same_arrays_whatever_byte_is_damaged():
    """numpy.load gives other arrays, and raises six more kinds of error."""
    data = pack(ARRAYS)
    rng = random.Random(0)
    n_raised = 0
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 1 << rng.randrange(8)
        try:
            found = unpack(bytes(damaged))
        except ValueError:
            n_raised += 1
        else:
            arrays = [array for array in found.values() if array.size]
            assert [a.tobytes() for a in arrays] == [ARRAYS["inputs"].tobytes()]
    assert n_raised > len(data) / 2


@pytest.mark.parametrize("place", [8, 12, 16])
@pytest.mark.parametrize("n_zeros", [4, 8])
def test_unpack__gives_all_arrays_or_none_if_the_end_of_the_archive_is_zeroed(place, n_zeros):
    """With size and offset of the list of members at zero, zipfile finds an empty archive."""
    data = bytearray(pack(ARRAYS))
    at = len(data) - 22 + place
    data[at : at + n_zeros] = bytes(min(n_zeros, len(data) - at))
    found = unpacked(bytes(data))
    assert found is None or list(found) == list(ARRAYS)


def unpacked(data):
    try:
        return unpack(data)
    except ValueError:
        return None


def test_unpack__refuses_an_array_whose_header_was_shortened():
    """numpy.load reads the shorter array, and never comes to the checksum at its end."""
    buffer = io.BytesIO()
    np.savez(buffer, inputs=np.zeros((1000, 100)))
    shorter = buffer.getvalue().replace(b"(1000, 100)", b"(1000, 10 )")
    with np.load(io.BytesIO(shorter)) as content:
        assert content["inputs"].shape == (1000, 10)
    with pytest.raises(ValueError, match=r"not a whole \.npz file: Bad CRC-32"):
        unpack(shorter)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_unpack__refuses_truncated_bytes(share):
    data = pack(ARRAYS)
    with pytest.raises(ValueError, match="not a whole"):
        unpack(data[: int(share * len(data))])


def test_unpack__executes_nothing():
    data = pack({"x": np.array([print], object)})
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        unpack(data)


def test_unpack__refuses_more_bytes_than_are_allowed():
    data = pack({"zeros": np.zeros(1_000_000, np.uint8)})
    assert len(data) < 2000
    with pytest.raises(ValueError, match="unpacks to 1,000,128 bytes, at most 1,000,000 are"):
        unpack(data, 1_000_000)
    assert unpack(data, 1_000_128)["zeros"].shape == (1_000_000,)


def test_unpack__refuses_what_cannot_be_unpacked_piece_by_piece():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("x.npy", b"")
    with pytest.raises(ValueError, match=r"'x\.npy' is not deflated"):
        unpack(buffer.getvalue())


def test_unpack__refuses_an_array_that_has_not_the_size_of_its_shape():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        npy = io.BytesIO()
        np.save(npy, np.zeros(10))
        for missing in (1, 80):
            archive.writestr(f"{missing}.npy", npy.getvalue()[:-missing])
    with pytest.raises(ValueError, match="'1' does not have the size of its shape"):
        unpack(buffer.getvalue())


def test_unpack__refuses_two_members_of_one_name():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x.npy", b"")
        archive.filelist *= 2
    with pytest.raises(ValueError, match="two members have one name"):
        unpack(buffer.getvalue())
