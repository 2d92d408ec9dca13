"""Texts that say the same: copies and near-copies, by shared runs of five characters.

Owns the measure and the search for pairs. Knows nothing of labels, files or what is done about a pair.
Only Chinese characters count, read as the model reads them: a changed number, link, disguise or comma does not make a new text.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import grams
from ..normalise import fold, is_han

RUN = 5  # characters
NEAR = 0.5  # share of the shorter text's runs from which two texts are near-copies
SHORTEST = 12  # Chinese characters; shorter texts share a run by chance, so of them only whole copies count
_COMMON = 200  # texts a run may stand in; commoner ones tell nothing, and the bound keeps the search linear

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Pair:
    """Texts number `a` < `b`; `shorter` and `longer` are the shares of their distinct runs that the other has too."""

    a: int
    b: int
    shorter: float
    longer: float


def pairs(texts: Sequence[str]) -> list[Pair]:
    """All copies and near-copies among texts, in their order; time is linear in the texts.

    >>> pairs(["您尾号0427的订单已退款，请在支付宝账单里查看", "您尾号3391的订单已退款，请在支付宝账单里查看！", "喂"])
    [Pair(a=0, b=1, shorter=1.0, longer=1.0)]
    """
    folded = fold(texts)
    mine = np.flatnonzero(is_han(folded.codes))
    codes, text = folded.codes[mine], folded.message_of[mine].astype(np.int64)
    size = np.bincount(text, minlength=len(texts))
    run, owner = _runs(codes, text, size)
    count = np.bincount(owner, minlength=len(texts))
    first, second, shared = _shared(run, owner, len(texts))
    near = shared >= NEAR * np.minimum(count[first], count[second])
    runs = count.tolist()
    found = [
        Pair(a, b, n / min(runs[a], runs[b]), n / max(runs[a], runs[b]))
        for a, b, n in zip(first[near].tolist(), second[near].tolist(), shared[near].tolist(), strict=True)
    ]
    return sorted(found + _short_copies(codes, size), key=lambda p: (p.a, p.b))


def _runs(codes: NDArray[np.uint32], text: Ints, size: Ints) -> tuple[grams.Keys, Ints]:
    """(key of a run, text it stands in), each pair once, ordered by key."""
    keys = grams.char_grams(codes, RUN)[RUN - 1] if len(codes) >= RUN else np.zeros(0, dtype=np.uint64)
    inside = np.flatnonzero((text[: len(keys)] == text[len(text) - len(keys) :]) & (size[text[: len(keys)]] >= SHORTEST))
    keys, owner = keys[inside], text[inside]
    order = np.lexsort((owner, keys))
    keys, owner = keys[order], owner[order]
    new = np.ones(len(keys), dtype=bool)
    new[1:] = (keys[1:] != keys[:-1]) | (owner[1:] != owner[:-1])
    return keys[new], owner[new]


def _shared(run: grams.Keys, owner: Ints, texts: int) -> tuple[Ints, Ints, Ints]:
    """(text a, text b, runs they share) of all pairs that share one."""
    _, place, spread = np.unique(run, return_inverse=True, return_counts=True)
    telling = spread[place] <= _COMMON
    run, owner = run[telling], owner[telling]
    found = [np.zeros(0, dtype=np.int64)]
    for step in range(1, int(spread[spread <= _COMMON].max(initial=0))):
        same = run[step:] == run[:-step]
        found.append(owner[:-step][same] * texts + owner[step:][same])
    pair, shared = np.unique(np.concatenate(found), return_counts=True)
    return pair // texts, pair % texts, shared


def _short_copies(codes: NDArray[np.uint32], size: Ints) -> list[Pair]:
    """Whole copies among the texts too short for runs; a text without Chinese characters is no copy of another."""
    whole = codes.tobytes().decode("utf-32-le")
    stop = np.cumsum(size)
    last: dict[str, int] = {}
    found = []
    for k in np.flatnonzero((size > 0) & (size < SHORTEST)).tolist():
        words = whole[stop[k] - size[k] : stop[k]]
        if words in last:
            found.append(Pair(last[words], k, 1.0, 1.0))
        last[words] = k
    return found
