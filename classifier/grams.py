"""Keys of n-grams: one 64-bit number for each run of n characters (or words), computed for a whole batch at once.

Owns the hash and the one table shape in which keys are looked up. Knows nothing of what the keys stand for.
The same function serves training, scoring and the search for tactic phrases, so a key can be computed once and compared anywhere.
A multiplicative hash mixes upwards, so its high bits are the good ones: slots are cut from the top.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]

_A = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd (Knuth, TAOCP 3, 6.4)
_B = np.uint64(0xC2B2AE3D27D4EB4F)  # xxHash's second prime
_A_INVERSE = np.uint64(pow(int(_A), -1, 2**64))
SLOT_BITS = 20
_SLOT_SHIFT = np.uint64(64 - SLOT_BITS)
_PRINT_SHIFT = np.uint64(64 - SLOT_BITS - 32)


def first(codes: NDArray[np.unsignedinteger]) -> Keys:
    """Keys of the 1-grams."""
    keys: Keys = (codes.astype(np.uint64) + _B) * _A
    return keys


def join(a: Keys, b: Keys) -> Keys:
    """Keys of a followed by b; parallel arrays."""
    out: Keys = (a ^ (a >> np.uint64(29))) * _B + b
    return out


def char_grams(codes: NDArray[np.uint32], n: int) -> list[Keys]:
    """Keys of the 1- to n-grams at every position: entry k has `len(codes) - k` keys, one for each start.

    >>> a, b = char_grams(np.frombuffer("退款退款".encode("utf-32-le"), dtype="<u4"), 2)
    >>> bool(a[0] == a[2]), bool(b[0] == b[2]), bool(b[0] == b[1])
    (True, True, False)
    """
    out = [first(codes)]
    one = out[0]
    for k in range(1, n):
        out.append(join(out[-1][: len(codes) - k], one[k:]))
    return out


def span_keys(codes: NDArray[np.uint32], start: NDArray[np.int64], stop: NDArray[np.int64]) -> Keys:
    """Keys of spans of any length, equal for equal characters wherever they stand.

    A polynomial hash over prefix sums (Rabin and Karp): the sum of c_i A^i over the span, divided by A^start; A is odd and so
    has an inverse modulo 2^64.
    """
    power, inverse = _powers(1 << len(codes).bit_length())
    prefix = np.zeros(len(codes) + 1, dtype=np.uint64)
    np.cumsum((codes.astype(np.uint64) + np.uint64(1)) * power[: len(codes)], out=prefix[1:])
    keys: Keys = (prefix[stop] - prefix[start]) * inverse[start]
    return keys


@lru_cache(maxsize=2)
def _powers(count: int) -> tuple[Keys, Keys]:
    """The first powers of _A and of its inverse."""
    power, inverse = np.full(count, _A), np.full(count, _A_INVERSE)
    power[0] = inverse[0] = 1
    return np.multiply.accumulate(power), np.multiply.accumulate(inverse)


def of_texts(texts: Sequence[str]) -> Keys:
    """One key for each whole text."""
    size = np.array([len(t) for t in texts], dtype=np.int64)
    stop = np.cumsum(size)
    return span_keys(np.frombuffer("".join(texts).encode("utf-32-le"), dtype="<u4"), stop - size, stop)


def distinct(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sorted, each once; several times as fast here as np.unique, which hashes."""
    ordered = np.sort(values)
    return ordered[np.flatnonzero(np.diff(ordered, prepend=ordered[0] - 1))] if len(ordered) else ordered


def salt(keys: Keys, kind: int) -> Keys:
    """Keys of another kind: the same words as tactics, words or concepts must not share a key."""
    mixed: Keys = (keys ^ (keys >> np.uint64(31))) * _B + np.uint64(kind * int(_A) % 2**64)
    return mixed


class Table:
    """Keys, each in a slot of its own, to be looked up many at once. Of two keys in one slot only the later is kept."""

    def __init__(self, keys: Keys) -> None:
        self._prints = np.zeros(1 << SLOT_BITS, dtype=np.uint32)
        self._rows = np.full(1 << SLOT_BITS, -1, dtype=np.int32)
        slot = slots(keys)
        self._prints[slot], self._rows[slot] = prints(keys), np.arange(len(keys), dtype=np.int32)

    def find(self, keys: Keys) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(entry, row): which of these keys are in the table, and as which of its keys."""
        slot = slots(keys)
        at = np.flatnonzero(self._prints[slot] == prints(keys))
        row = self._rows[slot[at]]
        known = row >= 0
        return at[known], row[known].astype(np.int64)


def slots(keys: Keys) -> NDArray[np.int64]:
    """int64: the slot of each key in a table of 2^SLOT_BITS."""
    return (keys >> _SLOT_SHIFT).view(np.int64)


def prints(keys: Keys) -> NDArray[np.uint32]:
    """uint32: what a slot remembers of its key, to tell it from another key in the same slot."""
    return (keys >> _PRINT_SHIFT).astype(np.uint32)
