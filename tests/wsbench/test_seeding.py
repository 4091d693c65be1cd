import hashlib

import numpy as np
import pytest

from wsbench.seeding import bit_generator, generator


def philox(key, n_words):
    """Philox4x64-10 (Salmon et al. 2011) in Python's integers, counter from 1 as in numpy."""
    mask = 2**64 - 1
    words = []
    for counter in range(1, n_words // 4 + 1):
        c = [counter, 0, 0, 0]
        k0, k1 = key & mask, key >> 64
        for _ in range(10):
            a, b = 0xD2E7470EE14C6C93 * c[0], 0xCA5A826395121157 * c[2]
            c = [(b >> 64) ^ c[1] ^ k0, b & mask, (a >> 64) ^ c[3] ^ k1, a & mask]
            k0, k1 = (k0 + 0x9E3779B97F4A7C15) & mask, (k1 + 0xBB67AE8584CAA73B) & mask
        words += c
    return words


@pytest.mark.parametrize(
    ("seed", "purpose", "text"),
    [(0, (), "0"), (7, ("order", 3, 50), "7\x1forder\x1f3\x1f50"), (-5, ("x",), "-5\x1fx")],
)
def test_bit_generator__is_philox_keyed_by_the_sha256_of_seed_and_purpose(seed, purpose, text):
    key = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "little")
    assert bit_generator(seed, *purpose).random_raw(12).tolist() == philox(key, 12)


def test_bit_generator__has_published_bits():
    raw = bit_generator(0, "init", 3).random_raw(2)
    assert raw.tolist() == [15449847896886792201, 12962587686925681801]


def test_bit_generator__takes_a_numpy_integer_as_the_same_seed():
    assert bit_generator(np.int32(3)).random_raw() == bit_generator(3).random_raw()


def test_bit_generator__streams_differ_by_seed_and_every_word():
    streams = [(0,), (1,), (0, "a"), (0, "b"), (0, "a", 1), (0, "a", 2), (0, "a1"), (0, "a", 1, 1)]
    assert len({bit_generator(*stream).random_raw() for stream in streams}) == len(streams)


def test_generator__draws_from_the_same_stream():
    state = generator(0, "x").bit_generator.state
    np.testing.assert_equal(state, bit_generator(0, "x").state)
