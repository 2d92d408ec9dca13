"""The whole pass on one page: messages in, verdicts out.

    fold -> find tactics and terms -> extract features -> look up weights (of the whole, of passages) -> probabilities -> verdict, evidence

Owns the order of the rooms and the rule that makes a verdict of probabilities. A batch is scored exactly as its messages one by one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import grams
from .features import extract
from .model import KIND_HEADS, OUTCOME_HEADS, Floats, Found, Model, Occurrences, blends, kinds, mixed, outcomes, probabilities, strongest
from .normalise import PADS, Folded, fold, is_han, is_rare
from .passages import Passages, passages_of
from .records import IMPERSONATION, TYPES, VERDICTS, Evidence, Verdict
from .tactics import Hits, TacticSet, load_tactics

BATCH = 2048  # messages scanned at once; 512 take a quarter longer, 4,096, whose arrays leave the processor's cache, a third
BATCH_CHARS = 1 << 18  # characters of them: bounds the memory where they are long
MIN_HAN = 4  # Chinese characters below which nothing can be said: "好的", a lone link, a code
MOST_RARE = 0.4  # of the Chinese characters, above which a text is none: 0.31 in the worst of 15,071 messages; of UTF-8 read as GB18030 94% have more
EVIDENCE_ITEMS = 12  # what a reader takes in at a glance; `Scored.contributions` has them all
_IMPERSONATION, _OTHER, _UNSURE, _FINE = range(len(VERDICTS))

REASONS = (
    "",
    "没有中文文字，无法判断",
    "中文文字太少，无法判断",
    "文字过长，只读了开头部分，无法保证其余内容正常",
    "这是一条防诈提醒，讲的是骗局",
    "这是转述、求助或报道，讲的是别人遇到的骗局",
    "像骗局，又像在转述别人遇到的骗局，两方面的迹象都很强",
    "大多不是常用的汉字，像是乱码，无法判断",
)
_OK, _NO_CHINESE, _TOO_SHORT, _NOT_READ, _WARNING, _TOLD, _BOTH, _GARBLED = range(len(REASONS))
TOO_LITTLE = tuple(REASONS[k] for k in (_NO_CHINESE, _TOO_SHORT, _GARBLED))  # with these nothing was judged
BEYOND_DOUBT = 0.9  # of any fraud, from which signs of a story change nothing; with 0.97 three points of recall on unseen police frauds would go
STATUS = ("ok", "repaired", "truncated")


@dataclass(frozen=True)
class Reasons:
    """What speaks loudest in some messages; parallel arrays but for `bounds`, message by message, strongest first.

    bounds       int64 [k + 1]: those of the k-th message are [bounds[k], bounds[k + 1])
    row          int64: which feature of the model
    amount       float64: what it adds to the logit of the head that was asked for
    start, stop  int64: folded characters [start, stop) of the batch; equal where it stands for the whole text
    """

    bounds: NDArray[np.int64]
    row: NDArray[np.int64]
    amount: Floats
    start: NDArray[np.int64]
    stop: NDArray[np.int64]


@dataclass(frozen=True)
class Scored:
    """A batch with all that was found out about it; arrays have one entry a message.

    whole, passages the features of the messages, and of the passages of long ones
    strongest       int64 [m, 2]: the strongest passage for heads 0 and 1, -1 in a message of a single passage
    blend           float64 [m, 2, 3]: how their readings are put together (see `model.blends`)
    logits          float64 [m, 2]: calibrated logits of heads 0 and 1
    outcome         float64 [m, 3]: probabilities of impersonation, other fraud and legit, for the prior that is asked for
    verdict, type   int64: indices into VERDICTS and TYPES
    reason, status  int64: indices into REASONS and STATUS
    """

    model: Model
    tactic_set: TacticSet
    folded: Folded
    hits: Hits
    at: Occurrences
    whole: Found
    passages: Found
    strongest: NDArray[np.int64]
    blend: Floats
    logits: Floats
    outcome: Floats
    verdict: NDArray[np.int64]
    type: NDArray[np.int64]
    reason: NDArray[np.int64]
    status: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.verdict)

    @cached_property
    def tactics(self) -> list[tuple[str, ...]]:
        """Names of the fraud tactics in each message, in the order of the text, each once."""
        names: dict[int, dict[str, None]] = {}
        hits = self.hits
        for message, tactic, negated in zip(hits.message.tolist(), hits.tactic.tolist(), hits.negated.tolist(), strict=True):
            if not negated and self.tactic_set.tactics[tactic].side == "fraud":
                names.setdefault(message, {})[self.tactic_set.tactics[tactic].name] = None
        return [tuple(names.get(message, ())) for message in range(len(self))]

    def probabilities(self, message: int) -> Floats:
        """float64 [8]: probabilities of TYPES."""
        row: Floats = probabilities(self.outcome[message : message + 1], self._kinds[message : message + 1])[0]
        return row

    @cached_property
    def _kinds(self) -> Floats:
        return kinds(self.model.logits(self.whole, len(self), KIND_HEADS))

    def contributions(self, message: int, head: int = 0, most: int | None = None) -> tuple[float, list[Evidence]]:
        """The bias of head 0 or 1 and the features' exact contributions to its logit, strongest first.

        All of them (`most` is None) and the bias sum to `logits[message, head]`; for `most` see `reasons`.
        """
        shift, of_whole, of_passage = self.blend[message, head].tolist()
        (reasons,) = self._records(self.reasons(np.array([message]), np.array([head]), most))
        return shift + (of_whole + of_passage) * float(self.model.bias[head]), reasons

    @cached_property
    def deciding(self) -> NDArray[np.int64]:
        """int64 [m]: the head that decided each verdict."""
        head: NDArray[np.int64] = (self.verdict == _OTHER).astype(np.int64)
        return head

    def reasons(self, messages: NDArray[np.int64], heads: NDArray[np.int64], most: int | None = EVIDENCE_ITEMS) -> Reasons:
        """What speaks loudest in some messages (ascending, each once), of a head for each: exact contributions to its logit.

        Of each message the `most` that weigh most (None: all), and its tactics, whatever they weigh: what is named is shown.
        """
        found = self.whole.only(messages)
        amount, passage = self._amounts(found, messages, heads)
        order = np.argsort(-np.abs(amount), kind="stable")
        order = order[np.argsort(found.unit[order].astype(np.min_scalar_type(len(messages))), kind="stable")]  # small numbers: a radix sort
        bounds = np.searchsorted(found.unit, np.arange(len(messages) + 1))
        if most is not None:
            loud = np.arange(len(order)) - bounds[found.unit] < most
            order = order[loud | self.model.tactics[found.row[order]]]
            bounds = np.searchsorted(found.unit[order], np.arange(len(messages) + 1))
        place = self._places(messages[found.unit[order]], found.row[order], passage[order])
        return Reasons(bounds, found.row[order], amount[order], self.at.start[place], self.at.stop[place])

    def _amounts(self, found: Found, messages: NDArray[np.int64], heads: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
        """What each feature contributes, through the whole and through the strongest passage; and that passage, -1 where it is not in it."""
        strongest = self.strongest[messages, heads]
        _, of_whole, of_passage = self.blend[messages, heads].T
        amount = of_whole[found.unit] * self.model.values(found)
        # What stands in the strongest passage stands in the whole too: find it there, and add to it.
        long = np.flatnonzero(strongest >= 0)
        inner = self.passages.only(strongest[long])
        owner = long[inner.unit]
        entry = np.searchsorted(_pair(found.unit, found.row), _pair(owner, inner.row))
        amount[entry] += of_passage[owner] * self.model.values(inner)
        amount *= self.model.weights[found.row, heads[found.unit]]
        passage = np.full(len(amount), -1, dtype=np.int64)
        passage[entry] = strongest[owner]
        return amount, passage

    def _places(self, message: NDArray[np.int64], row: NDArray[np.int64], passage: NDArray[np.int64]) -> NDArray[np.int64]:
        """int64, parallel: the occurrence where a feature stands first in its message, or in a passage of it (-1: anywhere)."""
        asked = np.zeros(len(self), dtype=bool)
        asked[message] = True
        of = unit_of_message(self.folded, self.at)
        some = np.flatnonzero(asked[of])
        some = some[np.argsort(self.at.start[some], kind="stable")[::-1]]  # of several places the first is noted last, and stays
        pair, key = _pair(message, row), _pair(of[some], self.at.row[some])
        order = np.argsort(pair)
        entry = order[np.minimum(np.searchsorted(pair, key, sorter=order), len(pair) - 1)]
        right = pair[entry] == key
        if (passage >= 0).any():
            right &= (passage[entry] < 0) | (passage[entry] == self._passage_of[some])
        place = np.zeros(len(pair), dtype=np.int64)
        place[entry[right]] = some[right]
        return place

    @cached_property
    def _passage_of(self) -> NDArray[np.int32]:
        """int32: the passage of each occurrence; -1 of one that is in none."""
        passage = np.full(len(self.at.row), -1, dtype=np.int32)
        some, unit = unit_of_passage(passages_of(self.folded), self.at)
        passage[some] = unit
        return passage

    def evidence(self, row: int, amount: float, start: int, stop: int) -> Evidence:
        """A feature and what it adds, shown at folded characters [start, stop) of the batch; of the whole text where they are none."""
        name = self.model.names[row]
        explain = self.tactic_set.explain.get(name[7:], "") if name.startswith("tactic:") else ""
        return Evidence(name, amount, self.folded.raw_span(start, stop) if stop > start else None, explain)

    def _records(self, reasons: Reasons) -> list[list[Evidence]]:
        """Reasons as records, message by message."""
        columns = (column.tolist() for column in (reasons.row, reasons.amount, reasons.start, reasons.stop))
        records = [self.evidence(*item) for item in zip(*columns, strict=True)]
        return [records[first:last] for first, last in pairwise(reasons.bounds.tolist())]

    def _evidence_of(self, message: int) -> list[Evidence]:
        return (self._of_fine if self.verdict[message] == _FINE else self._of_suspect)[message]

    @cached_property
    def _of_suspect(self) -> dict[int, list[Evidence]]:
        """Evidence of all that is not called legit; apart from the rest, so that who asks for this only pays for no more."""
        return self._of(np.flatnonzero(self.verdict != _FINE))

    @cached_property
    def _of_fine(self) -> dict[int, list[Evidence]]:
        return self._of(np.flatnonzero(self.verdict == _FINE))

    def _of(self, messages: NDArray[np.int64]) -> dict[int, list[Evidence]]:
        return dict(zip(messages.tolist(), self._records(self.reasons(messages, self.deciding[messages])), strict=True))

    def verdict_of(self, message: int, evidence: bool = True) -> Verdict:
        """The record for one message of the batch; its evidence is of the head that decided."""
        return Verdict(
            scam_score=float(self.outcome[message, 0]),
            scam_verdict=VERDICTS[self.verdict[message]],
            scam_type=TYPES[self.type[message]],
            probabilities=dict(zip(TYPES, self.probabilities(message).tolist(), strict=True)),
            tactics=self.tactics[message],
            evidence=tuple(self._evidence_of(message)) if evidence else (),
            status=STATUS[self.status[message]],
            reason=REASONS[self.reason[message]],
            model=self.model.id,
        )


def _pair(unit: NDArray[np.signedinteger[Any]], row: NDArray[np.signedinteger[Any]]) -> NDArray[np.int64]:
    pair: NDArray[np.int64] = (unit.astype(np.int64) << grams.SLOT_BITS) | row
    return pair


class Classifier:
    """A model, ready to score. Safe to share between threads; holds no message after a call returns."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._tactics = load_tactics()

    def score(self, text: str) -> Verdict:
        """Score one message, with evidence.

        >>> from classifier import load
        >>> load().score("我是客服，把验证码发给我，我帮您办理退款").scam_verdict
        'impersonation'
        """
        _check([text])
        return self.scan([text]).verdict_of(0)

    def score_batch(self, texts: Sequence[str], evidence: bool = False) -> list[Verdict]:
        """Score messages in their order; each gets the verdict it would get alone."""
        return [part.verdict_of(k, evidence) for part in self.scans(texts) for k in range(len(part))]

    def scans(self, texts: Sequence[str]) -> Iterator[Scored]:
        """Score any number of messages in their order, a batch at a time: BATCH of them, or fewer long ones.

        Raises TypeError for what is no list of texts.
        """
        _check(texts)
        first = size = 0
        for k, text in enumerate(texts):
            if k > first and (k - first == BATCH or size + len(text) > BATCH_CHARS):
                yield self.scan(texts[first:k])
                first, size = k, 0
            size += len(text)
        if first < len(texts):
            yield self.scan(texts[first:])

    def scan(self, texts: Sequence[str]) -> Scored:
        """Score a batch and keep all that was found; `Scored` gives verdicts, arrays and contributions from it."""
        folded = fold(texts)
        hits, views = extract(folded, self._tactics)
        at = self.model.locate(views)
        whole = self.model.collect(at.row, unit_of_message(folded, at))
        raw = self.model.logits(whole, len(folded), OUTCOME_HEADS)
        parts, best, which = self._strongest(folded, at)
        blend = blends(self.model.mix, raw, best)
        logits = mixed(blend, raw, best)
        outcome = outcomes(logits)
        verdict, reason = self.decide(outcome, _reasons(folded), signs(self._tactics, hits, len(folded)))
        types = self._types(whole, outcome, verdict)
        status = np.where(folded.truncated, 2, folded.repaired.astype(np.int64))
        return Scored(
            self.model,
            self._tactics,
            folded,
            hits,
            at,
            whole,
            parts,
            which,
            blend,
            logits,
            self.model.shown(logits),
            verdict,
            types,
            reason,
            status,
        )

    def _strongest(self, folded: Folded, at: Occurrences) -> tuple[Found, Floats, NDArray[np.int64]]:
        """The features of the passages, and of each message the strongest passage: its logits and which it is."""
        passages = passages_of(folded)
        some, passage = unit_of_passage(passages, at)
        found = self.model.collect(at.row.take(some), passage)
        logits = self.model.logits(found, len(passages), OUTCOME_HEADS)
        return found, *strongest(logits, passages.message, len(folded))

    def decide(self, outcome: Floats, reason: NDArray[np.int64], signs: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Verdicts, int64 [m], indices into VERDICTS, and their reasons, as indices into REASONS.

        A cut-off for each kind of fraud, and a lower one for their sum, from which it is not called legit. Strong evidence on both sides, of
        fraud and of a story told of others, is unsure; a legit text that is about fraud says so.

        outcome  float64 [m, 3]: probabilities of impersonation, other fraud and legit
        reason   int64 [m], indices into REASONS: what limits a verdict
        signs    bool [m, 3]: see `signs`
        """
        cut = self.model.cutoffs
        conditions = [outcome[:, 0] >= cut.impersonation, outcome[:, 1] >= cut.other_fraud, outcome[:, 2] <= 1 - cut.unsure]
        verdict = np.select(conditions, [_IMPERSONATION, _OTHER, _UNSURE], _FINE)
        warned, told, fraud = signs.T
        called, fine = verdict <= _OTHER, verdict == _FINE
        both = told & called & (outcome[:, 2] > 1 - BEYOND_DOUBT)
        about = np.select([both, fine & warned, fine & told & fraud], [_BOTH, _WARNING, _TOLD], _OK)
        reason = np.where((reason == _GARBLED) & called & fraud, _OK, reason)
        limited = np.isin(reason, (_NO_CHINESE, _TOO_SHORT, _GARBLED)) | ((reason == _NOT_READ) & fine)
        return np.where(limited | both, _UNSURE, verdict), np.where(reason == _OK, about, reason)

    def _types(self, found: Found, outcome: Floats, verdict: NDArray[np.int64]) -> NDArray[np.int64]:
        """The likeliest type within what the verdict says; of an unsure one, the likeliest of all."""
        likeliest = likeliest_outcome(outcome, verdict)
        out = len(IMPERSONATION) - 1 + likeliest
        imp = np.flatnonzero(likeliest == 0)
        if len(imp):
            out[imp] = self.model.logits(found.only(imp), len(imp), KIND_HEADS).argmax(axis=1)
        return out


def _check(texts: Sequence[str]) -> None:
    """Raises TypeError where that is no list of texts: one text alone would be taken for its characters."""
    if isinstance(texts, str) or not hasattr(texts, "__getitem__"):
        raise TypeError(f"a list of texts is wanted, not {'one text' if isinstance(texts, str) else type(texts).__name__}")
    for kind in set(map(type, texts)):
        if not issubclass(kind, str):
            raise TypeError(f"a text is a str, not {kind.__name__}")


def likeliest_outcome(outcome: Floats, verdict: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64 [m]: the column of `outcome` that the verdict speaks of; the likeliest where it is unsure."""
    named = np.array([0, 1, 0, 2])[verdict]
    return np.where(verdict == _UNSURE, outcome.argmax(axis=1), named)


def unit_of_message(folded: Folded, at: Occurrences) -> NDArray[np.int32]:
    """The message of each occurrence."""
    return np.concatenate([folded.message_of.take(view.start(entry)) for view, entry, _ in at.parts])


def unit_of_passage(passages: Passages, at: Occurrences) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """(occurrence, passage): those that stand in one passage; neither in two, nor for a whole text."""
    occurrences, units, before = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int32)], 0
    edges = grams.distinct(np.concatenate([passages.begin, passages.end]))  # one ends where the next begins: half as many to look for
    begin = np.searchsorted(edges, passages.begin)
    for view, entry, _ in at.parts:
        start = view.start(entry)
        place = np.searchsorted(start, edges)
        first = place.take(begin)
        count = place.take(begin + 1) - first
        unit = np.repeat(np.arange(len(passages), dtype=np.int32), count)
        some = grams.stretches(first, count)
        stop = view.stop(entry.take(some))
        inside = np.flatnonzero((stop <= passages.end.take(unit)) & (stop > start.take(some)))
        occurrences.append(some.take(inside) + before)
        units.append(unit.take(inside))
        before += len(entry)
    return np.concatenate(occurrences), np.concatenate(units)


