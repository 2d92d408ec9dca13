"""Folded, tokenised text -> named features: the one implementation that training and scoring share.

Owns which features there are, their keys and their names. Knows nothing of weights.
Five groups, each a family of evidence that explains itself by its name:

    char     `char:账户`             1- to 4-grams of folded characters
    word     `word:转到+账户`        1- and 2-grams of words
    concept  `concept:<lender>+申请` words replaced by their class: a new brand is not a new language; `…` skips plain words
    tactic   `tactic:安全账户`       a tactic of `data/tactics`, `tactic:¬安全账户` under a negation, `tactic:a>b` one after another
    form     `form:links=1`          what the text is made of: links, numbers, length, turns

A feature counts once in a message however often it stands there. All arrays run over a batch of messages at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from . import grams
from .normalise import LINK, PADS, Folded
from .tactics import Hits, TacticSet
from .tokenise import Tokens, classes

GROUPS = ("char", "word", "concept", "tactic", "form")
_SKIP = 6  # words two classes may stand apart and still be a pair: about one clause
_LENGTHS = (8, 16, 32, 64, 128, 256, 512, 1024)  # folded characters


@dataclass(frozen=True)
class View:
    """Occurrences of features of one kind in a batch: parallel arrays.

    group        index into GROUPS
    keys         uint64: the feature's key
    start        int64: the first folded character of the batch it stands on
    reach        int64: the one after the last; or, where all are equally long, how long they are
    name         entry -> the feature's name; called for the few entries that are shown or become part of a model
    """

    group: int
    keys: grams.Keys
    start: NDArray[np.int64]
    reach: NDArray[np.int64] | int
    name: Callable[[int], str]

    @property
    def stop(self) -> NDArray[np.int64]:
        """int64: the folded character after the last of each entry."""
        return self.start + self.reach if isinstance(self.reach, int) else self.reach

    def stop_of(self, entries: NDArray[np.int64]) -> NDArray[np.int64]:
        """The same for some entries, without computing it for all."""
        return self.start[entries] + self.reach if isinstance(self.reach, int) else self.reach[entries]


def extract(folded: Folded, tokens: Tokens, hits: Hits, tactics: TacticSet) -> list[View]:
    """All features of a batch, as views in a fixed order."""
    return [*_chars(folded), *_words(folded, tokens), *_tactics(folded, hits, tactics), _form(folded)]


def _chars(folded: Folded) -> list[View]:
    position = np.arange(len(folded.codes), dtype=np.int64)
    views = []
    for k, keys in enumerate(folded.grams):
        start, n = position[: len(keys)], k + 1
        views.append(View(0, keys, start, n, lambda i, n=n: f"char:{_show(folded.joined[i : i + n])}"))  # type: ignore[misc]
    return views


def _show(text: str) -> str:
    return text.replace(LINK, "🔗").replace("\n", "⏎")


def _words(folded: Folded, tokens: Tokens) -> list[View]:
    """Words and pairs of words, then the same with classes in place of words: single, next to each other, and a clause apart."""
    words = tokens.keys
    first = folded.codes[tokens.start]
    cls = tokens.cls.astype(np.int64)
    cls = np.where((first == ord("0")) & (cls < 0), len(classes()), cls)
    cls = np.where(first == ord(LINK), classes().index("link"), cls)
    known = cls >= 0
    symbols = np.where(known, grams.salt(_class_keys()[cls], 3), words)
    at = np.flatnonzero(known)
    next_to = np.arange(max(len(words) - 1, 0))
    apart = at[1:] - at[:-1]
    near = np.flatnonzero((apart > 1) & (apart <= _SKIP))
    every = np.arange(len(words))
    of = folded.message_of[tokens.start]

    def word(i: int) -> str:
        return _show(folded.joined[tokens.start[i] : tokens.stop[i]])

    def concept(i: int) -> str:
        return f"<{(*classes(), 'number')[cls[i]]}>" if known[i] else word(i)

    def view(group: int, kind: int, keys: grams.Keys, a: NDArray[np.int64], b: NDArray[np.int64], sign: str) -> View:
        if sign:
            same = of[a] == of[b]
            a, b = a[same], b[same]
        joined = grams.join(keys[a], keys[b]) if sign else keys[a]
        show = word if group == 1 else concept

        def name(k: int) -> str:
            last = f"{sign}{show(int(b[k]))}" if sign else ""
            return f"{GROUPS[group]}:{show(int(a[k]))}{last}"

        return View(group, grams.salt(joined, kind), tokens.start[a], tokens.stop[b], name)

    mixed = known[next_to] | known[next_to + 1]
    return [
        view(1, 1, words, every, every, ""),
        view(1, 2, words, next_to, next_to + 1, "+"),
        view(2, 4, symbols, at, at, ""),
        view(2, 5, symbols, next_to[mixed], next_to[mixed] + 1, "+"),
        view(2, 6, symbols, at[near], at[near + 1], "…"),
    ]


@lru_cache(maxsize=1)
def _class_keys() -> grams.Keys:
    return grams.of_texts((*classes(), "number"))


def tactic_keys(tactics: TacticSet, tactic: NDArray[np.int64], negated: NDArray[np.bool_]) -> grams.Keys:
    """Keys of tactics by their index, under a negation or not; parallel arrays."""
    keys: grams.Keys = grams.salt(tactics.keys[tactic], 7) + negated.astype(np.uint64)
    return keys


def sequence_keys(a: grams.Keys, b: grams.Keys) -> grams.Keys:
    """Keys of one tactic after another, from keys of both (see `tactic_keys`), which should differ; parallel arrays."""
    return grams.salt(grams.join(a, b), 8)


def _tactics(folded: Folded, hits: Hits, tactics: TacticSet) -> list[View]:
    kind = hits.tactic * 2 + hits.negated
    keys = tactic_keys(tactics, hits.tactic, hits.negated)

    def name(k: int) -> str:
        return f"{'¬' if hits.negated[k] else ''}{tactics.tactics[hits.tactic[k]].name}"

    a = np.flatnonzero((kind[:-1] != kind[1:]) & (hits.message[:-1] == hits.message[1:]))
    pairs = sequence_keys(keys[a], keys[a + 1])
    stop = np.maximum(hits.stop[a], hits.stop[a + 1])
    return [
        View(3, keys, hits.start, hits.stop, lambda k: f"tactic:{name(k)}"),
        View(3, pairs, hits.start[a], stop, lambda k: f"tactic:{name(int(a[k]))}>{name(int(a[k]) + 1)}"),
    ]


_FORMS = ("length", "links", "numbers", "long numbers", "turns", "questions")


def form_amounts(folded: Folded) -> NDArray[np.int64]:
    """int64 [forms, m]: what `form:` features are made of. Those of texts one behind the other, and of the line breaks between, add up."""
    codes, of, n = folded.codes, folded.message_of, len(folded)
    number, line, question = codes == ord("0"), codes == 10, codes == ord("?")
    long = number & (folded.end - folded.begin >= 7)
    size = np.diff(folded.bounds) - PADS
    return np.stack([size, *(np.bincount(of[mask], minlength=n) for mask in (codes == ord(LINK), number, long, line, question))])


LINE_BREAK = np.array([1, 0, 0, 0, 1, 0])  # what a line break between two texts adds to their amounts


def form_keys(amounts: NDArray[np.int64]) -> tuple[grams.Keys, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(key, form, message, step) of each form that a message has, given the `form_amounts` of messages."""
    length, links, numbers, long, lines, questions = amounts
    few = [np.minimum(amount, 3) for amount in (links, numbers, long)]
    turns = np.searchsorted((1, 4, 12), lines, side="right")
    steps = np.stack([np.searchsorted(_LENGTHS, length), *few, turns, np.minimum(questions, 3)])
    form, message = np.nonzero(steps)
    step = steps[form, message]
    return grams.salt(grams.first((16 * form + step).astype(np.uint32)), 9), form, message, step


def _form(folded: Folded) -> View:
    keys, form, message, step = form_keys(form_amounts(folded))
    start = folded.bounds[:-1][message]
    return View(4, keys, start, start, lambda k: f"form:{_FORMS[form[k]]}={step[k]}")
