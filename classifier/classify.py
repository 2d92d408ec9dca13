"""The whole pass on one page: messages in, verdicts out.

    fold -> find tactics and terms -> extract features -> look up weights (of the whole, of passages) -> probabilities -> verdict, evidence

Owns the order of the rooms and the rule that makes a verdict of probabilities. A batch is scored exactly as its messages one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from . import grams
from .features import extract
from .model import KIND_HEADS, OUTCOME_HEADS, Floats, Found, Model, Occurrences, kinds, mixed, outcomes, probabilities, strongest
from .normalise import PADS, Folded, fold, is_han
from .passages import Passages, passages_of
from .records import IMPERSONATION, TYPES, VERDICTS, Evidence, Verdict
from .tactics import Hits, TacticSet, load_tactics

BATCH = 512  # messages scanned at once: their arrays stay in the processor's cache; 1,024 take a tenth longer
MIN_HAN = 4  # Chinese characters below which nothing can be said: "好的", a lone link, a code
EVIDENCE_ITEMS = 12  # what a reader takes in at a glance; `Scored.contributions` has them all
_IMPERSONATION, _OTHER, _UNSURE, _FINE = range(len(VERDICTS))

REASONS = ("", "没有中文文字，无法判断", "中文文字太少，无法判断", "文字过长，只读了开头部分，无法保证其余内容正常")
_OK, _NO_CHINESE, _TOO_SHORT, _NOT_READ = range(len(REASONS))
STATUS = ("ok", "repaired", "truncated")


@dataclass(frozen=True)
class Scored:
    """A batch with all that was found out about it; arrays have one entry a message.

    whole, passages the features of the messages, and of the passages of long ones
    strongest       int64 [m, 2]: the strongest passage for heads 0 and 1, -1 in a message of a single passage
    logits          float64 [m, 2]: calibrated logits of heads 0 and 1
    outcome         float64 [m, 3]: probabilities of impersonation, other fraud and legit
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
        names: list[dict[str, None]] = [{} for _ in range(len(self))]
        hits = self.hits
        for message, tactic, negated in zip(hits.message.tolist(), hits.tactic.tolist(), hits.negated.tolist(), strict=True):
            if not negated and self.tactic_set.tactics[tactic].side == "fraud":
                names[message].setdefault(self.tactic_set.tactics[tactic].name)
        return [tuple(n) for n in names]

    def probabilities(self, message: int) -> Floats:
        """float64 [8]: probabilities of TYPES."""
        row: Floats = probabilities(self.outcome[message : message + 1], self._kinds[message : message + 1])[0]
        return row

    @cached_property
    def _kinds(self) -> Floats:
        return kinds(self.model.logits(self.whole, len(self), KIND_HEADS))

    def contributions(self, message: int, head: int = 0, most: int | None = None) -> tuple[float, list[Evidence]]:
        """The bias of head 0 or 1 and the features' exact contributions to its logit, strongest first.

        All of them (`most` is None) and the bias sum to `logits[message, head]`.
        """
        shift, of_whole, of_passage = self.model.mix[head].tolist()
        mine = self.whole.of(message)
        amounts, places = self._explained[head][0][mine], self._explained[head][1][mine]
        order = np.argsort(-np.abs(amounts), kind="stable")[:most]
        place = places[order]
        items = zip(
            self.whole.row[mine][order].tolist(), amounts[order].tolist(), self.at.start[place].tolist(), self.at.stop[place].tolist(), strict=True
        )
        return shift + (of_whole + of_passage) * float(self.model.bias[head]), [self._evidence(*item) for item in items]

    @cached_property
    def _explained(self) -> list[tuple[Floats, NDArray[np.int64]]]:
        """By head: what each entry of `whole` contributes, through the whole and through the strongest passage, and where it is shown."""
        passages = passages_of(self.folded)
        in_passage = unit_of_passage(passages, self.at)
        values = self.model.values(self.whole), self.model.values(self.passages)
        places = self.model.places(self.at, unit_of_message(self.folded, self.at)), self.model.places(self.at, in_passage)
        return [self._explain(head, passages, values, places) for head in OUTCOME_HEADS]

    def _explain(
        self, head: int, passages: Passages, values: tuple[Floats, Floats], places: tuple[NDArray[np.int64], NDArray[np.int64]]
    ) -> tuple[Floats, NDArray[np.int64]]:
        _, of_whole, of_passage = self.model.mix[head].tolist()
        chosen = self.strongest[:, head]
        amounts = np.where(chosen[self.whole.unit] < 0, of_whole + of_passage, of_whole) * values[0]
        shown = places[0].copy()
        # What stands in the strongest passage stands in the whole too: find it there, add to it, and show it where the passage has it.
        owner = passages.message[self.passages.unit]
        its = np.flatnonzero(chosen[owner] == self.passages.unit)
        entry = np.searchsorted(_pair(self.whole.unit, self.whole.row), _pair(owner[its], self.passages.row[its]))
        amounts[entry] += of_passage * values[1][its]
        shown[entry] = places[1][its]
        return amounts * self.model.weights[self.whole.row, head], shown

    def _evidence(self, row: int, amount: float, start: int, stop: int) -> Evidence:
        name = self.model.names[row]
        explain = self.tactic_set.explain.get(name[7:], "") if name.startswith("tactic:") else ""
        return Evidence(name, amount, self.folded.raw_span(start, stop) if stop > start else None, explain)

    def verdict_of(self, message: int, evidence: bool = True) -> Verdict:
        """The record for one message of the batch; its evidence is of the head that decided."""
        head = 1 if self.verdict[message] == _OTHER else 0
        return Verdict(
            scam_score=float(self.outcome[message, 0]),
            scam_verdict=VERDICTS[self.verdict[message]],
            scam_type=TYPES[self.type[message]],
            probabilities=dict(zip(TYPES, self.probabilities(message).tolist(), strict=True)),
            tactics=self.tactics[message],
            evidence=tuple(self.contributions(message, head, EVIDENCE_ITEMS)[1]) if evidence else (),
            status=STATUS[self.status[message]],
            reason=REASONS[self.reason[message]],
            model=self.model.id,
        )


