"""Keys of n-grams: one 64-bit number for each run of n characters (or words), computed for a whole batch at once.

Owns the hash and how keys are looked up: many in a `Table`, few among very many in an `Index`, texts wherever they stand by `Literals`.
Knows nothing of what the keys stand for.
The same function serves training, scoring and the search for tactic phrases, so a key can be computed once and compared anywhere.
A multiplicative hash mixes upwards, so its high bits are the good ones: slots are cut from the top.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]

_A = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd (Knuth, TAOCP 3, 6.4)
_B = np.uint64(0xC2B2AE3D27D4EB4F)  # xxHash's second prime
SLOT_BITS = 20
_SLOT_SHIFT = np.uint64(64 - SLOT_BITS)
_FEW_BITS = 16  # of a table that stays in the processor's nearest cache
_FEW_SHIFT = np.uint64(64 - _FEW_BITS)
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


def of_texts(texts: Sequence[str]) -> Keys:
    """One key for each whole text: that of its n-gram, n its length."""
    keys = np.zeros(len(texts), dtype=np.uint64)
    for length in {len(text) for text in texts} - {0}:
        mine = [k for k, text in enumerate(texts) if len(text) == length]
        keys[mine] = of_equal([texts[k] for k in mine])
    return keys


def of_equal(texts: Sequence[str]) -> Keys:
    """The n-gram keys, as `char_grams` gives them, of texts that all have the same length n."""
    length = len(texts[0]) if texts else 1
    return at_places(np.frombuffer("".join(texts).encode("utf-32-le"), dtype="<u4"), np.arange(len(texts)) * length, length)


def at_places(codes: NDArray[np.uint32], start: NDArray[np.int64], n: int) -> Keys:
    """The keys of the n-grams that begin at some places only."""
    keys = first(codes[start])
    for k in range(1, n):
        keys = join(keys, first(codes[start + k]))
    return keys


def distinct(values: NDArray[Any]) -> NDArray[Any]:
    """Sorted, each once; several times as fast here as np.unique, which hashes."""
    ordered = np.sort(values)
    return ordered.take(np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))) if len(ordered) else ordered


def stretches(first: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64: from each of `first` on as many numbers as its `count` says, one stretch behind the other.

    >>> stretches(np.array([5, 20]), np.array([3, 2])).tolist()
    [5, 6, 7, 20, 21]
    """
    numbers: NDArray[np.int64] = np.arange(count.sum()) + np.repeat(first - (np.cumsum(count) - count), count)
    return numbers


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

    def find(self, keys: Keys) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """(entry, row): which of these keys are in the table, and as which of its keys."""
        slot = slots(keys)
        at = np.flatnonzero(self._prints.take(slot) == prints(keys))
        row = self._rows.take(slot.take(at))
        if row.min(initial=0) < 0:  # what an empty slot remembers may be a key's print, too
            at, row = at[row >= 0], row[row >= 0]
        return at, row


