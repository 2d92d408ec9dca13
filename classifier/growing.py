"""A text that grows line by line, scored after every line as `classify` scores it whole, to rounding, at a cost that does not grow.

Owns what has to be kept of a text to go on with it. Knows nothing of calls or of who speaks. A feature counts once in a text, so the
whole is kept as sums (`model.Sums`); with a new line only the lines before it are read again that a feature or the open passage can
reach into. This rests on folding, terms and tactics staying within a line, and on what joins lines (n-grams, pairs of terms) reaching
no further than REACH of them; the tests hold the rooms below to that.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .classify import REASONS, STATUS, Classifier, Scored, likeliest_outcome, reasons, signs, unit_of_passage
from .features import GROUPS, LINE_BREAK, form_amounts, form_keys, sequence_keys, tactic_keys
from .grams import Keys
from .model import KIND_HEADS, OUTCOME_HEADS, Floats, Found, Occurrences, blends, kinds, mixed, outcomes, probabilities
from .normalise import MAX_CHARS, PADS, is_han, is_rare
from .passages import LONGEST, Passages, stop_of
from .records import IMPERSONATION, TYPES, VERDICTS, Evidence, Verdict
from .turns import transcript

REACH = 7  # lines read again: what joins lines spans twelve characters between two terms, and every line that is kept has one and its end
MAX_LINE = MAX_CHARS // 4  # code points of a line that are read; of lines read again twice as many, beyond which the reach is cut short
EVIDENCE_ITEMS = 5  # a line
_FORM = GROUPS.index("form")

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Grown:
    """What a new line brought, to several texts at once.

    tactics   names of the fraud tactics in it
    evidence  of the first text: what in the line was not there before and weighs most, strongest first; contributions are those of
              `Scored.contributions` for the text as it now is, spans in code points of the line
    """

    tactics: tuple[str, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class _Line:
    """A line by itself: its words, how many folded characters, Chinese ones and rare ones it has, what it adds to counts over the text, its
    tactics in order, whether it is about fraud."""

    words: str
    size: int
    han: int
    rare: int
    amounts: Ints
    tactics: Keys
    signs: NDArray[np.bool_]
    repaired: bool


@dataclass(frozen=True)
class _Step:
    """A line added to a text.

    begin, end  the line's folded characters in the batch
    origin      where its words begin in the raw text that was read, in code points
    new         int64, sorted: features that were not in the text before
    passage     (occurrence, which of the passages that were read it stands in), of those that stand in one
    strongest   by head: which of these is the strongest of all; -1 where it is one closed before, or there is but one passage
    """

    begin: int
    end: int
    origin: int
    new: Ints
    passage: tuple[Ints, NDArray[np.int32]]
    strongest: tuple[int, ...]


class GrowingText:
    """A text without lines yet; `grow` adds one. `verdict` is what is said of it at any time, without tactics and evidence.

    It differs from `Classifier.score` where that stops reading, beyond MAX_CHARS, and where the lines to be read again have more than
    2 MAX_LINE code points, nearly all of which must be invisible for that.
    """

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._model = classifier.model
        self._sums = classifier.model.sums()
        self._lines: deque[tuple[str, int]] = deque()  # to be read again: each with its label, and the folded characters before it
        self._size = 0  # folded characters
        self._open = 0  # of these, how many stand before the passage that is not closed yet
        self._closed = np.full((1, len(OUTCOME_HEADS)), -np.inf)  # logits of the strongest closed passage
        self._han = self._rare = 0
        self._amounts = np.zeros_like(LINE_BREAK)
        self._last_tactic: Keys = np.zeros(0, dtype=np.uint64)
        self._signs = np.zeros((1, 3), dtype=bool)
        self._repaired = self._truncated = False
        self.verdict = self._judge(self._closed)

    def _with(self, words: str) -> str:
        """What is read to add a line: it, and lines before it."""
        return "\n".join([*(line for line, _ in self._lines), _labelled(words)])

    def _add(self, line: _Line, scored: Scored, k: int, truncated: bool) -> _Step:
        """Add a line whose `_with` is message k of the batch."""
        at, end = scored.at, int(scored.folded.bounds[k + 1]) - PADS
        self._amounts = self._amounts + line.amounts + (LINE_BREAK if self._lines else 0)
        start = self._size + (1 if self._lines else 0)
        self._size = start + line.size
        shift = end - self._size  # from a place in the text to its place in the batch
        mine = np.flatnonzero((at.start >= scored.folded.bounds[k]) & (at.start < end))
        counted = at.row[mine][self._model.group[at.row[mine]] != _FORM]
        new = self._sums.add(np.concatenate([counted, self._sequence(line.tactics)]))
        self._han += line.han
        self._rare += line.rare
        self._signs = self._signs | line.signs
        self._repaired |= line.repaired
        self._truncated |= truncated

        passage, logits = self._passages(scored, shift)
        strongest = tuple(_first_above(logits[:, head], self._closed[0, head]) for head in OUTCOME_HEADS)
        best = np.concatenate([self._closed, logits]).max(axis=0, keepdims=True)
        self._closed = np.concatenate([self._closed, logits[:-1]]).max(axis=0, keepdims=True)
        step = _Step(start + shift, end, len(self._with(line.words)) - len(line.words), new, passage, strongest)
        self._lines.append((_labelled(line.words), start))
        self._forget()
        self.verdict = self._judge(best)
        return step

    def _sequence(self, tactics: Keys) -> NDArray[np.int32]:
        """The feature of this line's first tactic after the last one before it, however far back that was."""
        before = self._last_tactic
        self._last_tactic = tactics[-1:] if len(tactics) else before
        joined = sequence_keys(before, tactics[:1]) if len(before) and len(tactics) and before[0] != tactics[0] else tactics[:0]
        return self._model.rows(joined)[1]

    def _passages(self, scored: Scored, shift: int) -> tuple[tuple[Ints, NDArray[np.int32]], Floats]:
        """(occurrence, its passage), from the open one on, and the logits of each passage; the last is open."""
        edges = [self._open]
        while self._size > LONGEST and edges[-1] < self._size:
            edges.append(stop_of(scored.folded.joined, edges[-1] + shift, self._size + shift, lines=False) - shift)
        self._open = edges[-2] if len(edges) > 1 else 0
        ends = np.array(edges, dtype=np.int64) + shift
        passages = Passages(ends[:-1], ends[1:], np.zeros(len(edges) - 1, dtype=np.int64))
        some, unit = unit_of_passage(passages, scored.at)
        return (some, unit), self._model.logits(self._model.collect(scored.at.row[some], unit), len(passages), OUTCOME_HEADS)

    def _forget(self) -> None:
        """Lines that nothing reaches into any more; and more, where what is invisible makes the others longer than can be read."""
        while len(self._lines) > REACH and self._lines[1][1] <= self._open:
            self._lines.popleft()
        while sum(len(line) for line, _ in self._lines) > 2 * MAX_LINE + 2 * len(_labelled("")):
            self._lines.popleft()
            self._open = max(self._open, self._lines[0][1])

    def _judge(self, best: Floats) -> Verdict:
        """The verdict, given the logits of the strongest passage."""
        form = self._model.rows(form_keys(self._amounts[:, None])[0])[1]
        whole = self._sums.logits(form)[None]
        self._blend = blends(self._model.mix, whole[:, OUTCOME_HEADS], best)
        logits = mixed(self._blend, whole[:, OUTCOME_HEADS], best)
        outcome, shown = outcomes(logits), self._model.shown(logits)
        reason = reasons(np.array([self._han]), np.array([self._rare]), self._amounts[:1], np.array([self._truncated]))
        verdict, reason = self._classifier.decide(outcome, reason, self._signs)
        kind = kinds(whole[:, KIND_HEADS])
        likeliest = int(likeliest_outcome(outcome, verdict)[0])
        return Verdict(
            scam_score=float(shown[0, 0]),
            scam_verdict=VERDICTS[verdict[0]],
            scam_type=TYPES[int(kind[0].argmax()) if likeliest == 0 else len(IMPERSONATION) - 1 + likeliest],
            probabilities=dict(zip(TYPES, probabilities(shown, kind)[0].tolist(), strict=True)),
            status=STATUS[2 if self._truncated else int(self._repaired)],
            reason=REASONS[reason[0]],
            model=self._model.id,
        )

    def _evidence(self, step: _Step, scored: Scored) -> tuple[Evidence, ...]:
        """Of the head that decided: what stands in the line and was not in the text before, or not in its strongest passage."""
        head = 1 if self.verdict.scam_verdict == "other_fraud" else 0
        _, of_whole, of_passage = self._blend[0, head].tolist()
        at, chosen = scored.at, step.strongest[head]
        inside = (at.start >= step.begin) & (at.stop > at.start) & (at.stop <= step.end)
        found, places = self._first_places(at, np.flatnonzero(inside))
        rows = found.row
        amounts = of_whole * self._sums.values(rows)
        moved = np.isin(rows, step.new)
        if chosen >= 0:
            some, passage = step.passage
            part, place = self._first_places(at, some[passage == chosen])
            first = at.start[place]
            its, mine = np.isin(part.row, rows), np.isin(rows, part.row)
            amounts[mine] += of_passage * self._model.values(part)[its]
            moved[mine] |= first[its] >= step.begin
        amounts *= self._model.weights[rows, head]
        top = np.flatnonzero(moved)
        top = top[np.argsort(-np.abs(amounts[top]), kind="stable")[:EVIDENCE_ITEMS]]
        items = zip(rows[top].tolist(), amounts[top].tolist(), at.start[places[top]].tolist(), at.stop[places[top]].tolist(), strict=True)
        return tuple(_shifted(scored.evidence(*item), step.origin) for item in items)

    def _first_places(self, at: Occurrences, some: Ints) -> tuple[Found, Ints]:
        """The features of some occurrences, and of each the first of these."""
        unit = np.zeros(len(some), dtype=np.int32)
        return self._model.collect(at.row[some], unit), self._model.places(at, some, unit)


