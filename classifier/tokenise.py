"""Folded text -> words with spans, and the class of each domain word (bank, lender, deadline ...).

Owns the domain dictionary and the choice of segmenter. Knows nothing of tactics, features or scores.
jieba's algorithm with its dictionary, ours added, HMM off: with it on, the time is quadratic on unbroken rare characters and its
words are in no dictionary. rjieba (Rust) gives the same words about ten times as fast and is used where it is installed;
`tests/test_tokenise.py` holds the two to the same output on the whole corpus. Neither reads or writes a cache file:
jieba's own lies in a shared temporary directory and is un-marshalled, so anyone on the machine could plant one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec
from importlib.resources import files
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import grams
from .normalise import PAD, Folded

WORD_FREQUENCY = 20_000  # of our words: high enough to win over their parts in jieba's dictionary (median 3, 99th percentile 2,000)

Cut = Callable[[str], list[str]]


@dataclass(frozen=True)
class Tokens:
    """The words of a folded batch, in order. Arrays are parallel, one entry a word; pads and line breaks are no words.

    start, stop  int64: folded characters [start, stop) of the batch
    keys         uint64: the same for the same word
    cls          int16: index into `classes()`, -1 for a word of no class
    """

    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    keys: grams.Keys
    cls: NDArray[np.int16]


@lru_cache(maxsize=1)
def dictionary() -> dict[str, str]:
    """Domain word -> class, from `data/dictionary.tsv`."""
    lines = (files("classifier") / "data/dictionary.tsv").read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines if line and not line.startswith("#"))


@lru_cache(maxsize=1)
def classes() -> tuple[str, ...]:
    """The word classes, sorted; `Tokens.cls` points into this."""
    return tuple(sorted(set(dictionary().values())))


@lru_cache(maxsize=1)
def _class_table() -> tuple[grams.Table, NDArray[np.int16]]:
    """The domain words, and the class of each."""
    index = {name: k for k, name in enumerate(classes())}
    return grams.Table(grams.salt(grams.of_texts(list(dictionary())), 0)), np.array([index[cls] for cls in dictionary().values()], dtype=np.int16)


def rust_cut() -> Cut:
    """The segmenter in Rust. Raises ImportError where rjieba is not installed.

    Only its compiled part is loaded: the package around it builds a second dictionary that nobody asked for, a fifth of a cold start.
    """
    package = find_spec("rjieba")
    folders = [Path(folder) for folder in (package.submodule_search_locations if package else None) or ()]
    compiled = [path for folder in folders for path in folder.iterdir() if path.name.endswith(tuple(EXTENSION_SUFFIXES))]
    if not compiled:
        raise ImportError("rjieba is not installed")
    loader = ExtensionFileLoader("rjieba.rjieba", str(compiled[0]))
    module: Any = module_from_spec(ModuleSpec(loader.name, loader, origin=loader.path))
    loader.exec_module(module)
    segmenter = module.Jieba()
    for word in dictionary():
        segmenter.add_word(word, WORD_FREQUENCY, "n")
    return lambda text: segmenter.cut(text, False)


def python_cut() -> Cut:
    """The segmenter in Python: a Tokenizer of our own whose dictionary is built in memory, never from a cache."""
    import jieba

    segmenter: Any = jieba.Tokenizer()
    segmenter.FREQ, segmenter.total = segmenter.gen_pfdict(segmenter.get_dict_file())
    segmenter.initialized = True
    for word in dictionary():
        segmenter.add_word(word, WORD_FREQUENCY)
    segmenter.total = sum(segmenter.FREQ.values())  # add_word counts a word twice that was there before; rjieba does not
    return lambda text: segmenter.lcut(text, HMM=False)


@lru_cache(maxsize=1)
def _cut() -> Cut:
    try:
        return rust_cut()
    except ImportError:
        return python_cut()


def tokenise(folded: Folded, cut: Cut | None = None) -> Tokens:
    """Cut a folded batch into words.

    >>> from classifier.normalise import fold
    >>> f = fold(["请把钱转到安全账户"])
    >>> t = tokenise(f)
    >>> [f.joined[a:b] for a, b in zip(t.start, t.stop)]
    ['请', '把', '钱', '转', '到', '安全账户']
    """
    words = (cut or _cut())(folded.joined)
    size = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
    stop = np.cumsum(size)
    start = stop - size
    first = folded.codes[start]
    real = (first != ord(PAD)) & (first != ord("\n")) & (first != ord(" "))
    start, stop = start[real], stop[real]
    keys = grams.span_keys(folded.codes, start, stop)
    table, class_of = _class_table()
    at, row = table.find(grams.salt(keys, 0))
    cls = np.full(len(keys), -1, dtype=np.int16)
    cls[at] = class_of[row]
    return Tokens(start, stop, keys, cls)
