"""Finds the words of the domain in folded text: platforms, banks, lenders, amounts, each with its class.

Owns the domain dictionary and the rule that the longest word wins. Knows nothing of features or scores.
No segmenter is needed for it: a word is found by the key of its characters, all words at once over a whole batch, in linear time.
Cutting every message into words with jieba was measured and left: the same on unseen sources, see `models/EVALUATION.md`.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from . import grams
from .normalise import LINK, Folded

PLAIN = "-"  # class of words that only keep a shorter one from being seen in them: 员工行为 is no 工行


@dataclass(frozen=True)
class Terms:
    """The domain words of a batch, in order; parallel arrays, one entry a word.

    start, stop  int64: folded characters [start, stop) of the batch
    cls          int64: index into `classes()`
    """

    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    cls: NDArray[np.int64]


@lru_cache(maxsize=1)
def dictionary() -> dict[str, str]:
    """Domain word -> class, from `data/dictionary.tsv`."""
    lines = (files("classifier") / "data/dictionary.tsv").read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines if line and not line.startswith("#"))


@lru_cache(maxsize=1)
def classes() -> tuple[str, ...]:
    """The word classes, sorted, and `number` last; `Terms.cls` points into this."""
    return (*sorted(set(dictionary().values()) - {PLAIN}), "number")


@lru_cache(maxsize=1)
def _words() -> tuple[grams.Literals, NDArray[np.int64]]:
    """The dictionary, ready to be searched for, and the class of each word; -1 for plain ones."""
    number = {name: k for k, name in enumerate(classes())} | {PLAIN: -1}
    return grams.Literals(list(dictionary())), np.array([number[cls] for cls in dictionary().values()], dtype=np.int64)


def find_terms(folded: Folded) -> Terms:
    """The domain words of a folded batch; of words that overlap the longest, of equals the first. A link and a number are terms too.

    >>> from classifier.normalise import fold
    >>> f = fold(["员工行为规范，请在工行柜台转500元"])
    >>> t = find_terms(f)
    >>> [(f.joined[a:b], classes()[c]) for a, b, c in zip(t.start, t.stop, t.cls)]
    [('工行', 'bank'), ('柜台', 'place'), ('0', 'number')]
    """
    codes = folded.codes
    words, class_of = _words()
    at, word = words.find(codes, folded.grams)
    size = words.size[word]
    whole = _whole(codes, at, at + size)
    single = np.flatnonzero((codes == ord(LINK)) | (codes == ord("0")))
    start, stop = np.concatenate([at[whole], single]), np.concatenate([(at + size)[whole], single + 1])
    cls = np.concatenate([class_of[word[whole]], np.where(codes[single] == ord(LINK), classes().index("link"), len(classes()) - 1)])
    order = np.lexsort((-stop, start))
    start, stop, cls = start[order], stop[order], cls[order]
    keep = _longest(start, stop)
    keep = keep[cls[keep] >= 0]
    return Terms(start[keep], stop[keep], cls[keep])


def _whole(codes: NDArray[np.uint32], start: NDArray[np.int64], stop: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Not a part of a longer word in Latin letters: no `app` in `apple`."""
    first, last = _latin(codes[start]), _latin(codes[stop - 1])
    before, after = _latin(codes[np.maximum(start - 1, 0)]) & (start > 0), _latin(codes[np.minimum(stop, len(codes) - 1)])
    whole: NDArray[np.bool_] = ~(first & before | last & after)
    return whole


def _latin(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    latin: NDArray[np.bool_] = (codes >= ord("a")) & (codes <= ord("z"))
    return latin


def _longest(start: NDArray[np.int64], stop: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of spans that overlap the longest, of equals the first; spans in order of start, of one start the longest first."""
    reach = np.maximum.accumulate(stop)
    alone = np.flatnonzero(start >= np.concatenate([[-1], reach[:-1]]))  # a cluster begins where nothing before reaches to
    last = np.concatenate([alone[1:], [len(start)]])[: len(alone)]
    covered = stop[alone] == reach[last - 1]  # its first span covers all of it: the usual case
    keep: list[int] = []
    for a, b in zip(alone[~covered].tolist(), last[~covered].tolist(), strict=True):
        taken: set[int] = set()
        for k in sorted(range(a, b), key=lambda k: (start[k] - stop[k], start[k])):
            if start[k] not in taken and stop[k] - 1 not in taken:
                keep.append(k)
                taken.update(range(start[k], stop[k]))
    return np.sort(np.concatenate([alone[covered], np.array(keep, dtype=np.int64)]))
