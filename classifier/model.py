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
    """Where the model's features stand in a batch; parallel arrays, in no order.

    row          int64: which feature of the model
    start, stop  int64: folded characters [start, stop) of the batch; equal where it stands for the whole text
    """

    row: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]


@dataclass(frozen=True)
class Found:
    """The features of some units (messages or passages); parallel arrays, sorted by unit and feature, each pair once.

    unit, row  int64: which unit, which feature of the model
    """

    unit: NDArray[np.int64]
    row: NDArray[np.int64]

    def of(self, unit: int) -> slice:
        """Where in the arrays the features of one unit are."""
        first, last = np.searchsorted(self.unit, (unit, unit + 1)).tolist()
        return slice(first, last)

    def only(self, units: NDArray[np.int64]) -> "Found":
        """The same for some units (in order), numbered anew from 0."""
        first, last = np.searchsorted(self.unit, units), np.searchsorted(self.unit, units, "right")
        count = last - first
        index = np.repeat(np.arange(len(units)), count)
        return Found(index, self.row[np.arange(len(index)) + np.repeat(first - (np.cumsum(count) - count), count)])


@dataclass(frozen=True)
class _Cells:
    """The groups of features of each unit, one after the other as in `Found`; parallel arrays, one entry a group that is there.

    unit   int64: whose it is
    begin  int64: where in `Found` it begins
    norm   float64: what the scales of its features are divided by
    """

    unit: NDArray[np.int64]
    begin: NDArray[np.int64]
    norm: Floats


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

    def rows(self, keys: grams.Keys) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(entry, row): which of the keys are features of this model, and which rows they are."""
        return self._table.find(keys)

    def locate(self, views: Sequence[View]) -> Occurrences:
        """Every place in a batch where a feature of this model stands."""
        found = [(view, *self.rows(view.keys)) for view in views]
        spans = [view.spans(at) for view, at, _ in found]
        return Occurrences(
            np.concatenate([row for _, _, row in found]),
            np.concatenate([start for start, _ in spans]),
            np.concatenate([stop for _, stop in spans]),
        )

    def collect(self, at: Occurrences, unit: NDArray[np.int64]) -> Found:
        """The features of each unit, given the unit of every occurrence (-1: of none)."""
        row = at.row
        if unit.min(initial=0) < 0:
            inside = np.flatnonzero(unit >= 0)
            unit, row = unit[inside], row[inside]
        pair = (unit << self._row_bits) | row
        small = np.int32 if pair.max(initial=0) < 1 << 31 else np.int64  # half as large, sorted in half the time
        pair = grams.distinct(pair.astype(small)).astype(np.int64)
        return Found(pair >> self._row_bits, pair & ((1 << self._row_bits) - 1))

    def places(self, at: Occurrences, unit: NDArray[np.int64]) -> NDArray[np.int64]:
        """int64, parallel to what `collect` gives: the occurrence where each feature stands first in its unit."""
        inside = np.flatnonzero(unit >= 0)
        pair = (unit[inside] << grams.SLOT_BITS) | at.row[inside]
        order = np.lexsort((at.start[inside], pair))
        return inside[order[np.flatnonzero(np.diff(pair[order], prepend=-1) != 0)]]

    def values(self, found: Found) -> Floats:
        """float64, parallel to `found`: each feature's value in its unit.

        Within a unit the groups of n-grams have a Euclidean norm of nearly 1, less in short ones, where a few n-grams should not
        speak as loudly as many; tactics and form have none, so that a tactic counts the same everywhere.
        """
        cells = self._cells(found)
        values: Floats = self.scale[found.row] / np.repeat(cells.norm, np.diff(cells.begin, append=len(found.row)))
        return values

    def logits(self, found: Found, units: int, heads: Sequence[int]) -> Floats:
        """float64 [units, heads]: logits of some heads, before calibration: bias plus weights times `values`."""
        out = np.tile(self.bias[list(heads)], (units, 1))
        cells = self._cells(found)
        for column, head in enumerate(heads if len(found.row) else ()):
            sums = np.add.reduceat(self._scaled[head].take(found.row), cells.begin, dtype=np.float64) / cells.norm
            out[:, column] += np.bincount(cells.unit, weights=sums, minlength=units)
        return out

    def _cells(self, found: Found) -> "_Cells":
        cell = found.unit * len(GROUPS) + self.group.take(found.row)
        begin = np.flatnonzero(np.concatenate([[True], cell[1:] != cell[:-1]])) if len(cell) else cell
        squares = np.add.reduceat(self._squares.take(found.row), begin, dtype=np.float64) if len(begin) else np.zeros(0)
        return _Cells(cell[begin] // len(GROUPS), begin, _norm(cell[begin] % len(GROUPS), squares))

    @cached_property
    def _squares(self) -> NDArray[np.float32]:
        return self.scale * self.scale

    @cached_property
    def _scaled(self) -> NDArray[np.float32]:
        """float32 [heads, f]: weights times scales, each head contiguous."""
        return np.ascontiguousarray((self.weights * self.scale[:, None]).T)

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

    def add(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
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

    def logits(self, passing: NDArray[np.int64]) -> Floats:
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