class Index:
    """A few thousand keys at most, to be looked for among very many: a table small enough for the processor's near caches has most others
    out first; keys of one slot are chained. Each key once."""

    def __init__(self, keys: Keys) -> None:
        kind = np.min_scalar_type(-len(keys) - 1)
        slot = _few_slots(keys)
        order = np.argsort(slot, kind="stable")
        again = np.flatnonzero(np.diff(slot[order]) == 0) + 1
        self._keys = keys
        self._first = np.full(1 << _FEW_BITS, -1, dtype=kind)  # of the keys in a slot
        self._next = np.full(len(keys), -1, dtype=kind)  # in the same slot
        self._first[slot[order]] = order  # the last of a slot stays
        self._next[order[again]] = order[again - 1]

    def find(self, keys: Keys) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(entry, row): which of these keys are in the index, and as which of its keys; in no order."""
        row = self._first.take(_few_slots(keys))
        at = np.flatnonzero(row >= 0)
        row = row.take(at).astype(np.int64)
        entries, rows = [at[:0]], [row[:0]]
        while at.size:
            same = self._keys.take(row) == keys.take(at)
            there, other = np.flatnonzero(same), np.flatnonzero(~same)
            entries.append(at.take(there))
            rows.append(row.take(there))
            at, row = at.take(other), self._next.take(row.take(other)).astype(np.int64)
            more = np.flatnonzero(row >= 0)
            at, row = at.take(more), row.take(more)
        return np.concatenate(entries), np.concatenate(rows)


class Literals:
    """Texts of any length, all looked for at once wherever they stand; each text once, none empty.

    The first two characters at a place, then the first four, say how long the texts are that begin so: of most places that there are
    none, and only the others are looked up.
    """

    _TIERS = (2, 4)  # characters that are looked at

    def __init__(self, texts: Sequence[str]) -> None:
        self.size = np.array([len(text) for text in texts], dtype=np.int64)
        self._single: NDArray[np.int16] | None = None
        lengths = np.unique(self.size).tolist()
        kind = np.min_scalar_type((1 << len(lengths)) - 1).type  # a bit each
        self._lengths = {n: np.zeros(1 << _FEW_BITS, dtype=kind) for n in self._TIERS}
        self._longer: dict[int, list[tuple[int, np.unsignedinteger[Any], Index, NDArray[np.int64]]]] = {n: [] for n in self._TIERS}
        for k, length in enumerate(lengths):
            mine = np.flatnonzero(self.size == length)
            codes = np.frombuffer("".join(texts[k] for k in mine.tolist()).encode("utf-32-le"), dtype="<u4")
            if length == 1:
                self._single = np.full(0x110000, -1, dtype=np.int16)
                self._single[codes] = mine
                continue
            every, at, bit = char_grams(codes, 4), np.arange(len(mine)) * length, kind(1 << k)
            able = [n for n in self._TIERS if n <= length]
            for n in able:
                self._lengths[n][_few_slots(every[n - 1][at])] |= bit
            self._longer[able[-1]].append((length, bit, Index(_spans(every, at, length)), mine))

    def find(self, codes: NDArray[np.uint32], every: Sequence[Keys]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(position, which text) of each place where one stands, in no order, in characters of which `every` are the 1- to 4-grams."""
        positions, texts = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
        if self._single is not None:
            alone = self._single.take(codes)
            at = np.flatnonzero(alone >= 0)
            positions.append(at)
            texts.append(alone.take(at).astype(np.int64))
        begins = None
        for n in self._TIERS:
            keys = every[n - 1]
            if begins is not None:
                begins = begins[: np.searchsorted(begins, len(keys))]
                keys = keys[begins]
            lengths = self._lengths[n].take(_few_slots(keys))
            able = np.flatnonzero(lengths != 0)
            begins, lengths = able if begins is None else begins[able], lengths[able]
            for length, bit, index, mine in self._longer[n]:
                place = begins[(lengths & bit) != 0]
                place = place[: np.searchsorted(place, len(codes) - length, "right")]
                at, row = index.find(_spans(every, place, length))
                positions.append(place[at])
                texts.append(mine[row])
        return np.concatenate(positions), np.concatenate(texts)


def _spans(every: Sequence[Keys], at: NDArray[np.int64], length: int) -> Keys:
    """Keys of spans of one length at some positions; a span longer than 4 is as many 4-grams as cover it."""
    keys: Keys = every[min(length, 4) - 1][at]
    for further in (*range(4, length - 4, 4), *([length - 4] if length > 4 else [])):
        keys = join(keys, every[3][at + further])
    return keys


def _few_slots(keys: Keys) -> NDArray[np.int64]:
    """int64: the slot of each key in a table of 2^_FEW_BITS."""
    return (keys >> _FEW_SHIFT).view(np.int64)


def slots(keys: Keys) -> NDArray[np.int64]:
    """int64: the slot of each key in a table of 2^SLOT_BITS."""
    return (keys >> _SLOT_SHIFT).view(np.int64)


def prints(keys: Keys) -> NDArray[np.uint32]:
    """uint32: what a slot remembers of its key, to tell it from another key in the same slot."""
    return (keys >> _PRINT_SHIFT).astype(np.uint32)