def grow(texts: Sequence[GrowingText], words: str) -> Grown | None:
    """Add one line to texts of one classifier. None, and they stay as they are, where nothing in it can be read."""
    cut = words[:MAX_LINE].replace("\n", " ")
    scored = texts[0]._classifier.scan([*(text._with(cut) for text in texts), _labelled(cut)])
    line = _alone(scored, len(texts), cut)
    if line is None:
        return None
    steps = [text._add(line, scored, k, len(words) > MAX_LINE) for k, text in enumerate(texts)]
    return Grown(scored.tactics[-1], texts[0]._evidence(steps[0], scored))


def _labelled(words: str) -> str:
    """A line with a label that is always seen and cut out, so that nothing in its words is taken for one; the space is for words like //."""
    return transcript([("A", f" {words}")])


def _alone(scored: Scored, k: int, words: str) -> _Line | None:
    folded, hits = scored.folded, scored.hits
    codes = folded.codes[folded.bounds[k] : folded.bounds[k + 1] - PADS]
    if np.isin(codes, (ord(" "), ord("\n"))).all():
        return None
    mine = hits.message == k
    found = signs(scored.tactic_set, hits, len(scored))[k : k + 1]
    tactics = tactic_keys(scored.tactic_set, hits.tactic[mine], hits.negated[mine])
    han, rare = int(is_han(codes).sum()), int(is_rare(codes).sum())
    return _Line(words, len(codes), han, rare, form_amounts(folded)[:, k], tactics, found, bool(folded.repaired[k]))


def _first_above(logits: Floats, bound: float) -> int:
    """Which is the largest, where it is above a bound; else -1."""
    return int(logits.argmax()) if len(logits) and logits.max() > bound else -1


def _shifted(evidence: Evidence, origin: int) -> Evidence:
    return replace(evidence, span=(evidence.span[0] - origin, evidence.span[1] - origin)) if evidence.span else evidence
