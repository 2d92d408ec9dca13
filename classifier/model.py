"""Weights as data: from named features to calibrated probabilities and exact contributions.

Owns the arithmetic of the score. Knows nothing of text, training or files. The score is a nested logistic regression:

    head 0         impersonation against everything else       -> scam_score
    head 1         other fraud against legit, given no impersonation
    heads 2 to 7   which kind of impersonation, given that it is one (softmax)

Heads 0 and 1 are calibrated over two readings of a message, the whole and its strongest passage: logit = shift + a (logit of the
whole) + b (logit of the passage), see `blends`. All of it is linear, so what a feature adds is known exactly, and contributions plus
bias equal the logit.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import grams
from .errors import InputError
from .features import GROUPS, NEGATED, THEN, View
from .records import IMPERSONATION

HEADS = ("impersonation", "other_fraud", *IMPERSONATION)
OUTCOME_HEADS, KIND_HEADS = range(2), range(2, len(HEADS))
DILUTION = 0.6  # logit by which the rest of a text may speak against its strongest passage; 1 loses 12 points of recall to padding, 0.6 loses 9
FLOOR = 400.0  # added to the squared norm: what ten characters have

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cutoffs:
    """Probabilities chosen at training for a false-alarm target; part of the model, not of the code.

    impersonation  of impersonation, from which it is called so
    other_fraud    of other fraud, from which it is called so
    unsure         of any fraud, from which it is not called legit
    """

    impersonation: float
    other_fraud: float
    unsure: float


@dataclass(frozen=True)
class Occurrences:
    """Where the model's features stand in a batch: view by view, and in order of the text within one. Its arrays are parallel, one view
    behind the other.

    parts  (view, entries of the view, which feature of the model each is: int32) of each view
    """

    parts: Sequence[tuple[View, NDArray[np.int64], NDArray[np.int32]]]

    @cached_property
    def row(self) -> NDArray[np.int32]:
        """int32: which feature of the model."""
        return np.concatenate([row for _, _, row in self.parts])

    @cached_property
    def start(self) -> NDArray[np.int64]:
        """int64: the first folded character of the batch that it stands on."""
        return np.concatenate([view.start(entry) for view, entry, _ in self.parts])

    @cached_property
    def stop(self) -> NDArray[np.int64]:
        """int64: the one after the last; `start` where it stands for the whole text."""
        return np.concatenate([view.stop(entry) for view, entry, _ in self.parts])


@dataclass(frozen=True)
class Found:
    """The features of some units (messages or passages); parallel arrays, sorted by unit and feature, each pair once.

    pair  int32, int64 where that is too small: unit and feature in one number, the feature in the low `bits`
    """

    pair: NDArray[np.signedinteger[Any]]
    bits: int

    @cached_property
    def unit(self) -> NDArray[np.int64]:
        """int64: which unit."""
        return (self.pair >> self.bits).astype(np.int64)

    @cached_property
    def row(self) -> NDArray[np.int64]:
        """int64: which feature of the model."""
        return (self.pair & ((1 << self.bits) - 1)).astype(np.int64)

    def __len__(self) -> int:
        return len(self.pair)

    def bounds(self, units: NDArray[np.int64], row: NDArray[np.int64] | int = 0) -> NDArray[np.int64]:
        """int64, parallel: where the features from `row` on of units begin, or would."""
        most = np.iinfo(self.pair.dtype).max  # stands for no pair: so many features there are not
        wanted: NDArray[np.int64] = np.minimum((units << self.bits) | row, most)
        return np.searchsorted(self.pair, wanted.astype(self.pair.dtype))

    def only(self, units: NDArray[np.int64]) -> "Found":
        """The same for some units (in order), numbered anew from 0."""
        first = self.bounds(units)
        count = self.bounds(units + 1) - first
        index = np.repeat(np.arange(len(units)), count)
        at = grams.stretches(first, count)
        return Found(self.pair.take(at) + ((index - units[index]) << self.bits).astype(self.pair.dtype), self.bits)


@dataclass(frozen=True)
class _Cells:
    """The groups of features of each unit, one after the other as in `Found`; parallel arrays, one entry a group that is there.

    unit, group  int64: whose it is, and which
    begin        int64: where in `Found` it begins
    """

    unit: NDArray[np.int64]
    group: NDArray[np.int64]
    begin: NDArray[np.int64]


@dataclass(frozen=True)
class Model:
    """A loaded model. Arrays are parallel, one entry a feature, ordered by group and, within it, by slot.

    keys     uint64 [f]
    scale    float32 [f]: the feature's value before the message's norm (inverse document frequency)
    group    uint8 [f]: index into GROUPS
    weights  float32 [f, 8], one column a head
    bias     float64 [8]
    mix      float64 [2, 3]: of heads 0 and 1 the shift, and the weights a of the whole and b of the strongest passage
    names    what each feature is called
    cutoffs  from which probabilities a message is called what; they are of the corpus's prior, whatever is shown
    shift    added to the logit of impersonation in the probabilities that are shown (see `at`)
    """

    id: str
    keys: grams.Keys
    scale: NDArray[np.float32]
    group: NDArray[np.uint8]
    weights: NDArray[np.float32]
    bias: Floats
    mix: Floats
    names: Sequence[str]
    cutoffs: Cutoffs
    manifest: Mapping[str, Any]
    shift: float = 0.0

    def at(self, prior: float | None = None, max_false_alarms: float | None = None) -> "Model":
        """The same model as a reader wants it.

        prior             share of impersonation among the messages that are read: the probabilities shown become those of it; verdicts stay
        max_false_alarms  share of ordinary legit messages that may be called fraud: other cut-offs, of those that were measured at training

        Its id says so. Raises InputError for a prior that is none, or fewer false alarms than could be measured.
        """
        shift, cutoffs, name = self.shift, self.cutoffs, self.id
        if prior is not None:
            if not 0 < prior < 1:
                raise InputError(f"prior {prior:g}: a share above 0 and below 1")
            shift, name = _logit(prior) - _logit(self.manifest["prior"]), f"{name} prior={prior:g}"
        if max_false_alarms is not None:
            able = [point for point in self.manifest["operating"] if point["false_alarms_at_most"] <= max_false_alarms]
            if not able:
                least = min(point["false_alarms_at_most"] for point in self.manifest["operating"])
                raise InputError(f"at most {max_false_alarms:g} false alarms: fewer than {least:g} were not measured; the card says what each costs")
            cutoffs, name = Cutoffs(**able[-1]["cutoffs"]), f"{name} max-false-alarms={able[-1]['false_alarms_at_most']:g}"
        return replace(self, id=name, shift=shift, cutoffs=cutoffs)

    def shown(self, logits: Floats) -> Floats:
        """float64 [m, 3]: `outcomes` for the prior that is asked for."""
        return outcomes(logits + np.array([self.shift, 0.0]))

    @cached_property
    def _row_bits(self) -> int:
        return len(self.keys).bit_length()

    @cached_property
    def _table(self) -> grams.Table:
        return grams.Table(self.keys)

    def rows(self, keys: grams.Keys) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """(entry, row): which of the keys are features of this model, and which rows they are."""
        return self._table.find(keys)

    def locate(self, views: Sequence[View]) -> Occurrences:
        """Every place in a batch where a feature of this model stands."""
        return Occurrences([(view, *self.rows(view.keys)) for view in views])

    def collect(self, row: NDArray[np.int32], unit: NDArray[np.signedinteger[Any]]) -> Found:
        """The features of each unit, given those of occurrences and the unit of each; parallel arrays."""
        bits = self._row_bits
        small = int(unit.max(initial=0)) < 1 << (31 - bits)  # half as large, sorted in half the time
        units: NDArray[np.signedinteger[Any]] = unit.astype(np.int32 if small else np.int64, copy=False)
        return Found(grams.distinct((units << bits) | row), bits)

    def places(self, at: Occurrences, some: NDArray[np.int64], unit: NDArray[np.signedinteger[Any]]) -> NDArray[np.int64]:
        """int64, parallel to what `collect` gives of some occurrences: the one where each feature stands first in its unit."""
        pair = (unit.astype(np.int64) << self._row_bits) | at.row[some]
        order = np.lexsort((at.start[some], pair))
        return some[order[np.flatnonzero(np.diff(pair[order], prepend=-1) != 0)]]

    def values(self, found: Found) -> Floats:
        """float64, parallel to `found`: each feature's value in its unit.

        Within a unit the groups of n-grams have a Euclidean norm of nearly 1, less in short ones, where a few n-grams should not
        speak as loudly as many; tactics and form have none, so that a tactic counts the same everywhere.
        """
        cells = self._cells(found)
        squares = np.add.reduceat(self._squares.take(found.row), cells.begin, dtype=np.float64) if len(found) else np.zeros(0)
        norm = _norm(cells.group, squares)
        values: Floats = self.scale[found.row] / np.repeat(norm, np.diff(cells.begin, append=len(found)))
        return values

    def logits(self, found: Found, units: int, heads: Sequence[int]) -> Floats:
        """float64 [units, heads]: logits of some heads, before calibration: bias plus weights times `values`."""
        out = np.tile(self.bias[list(heads)], (units, 1))
        if not len(found):
            return out
        cells = self._cells(found)
        terms = self._terms(tuple(heads)).take(found.row, axis=0)
        sums = [np.add.reduceat(terms[:, k], cells.begin, dtype=np.float64) for k in range(1 + len(heads))]
        norm = _norm(cells.group, sums[0])
        for column in range(len(heads)):
            out[:, column] += np.bincount(cells.unit, weights=sums[1 + column] / norm, minlength=units)
        return out

    def _cells(self, found: Found) -> "_Cells":
        units = int(found.pair[-1] >> found.bits) + 1 if len(found) else 0
        begin = found.bounds(np.repeat(np.arange(units), len(GROUPS)), np.tile(self._first, units))
        there = np.flatnonzero(np.diff(begin, append=len(found)) > 0)
        return _Cells(there // len(GROUPS), there % len(GROUPS), begin[there])

    @cached_property
    def _first(self) -> NDArray[np.int64]:
        """int64: the first feature of each group."""
        return np.searchsorted(self.group, np.arange(len(GROUPS)))

    @cached_property
    def _squares(self) -> NDArray[np.float32]:
        return self.scale * self.scale

    @cached_property
    def _scaled(self) -> NDArray[np.float32]:
        """float32 [heads, f]: weights times scales."""
        return (self.weights * self.scale[:, None]).T

    def _terms(self, heads: tuple[int, ...]) -> NDArray[np.float32]:
        """float32 [f, n]: of each feature what is summed up for some heads: the square of its scale, then its weights times it. Side by
        side, for memory far away is fetched once so; n is a power of two, of which NumPy takes a row in one go."""
        if heads not in self._terms_of:
            terms = np.zeros((len(self.keys), 1 << len(heads).bit_length()), dtype=np.float32)
            terms[:, 0], terms[:, 1 : 1 + len(heads)] = self._squares, self._scaled[list(heads)].T
            self._terms_of[heads] = terms
        return self._terms_of[heads]

    @cached_property
    def _terms_of(self) -> dict[tuple[int, ...], NDArray[np.float32]]:
        return {}

    @cached_property
    def tactics(self) -> NDArray[np.bool_]:
        """bool [f]: the features that are a tactic by itself, neither negated nor one after the other."""
        out: NDArray[np.bool_] = self.group == GROUPS.index("tactic")
        rows = np.flatnonzero(out)
        out[rows] = [not set(self.names[row]) & {NEGATED, THEN} for row in rows.tolist()]
        return out

    def sums(self) -> "Sums":
        """A unit without features, to which they are added bit by bit."""
        return Sums(self, self._squares, self._scaled)


def _norm(group: NDArray[np.integer[Any]], squares: Floats) -> Floats:
    """float64, parallel: what the scales of features are divided by, given their group and the sum of its squares in their unit."""
    return np.where(group >= GROUPS.index("tactic"), 1.0, np.sqrt(squares + FLOOR))


class Sums:
    """A unit whose features come bit by bit: its logits are at any time those of `Model.logits` for all that came, to rounding.

    What comes again counts once. The cost of an addition depends on what is added, not on what was there before.
    """

    def __init__(self, model: Model, squares: NDArray[np.float32], scaled: NDArray[np.float32]) -> None:
        self._model, self._squares, self._scaled = model, squares, scaled
        self._seen: set[int] = set()
        self._norms = np.zeros(len(GROUPS))  # squared
        self._weights = np.zeros((len(GROUPS), len(HEADS)))

    def add(self, rows: NDArray[np.signedinteger[Any]]) -> NDArray[np.int64]:
        """Add features; returns those that were not there, sorted."""
        new = np.array(sorted(set(rows.tolist()) - self._seen), dtype=np.int64)
        self._seen.update(new.tolist())
        np.add.at(self._norms, self._model.group[new], self._squares[new])
        np.add.at(self._weights, self._model.group[new], self._scaled[:, new].T)
        return new

    def values(self, rows: NDArray[np.int64]) -> Floats:
        """float64, parallel to `rows`: as `Model.values`."""
        values: Floats = self._model.scale[rows] / self._norm[self._model.group[rows]]
        return values

    def logits(self, passing: NDArray[np.signedinteger[Any]]) -> Floats:
        """float64 [heads]: of all heads. `passing` are features of groups without a norm that are there now and may be gone later."""
        sums = (self._weights / self._norm[:, None]).sum(axis=0) + self._scaled[:, passing].sum(axis=1, dtype=np.float64)
        logits: Floats = self._model.bias + sums
        return logits

    @property
    def _norm(self) -> Floats:
        return _norm(np.arange(len(GROUPS)), self._norms)


def strongest(logits: Floats, message: NDArray[np.int64], messages: int) -> tuple[Floats, NDArray[np.int64]]:
    """(logit [messages, heads], passage [messages, heads]) of each message's strongest passage by head; -inf, -1 where it has no passages.

    logits   float64 [passages, heads]
    message  int64 [passages]: the message of each, in order
    """
    best = np.full((messages, logits.shape[1]), -np.inf)
    which = np.full((messages, logits.shape[1]), -1, dtype=np.int64)
    begin = np.flatnonzero(np.diff(message, prepend=-1) != 0)
    if len(begin):
        best[message[begin]] = np.maximum.reduceat(logits, begin, axis=0)
    for head in range(logits.shape[1]):
        top = np.flatnonzero(logits[:, head] == best[message, head])[::-1]
        which[message[top], head] = top  # the first of equals, as the order is reversed
    return best, which


def blends(mix: Floats, whole: Floats, best: Floats) -> Floats:
    """float64 [m, 2, 3]: for heads 0 and 1 of each message the shift, and the weights of the whole and of its strongest passage.

    They are those of `mix`, but for two kinds of message: where there is no passage (-inf) the whole has both weights; and where the
    whole says less than its passage by more than DILUTION, it counts as the passage less that much, so that no padding can hide a request.
    """
    out = np.broadcast_to(mix, (len(whole), 2, 3)).copy()
    alone, padded = np.isneginf(best), whole < best - DILUTION
    out[alone, 1] += out[alone, 2]
    out[alone, 2] = 0
    out[padded, 0] -= DILUTION * out[padded, 1]
    out[padded, 2] += out[padded, 1]
    out[padded, 1] = 0
    return out


def mixed(blend: Floats, whole: Floats, best: Floats) -> Floats:
    """float64 [m, 2]: calibrated logits of heads 0 and 1 from those of the whole and of the strongest passage, by their `blends`."""
    out: Floats = blend[..., 0] + blend[..., 1] * whole + blend[..., 2] * np.where(np.isneginf(best), 0, best)
    return out


def outcomes(logits: Floats) -> Floats:
    """float64 [m, 3]: probabilities of impersonation, other fraud and legit, from the logits of heads 0 and 1; rows sum to 1."""
    imp = _sigmoid(logits[:, 0])
    other = (1 - imp) * _sigmoid(logits[:, 1])
    return np.column_stack([imp, other, 1 - imp - other])


def kinds(logits: Floats) -> Floats:
    """float64 [m, 6]: probabilities of the kinds of impersonation given that it is one, from the logits of heads 2 to 7."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=1, keepdims=True)
    return shares


def probabilities(outcome: Floats, kind: Floats) -> Floats:
    """float64 [m, 8]: probabilities of TYPES; rows sum to 1."""
    return np.column_stack([outcome[:, :1] * kind, outcome[:, 1:]])


def _logit(p: float) -> float:
    return math.log(p / (1 - p))


def _sigmoid(z: Floats) -> Floats:
    out: Floats = 0.5 * (1 + np.tanh(0.5 * z))
    return out
