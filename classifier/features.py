"""Folded text -> named features: the one implementation that training and scoring share.

Owns which features there are, their keys and their names. Knows nothing of weights.
Five groups, each a family of evidence that explains itself by its name:

    char     `char:账户`             1- and 2-grams of folded characters
    sound    `sound:zuan zan`        2- to 4-grams of syllables, so that another character of the same sound changes nothing
    concept  `concept:<lender>+申请` words replaced by their class: a new brand is not a new language; `…` skips up to a clause
    tactic   `tactic:安全账户`       a tactic of `data/tactics`, `tactic:¬安全账户` under a negation, `tactic:a>b` one after another
    form     `form:links=1`          what the text is made of: links, numbers, length, turns

A feature counts once in a message however often it stands there. All arrays run over a batch of messages at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from . import grams, sounds
from .normalise import LINK, PAD, PADS, Folded
from .tactics import Hits, TacticSet
from .terms import classes, find_terms

GROUPS = ("char", "sound", "concept", "tactic", "form")
NEGATED, THEN = "¬>"  # in the names of tactics
_CLAUSE = 12  # characters two classes may stand apart and still be a pair
_LENGTHS = (8, 16, 32, 64, 128, 256, 512, 1024)  # folded characters


@dataclass(frozen=True)
class View:
    """Occurrences of features of one kind in a batch: parallel arrays, in order of the text.

    group        index into GROUPS
    keys         uint64: the feature's key
    begin        int64: the first folded character of the batch it stands on; None where entry k stands on the k-th
    reach        int64: the one after the last; or, where all are equally long, how long they are
    name         entry -> the feature's name; called for the few entries that are shown or become part of a model
    """

    group: int
    keys: grams.Keys
    begin: NDArray[np.int64] | None
    reach: NDArray[np.int64] | int
    name: Callable[[int], str]

    def start(self, entries: NDArray[np.int64]) -> NDArray[np.int64]:
        """int64: the first folded character of each of these entries."""
        return entries if self.begin is None else self.begin[entries]

    def stop(self, entries: NDArray[np.int64]) -> NDArray[np.int64]:
        """int64: the folded character after the last of each of these entries."""
        return self.start(entries) + self.reach if isinstance(self.reach, int) else self.reach[entries]


def extract(folded: Folded, tactics: TacticSet) -> tuple[Hits, list[View]]:
    """The tactics in a batch, and all its features, as views in a fixed order."""
    hits = tactics.find(folded)
    return hits, [*_chars(folded), *_sounds(folded), *_concepts(folded), *_tactics(folded, hits, tactics), _form(folded)]


def _chars(folded: Folded) -> list[View]:
    return [_grams(0, keys, n, lambda i, n=n: _show(folded.joined[i : i + n])) for n, keys in enumerate(folded.grams[:2], 1)]  # type: ignore[misc]


def _sounds(folded: Folded) -> list[View]:
    def name(i: int, n: int) -> str:
        return " ".join(_show(sounds.show(c)) for c in folded.sounds[i : i + n].tolist())

    return [_grams(1, keys, n, lambda i, n=n: name(i, n)) for n, keys in enumerate(folded.sound_grams[1:], 2)]  # type: ignore[misc]


def _grams(group: int, keys: grams.Keys, n: int, show: Callable[[int], str]) -> View:
    return View(group, keys, None, n, lambda i: f"{GROUPS[group]}:{show(i)}")


def _show(text: str) -> str:
    return text.replace(LINK, "🔗").replace("\n", "⏎")


def _concepts(folded: Folded) -> list[View]:
    """Classes of domain words: alone, two next to each other, two a clause apart, and with the two characters before or behind."""
    terms = find_terms(folded)
    start, stop, keys = terms.start, terms.stop, _class_keys()[terms.cls]
    n = len(folded.codes)
    follows = np.flatnonzero(folded.message_of[start[:-1]] == folded.message_of[start[1:]])
    between = start[follows + 1] - stop[follows]
    beside, apart = follows[between == 0], follows[(between > 0) & (between <= _CLAUSE)]
    pair = folded.grams[1]
    text = folded.codes != ord(PAD)
    both = text[:-1] & text[1:]  # two characters with no pad among them
    before = np.flatnonzero((start >= 2) & both[start - 2])
    behind = np.flatnonzero((stop <= n - 2) & both[np.minimum(stop, n - 2)])

    def term(i: int) -> str:
        return f"<{classes()[terms.cls[i]]}>"

    def view(kind: int, keys: grams.Keys, first: NDArray[np.int64], last: NDArray[np.int64], name: Callable[[int], str]) -> View:
        return View(2, grams.salt(keys, kind), first, last, lambda k: f"concept:{name(k)}")

    return [
        view(2, keys, start, stop, term),
        view(3, grams.join(keys[beside], keys[beside + 1]), start[beside], stop[beside + 1], lambda k: f"{term(beside[k])}+{term(beside[k] + 1)}"),
        view(4, grams.join(keys[apart], keys[apart + 1]), start[apart], stop[apart + 1], lambda k: f"{term(apart[k])}…{term(apart[k] + 1)}"),
        view(
            5,
            grams.join(pair[start[before] - 2], keys[before]),
            start[before] - 2,
            stop[before],
            lambda k: f"{_show(folded.joined[start[before[k]] - 2 : start[before[k]]])}+{term(before[k])}",
        ),
        view(
            6,
            grams.join(keys[behind], pair[stop[behind]]),
            start[behind],
            stop[behind] + 2,
            lambda k: f"{term(behind[k])}+{_show(folded.joined[stop[behind[k]] : stop[behind[k]] + 2])}",
        ),
    ]


@lru_cache(maxsize=1)
def _class_keys() -> grams.Keys:
    return grams.of_texts(classes())


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
        return f"{NEGATED if hits.negated[k] else ''}{tactics.tactics[hits.tactic[k]].name}"

    a = np.flatnonzero((kind[:-1] != kind[1:]) & (hits.message[:-1] == hits.message[1:]))
    pairs = sequence_keys(keys[a], keys[a + 1])
    stop = np.maximum(hits.stop[a], hits.stop[a + 1])
    return [
        View(3, keys, hits.start, hits.stop, lambda k: f"tactic:{name(k)}"),
        View(3, pairs, hits.start[a], stop, lambda k: f"tactic:{name(int(a[k]))}{THEN}{name(int(a[k]) + 1)}"),
    ]


_FORMS = ("length", "links", "numbers", "long numbers", "turns", "questions")


def form_amounts(folded: Folded) -> NDArray[np.int64]:
    """int64 [forms, m]: what `form:` features are made of. Those of texts one behind the other, and of the line breaks between, add up."""
    codes, of, n = folded.codes, folded.message_of, len(folded)
    link, number, line, question = (np.flatnonzero(codes == code) for code in (ord(LINK), ord("0"), ord("\n"), ord("?")))
    long = number[folded.end[number] - folded.begin[number] >= 7]
    size = np.diff(folded.bounds) - PADS
    return np.stack([size, *(np.bincount(of[at], minlength=n) for at in (link, number, long, line, question))])


LINE_BREAK = np.array([1, 0, 0, 0, 1, 0])  # what a line break between two texts adds to their amounts


def form_keys(amounts: NDArray[np.int64]) -> tuple[grams.Keys, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(key, form, message, step) of each form that a message has, given the `form_amounts` of messages."""
    length, links, numbers, long, lines, questions = amounts
    few = [np.minimum(amount, 3) for amount in (links, numbers, long)]
    turns = np.searchsorted((1, 4, 12), lines, side="right")
    steps = np.stack([np.searchsorted(_LENGTHS, length), *few, turns, np.minimum(questions, 3)])
    message, form = np.nonzero(steps.T)
    step = steps[form, message]
    return grams.salt(grams.first((16 * form + step).astype(np.uint32)), 9), form, message, step


def _form(folded: Folded) -> View:
    keys, form, message, step = form_keys(form_amounts(folded))
    start = folded.bounds[:-1][message]
    return View(4, keys, start, start, lambda k: f"form:{_FORMS[form[k]]}={step[k]}")
