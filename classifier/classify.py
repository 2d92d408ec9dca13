"""The whole pass on one page: messages in, verdicts out.

    fold -> tokenise -> find tactics -> extract features -> look up weights -> probabilities -> verdict, evidence

Owns the order of the rooms and the rule that makes a verdict of probabilities. A batch is scored exactly as its messages one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .features import View, extract
from .model import Floats, Found, Model, probabilities
from .normalise import PADS, Folded, fold, is_han
from .records import IMPERSONATION, TYPES, VERDICTS, Evidence, Verdict
from .tactics import Hits, TacticSet, load_tactics
from .tokenise import tokenise

MIN_HAN = 4  # Chinese characters below which nothing can be said: "好的", a lone link, a code
EVIDENCE_ITEMS = 12  # what a reader takes in at a glance; `Scored.contributions` has them all
_FRAUD, _LEGIT = slice(0, 7), TYPES.index("legit")
_IMPERSONATION, _OTHER, _UNSURE, _FINE = range(len(VERDICTS))

REASONS = ("", "没有中文文字，无法判断", "中文文字太少，无法判断", "文字过长，只读了开头部分，无法保证其余内容正常")
_OK, _NO_CHINESE, _TOO_SHORT, _NOT_READ = range(len(REASONS))
STATUS = ("ok", "repaired", "truncated")


@dataclass(frozen=True)
class Scored:
    """A batch with all that was found out about it; arrays have one entry a message.

    probabilities  float64 [m, 8], columns TYPES
    verdict, type  int64: indices into VERDICTS and TYPES
    reason, status int64: indices into REASONS and STATUS
    """

    model: Model
    tactic_set: TacticSet
    folded: Folded
    views: Sequence[View]
    hits: Hits
    found: Found
    logits: Floats
    probabilities: Floats
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

    def contributions(self, message: int, head: int = 0) -> tuple[float, list[Evidence]]:
        """The bias of a head and every feature's exact contribution to its logit, strongest first: they sum to `logits[message, head]`."""
        mine = np.flatnonzero(self.found.message == message)
        row = self.found.row[mine]
        amount = self.model.weights[row, head].astype(np.float64) * self.found.value[mine]
        spans = self._spans(message)
        explain = {t.name: t.explain for t in self.tactic_set.tactics}
        out = []
        for k in np.argsort(-np.abs(amount), kind="stable").tolist():
            name = self.model.names[row[k]]
            group, _, rest = name.partition(":")
            text = explain.get(rest, "") if group == "tactic" else ""
            out.append(Evidence(name, float(amount[k]), spans.get(int(row[k])), text))
        return float(self.model.bias[head]), out

    def _spans(self, message: int) -> dict[int, tuple[int, int]]:
        """Raw span of the first occurrence of each feature in a message; features of the whole text have none."""
        first, last = int(self.folded.bounds[message]), int(self.folded.bounds[message + 1])
        spans: dict[int, tuple[int, int]] = {}
        for view in self.views:
            inside = np.flatnonzero((view.start >= first) & (view.start < last) & (view.stop > view.start))
            at, row = self.model.rows(view.keys[inside])
            for k, r in zip(inside[at].tolist(), row.tolist(), strict=True):
                spans.setdefault(r, self.folded.raw_span(int(view.start[k]), int(view.stop[k])))
        return spans

    def verdict_of(self, message: int, evidence: bool = True) -> Verdict:
        """The record for one message of the batch."""
        p = self.probabilities[message]
        items: tuple[Evidence, ...] = ()
        if evidence:
            head = 1 if self.verdict[message] == _OTHER else 0
            items = tuple(self.contributions(message, head)[1][:EVIDENCE_ITEMS])
        return Verdict(
            scam_score=float(1 - p[6] - p[7]),
            scam_verdict=VERDICTS[self.verdict[message]],
            scam_type=TYPES[self.type[message]],
            probabilities=dict(zip(TYPES, p.tolist(), strict=True)),
            tactics=self.tactics[message],
            evidence=items,
            status=STATUS[self.status[message]],
            reason=REASONS[self.reason[message]],
            model=self.model.id,
        )


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
        scored = self.scan(texts)
        return [scored.verdict_of(k, evidence) for k in range(len(scored))]

    def scan(self, texts: Sequence[str]) -> Scored:
        """Score a batch and keep all that was found; `Scored` gives verdicts, arrays and contributions from it."""
        folded = fold(texts)
        tokens = tokenise(folded)
        hits = self._tactics.find(folded)
        views = extract(folded, tokens, hits, self._tactics)
        found = self.model.find(folded, views)
        logits = self.model.logits(found, len(folded))
        p = probabilities(logits)
        reason = _reasons(folded)
        verdict, kind = self._decide(p, reason)
        status = np.where(folded.truncated, 2, folded.repaired.astype(np.int64))
        return Scored(self.model, self._tactics, folded, views, hits, found, logits, p, verdict, kind, reason, status)

    def _decide(self, p: Floats, reason: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(verdict, type): one cut-off above which it is fraud, one above which it is not called legit; between them, unsure."""
        cut = self.model.cutoffs
        fraud = 1 - p[:, _LEGIT]
        imp = fraud - p[:, 6]
        called = np.where(imp >= p[:, 6], _IMPERSONATION, _OTHER)
        verdict = np.where(fraud >= cut.fraud, called, np.where(fraud >= cut.unsure, _UNSURE, _FINE))
        limited = (reason == _NO_CHINESE) | (reason == _TOO_SHORT) | ((reason == _NOT_READ) & (verdict == _FINE))
        verdict = np.where(limited, _UNSURE, verdict)
        kind = np.where(verdict == _IMPERSONATION, p[:, : len(IMPERSONATION)].argmax(axis=1), p.argmax(axis=1))
        kind = np.where(verdict == _OTHER, TYPES.index("other_fraud"), np.where(verdict == _FINE, _LEGIT, kind))
        return verdict, kind


def _reasons(folded: Folded) -> NDArray[np.int64]:
    """int64 [m], indices into REASONS: what in the text itself limits the verdict."""
    han = np.bincount(folded.message_of[is_han(folded.codes)], minlength=len(folded))
    size = np.diff(folded.bounds) - PADS
    reason = np.where(han < MIN_HAN, np.where((han == 0) & (size > 0), _NO_CHINESE, _TOO_SHORT), _OK)
    return np.where(folded.truncated, _NOT_READ, reason)