def signs(tactics: TacticSet, hits: Hits, messages: int) -> NDArray[np.bool_]:
    """bool [messages, 3]: holds a warning of fraud, a story told of others, a tactic of fraud."""
    names, fraud = [t.name for t in tactics.tactics], np.array([t.side == "fraud" for t in tactics.tactics])
    out = np.zeros((messages, 3), dtype=bool)
    out[hits.message[(hits.tactic == names.index("防诈提醒")) & ~hits.negated], 0] = True
    out[hits.message[hits.tactic == names.index("转述")], 1] = True
    out[hits.message[fraud[hits.tactic]], 2] = True
    return out


def _reasons(folded: Folded) -> NDArray[np.int64]:
    """int64 [m], indices into REASONS: what in the text itself limits the verdict."""
    han = np.diff(np.concatenate([[0], np.cumsum(is_han(folded.codes))])[folded.bounds])
    rare = np.bincount(folded.message_of[is_rare(folded.codes)], minlength=len(folded))
    return reasons(han, rare, np.diff(folded.bounds) - PADS, folded.truncated)


def reasons(han: NDArray[np.int64], rare: NDArray[np.int64], size: NDArray[np.int64], truncated: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The same from what texts have of Chinese, of rare Chinese and of all characters, folded, and whether they were cut; parallel arrays."""
    short = np.where((han == 0) & (size > 0), _NO_CHINESE, _TOO_SHORT)
    return np.select([(han >= MIN_HAN) & (rare > MOST_RARE * han), truncated, han < MIN_HAN], [_GARBLED, _NOT_READ, short], _OK)
