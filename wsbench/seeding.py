"""Every random stream of wsbench comes from here: a seed and a purpose give a Philox stream.

Only the raw 64-bit output of Philox is stable across numpy releases (NEP 19), so whatever must be
the same bit for bit (initial weights, data order) draws from `bit_generator`; statistics, shuffles
and tie-breaking use `generator`.
"""

import hashlib

import numpy as np


def bit_generator(seed: int, *purpose: str | int) -> np.random.Philox:
    """Return the Philox stream of a seed and a purpose.

    The 128-bit key is the start of the sha256 of the seed and the purpose's words, so that streams
    of different purposes are independent and none depends on how many others were drawn.

    Parameters
    ----------
    seed
        Any integer.
    *purpose
        Words and numbers that name the stream, for instance ``"order", model, epoch``.

    Examples
    --------
    >>> a = bit_generator(0, "init", 3).random_raw(2)
    >>> b = bit_generator(0, "init", 3).random_raw(2)
    >>> bool((a == b).all())
    True
    """
    words = "\x1f".join([str(int(seed)), *(str(word) for word in purpose)])
    key = hashlib.sha256(words.encode()).digest()[:16]
    return np.random.Philox(key=int.from_bytes(key, "little"))


def generator(seed: int, *purpose: str | int) -> np.random.Generator:
    """Return a numpy generator on the stream of `bit_generator`.

    Its methods may change between numpy releases: nothing that enters a zoo may draw from it.
    """
    return np.random.Generator(bit_generator(seed, *purpose))