def _pair(unit: NDArray[np.int64], row: NDArray[np.int64]) -> NDArray[np.int64]:
    return (unit << grams.SLOT_BITS) | row


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
        return self.scan([text]).verdict_of(0)

    def score_batch(self, texts: Sequence[str], evidence: bool = False) -> list[Verdict]:
        """Score messages in their order; each gets the verdict it would get alone."""
        parts = (self.scan(texts[i : i + BATCH]) for i in range(0, len(texts), BATCH))
        return [part.verdict_of(k, evidence) for part in parts for k in range(len(part))]

    def scan(self, texts: Sequence[str]) -> Scored:
        """Score a batch and keep all that was found; `Scored` gives verdicts, arrays and contributions from it."""
        folded = fold(texts)
        hits, views = extract(folded, self._tactics)
        at = self.model.locate(views)
        whole = self.model.collect(at, unit_of_message(folded, at))
        raw = self.model.logits(whole, len(folded), OUTCOME_HEADS)
        parts, best, which = self._strongest(folded, at)
        logits = mixed(self.model.mix, raw, best)
        outcome = outcomes(logits)
        reason = _reasons(folded)
        verdict = self._decide(outcome, reason)
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
            logits,
            outcome,
            verdict,
            self._types(whole, outcome, verdict),
            reason,
            status,
        )

    def _strongest(self, folded: Folded, at: Occurrences) -> tuple[Found, Floats, NDArray[np.int64]]:
        """The features of the passages, and of each message the strongest passage: its logits and which it is."""
        passages = passages_of(folded)
        found = self.model.collect(at, unit_of_passage(passages, at))
        logits = self.model.logits(found, len(passages.message), OUTCOME_HEADS)
        return found, *strongest(logits, passages.message, len(folded))

    def _decide(self, outcome: Floats, reason: NDArray[np.int64]) -> NDArray[np.int64]:
        """A cut-off for each kind of fraud, and a lower one for their sum, from which it is not called legit."""
        cut = self.model.cutoffs
        conditions = [outcome[:, 0] >= cut.impersonation, outcome[:, 1] >= cut.other_fraud, outcome[:, 2] <= 1 - cut.unsure]
        verdict = np.select(conditions, [_IMPERSONATION, _OTHER, _UNSURE], _FINE)
        limited = (reason == _NO_CHINESE) | (reason == _TOO_SHORT) | ((reason == _NOT_READ) & (verdict == _FINE))
        return np.where(limited, _UNSURE, verdict)

    def _types(self, found: Found, outcome: Floats, verdict: NDArray[np.int64]) -> NDArray[np.int64]:
        """The likeliest type within what the verdict says; of an unsure one, the likeliest of all."""
        likeliest = np.where(verdict == _UNSURE, outcome.argmax(axis=1), np.array([0, 1, 0, 2])[verdict])
        out = len(IMPERSONATION) - 1 + likeliest
        imp = np.flatnonzero(likeliest == 0)
        if len(imp):
            out[imp] = self.model.logits(found.only(imp), len(imp), KIND_HEADS).argmax(axis=1)
        return out


def unit_of_message(folded: Folded, at: Occurrences) -> NDArray[np.int64]:
    """The message of each occurrence."""
    return folded.message_of[at.start].astype(np.int64)


def unit_of_passage(passages: Passages, at: Occurrences) -> NDArray[np.int64]:
    """The passage of each occurrence; -1 for one that crosses into another, or stands for the whole text."""
    unit = np.full(len(at.row), -1, dtype=np.int64)
    if len(passages.message):
        some = np.flatnonzero((passages.of[at.start] >= 0) & (at.stop > at.start))
        first, last = passages.of[at.start[some]], passages.of[at.stop[some] - 1]
        unit[some] = np.where(first == last, first, -1)
    return unit


def _reasons(folded: Folded) -> NDArray[np.int64]:
    """int64 [m], indices into REASONS: what in the text itself limits the verdict."""
    han = np.bincount(folded.message_of[is_han(folded.codes)], minlength=len(folded))
    size = np.diff(folded.bounds) - PADS
    reason = np.where(han < MIN_HAN, np.where((han == 0) & (size > 0), _NO_CHINESE, _TOO_SHORT), _OK)
    return np.where(folded.truncated, _NOT_READ, reason)
