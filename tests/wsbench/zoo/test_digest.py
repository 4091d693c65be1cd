import hashlib
import struct

import numpy as np
import pytest

from wsbench.zoo.digest import StreamedDigest, content_digest, file_sha256

COLUMNS = {
    "b": np.array([[1.5, -2.0, 0.25], [0.0, 3.0, 1.0]], np.float32),
    "a": np.array([-1, 258], np.int16),
}
RECIPE = 'id = "x-v1"\n'


def test_content_digest__hashes_name_dtype_shape_and_little_endian_bytes_then_the_recipe():
    by_hand = (
        b"a\n<i2\n(2,)\n" + struct.pack("<2h", -1, 258)
        + b"b\n<f4\n(2, 3)\n" + struct.pack("<6f", 1.5, -2.0, 0.25, 0.0, 3.0, 1.0)
        + b'recipe\nid = "x-v1"\n'
    )  # fmt: skip
    assert content_digest(COLUMNS, RECIPE) == f"sha256:{hashlib.sha256(by_hand).hexdigest()}"


def test_content_digest__is_a_published_value():
    """Computed with Python's struct and hashlib alone when the format was made."""
    expected = "sha256:7600d47c100ab833d7719f58a92aeef6ca3db4110d3cb2e9805cb8d72211e8fe"
    assert content_digest(COLUMNS, RECIPE) == expected


def test_content_digest__does_not_see_byte_order_memory_order_or_the_order_of_columns():
    big = {name: array.astype(array.dtype.newbyteorder(">")) for name, array in COLUMNS.items()}
    fortran = {name: np.asfortranarray(COLUMNS[name]) for name in sorted(COLUMNS)}
    strided = {name: np.repeat(array, 2, axis=0)[::2] for name, array in COLUMNS.items()}
    digests = {content_digest(columns, RECIPE) for columns in (COLUMNS, big, fortran, strided)}
    assert len(digests) == 1


@pytest.mark.parametrize(
    "changed",
    [
        COLUMNS | {"a": np.array([-1, 259], np.int16)},
        COLUMNS | {"b": np.nextafter(COLUMNS["b"], np.float32(9), dtype=np.float32)},
        COLUMNS | {"b": np.where(COLUMNS["b"] == 0, np.float32(-0.0), COLUMNS["b"])},
        COLUMNS | {"a": COLUMNS["a"].astype(np.int32)},
        COLUMNS | {"a": COLUMNS["a"].view(np.uint16)},
        COLUMNS | {"b": COLUMNS["b"].reshape(3, 2)},
        COLUMNS | {"b": COLUMNS["b"][::-1]},
        COLUMNS | {"c": np.zeros(0, np.float32)},
        {"a": COLUMNS["a"]},
        {"b": COLUMNS["b"], "c": COLUMNS["a"]},
    ],
)
def test_content_digest__sees_every_value_dtype_shape_and_name(changed):
    assert content_digest(changed, RECIPE) != content_digest(COLUMNS, RECIPE)


def test_content_digest__sees_the_recipe_to_the_last_byte():
    assert content_digest(COLUMNS, RECIPE + "\n") != content_digest(COLUMNS, RECIPE)


@pytest.mark.parametrize("rows", [1, 2])
def test_streamed_digest__does_not_see_the_pieces(rows):
    digest = StreamedDigest()
    for name in sorted(COLUMNS):
        array = COLUMNS[name]
        digest.begin(name, array.dtype, array.shape)
        for start in range(0, len(array), rows):
            digest.add(array[start : start + rows])
    assert digest.finish(RECIPE) == content_digest(COLUMNS, RECIPE)


def test_file_sha256__is_that_of_the_bytes(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    # FIPS 180-4, the example of one block
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_sha256(tmp_path / "file") == expected
