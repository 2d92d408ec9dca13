"""What a labelling run counts as it goes: the figures of its summary and of its report.

Owns the counts and how they survive an interruption. Knows nothing of files, HTML or wording. Bounded in memory whatever comes in:
of senders, days and problems only the most frequent are kept once there are very many, and of the messages the highest scores.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .records import Evidence, Labels, Row, Verdict

BINS = 20  # of the score histogram
TOP = 30  # messages kept
_EXAMPLES = 20  # rows named for what went wrong with them
_KEPT = 10_000  # entries of a counter, once it has had twice as many
_EXCERPT = 1_000  # characters of a message kept: the report quotes, it does not archive


@dataclass
class Example:
    """One of the highest scores.

    text      the beginning of the message, as it may be shown; scored: the same as it was, "" once there is evidence
    size      characters of the whole message, which score, kind and tactics are of: those of its label
    evidence  of the beginning alone; None until `Tally.explain`
    number    of its first row, in the input `where`; count: how often the same text came
    """

    text: str
    scored: str
    size: int
    score: float
    kind: str
    tactics: tuple[str, ...]
    evidence: tuple[Evidence, ...] | None
    sender: str
    time: str
    where: str
    number: int
    count: int = 1


@dataclass
class Tally:
    """Counts of a run, over all its inputs.

    model       id of the model that labels
    rows        read; written: those that were wanted
    verdicts    rows by verdict; types, tactics: of rows not called legit
    scores      rows by twentieth of the score
    days        (day, verdict) of rows that carry a time
    senders     rows called fraud, by sender
    skipped     rows left unscored on purpose, by reason; rejected: rows that could not be read, by kind of problem
    examples    the first rejected rows: (input, row number, problem)
    inputs      rows of each input; unreadable: why an input could not be read
    lost        columns a table had no room for, as they first came in late; rows in which they held something
    """

    model: str = ""
    rows: int = 0
    written: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    tactics: Counter[str] = field(default_factory=Counter)
    scores: list[int] = field(default_factory=lambda: [0] * BINS)
    days: Counter[tuple[str, str]] = field(default_factory=Counter)
    senders: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[str, int, str]] = field(default_factory=list)
    inputs: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    lost: Counter[str] = field(default_factory=Counter)
    top: dict[str, Example] = field(default_factory=dict)

    def add(
        self,
        where: str,
        rows: Sequence[Row],
        labels: Labels,
        text: Callable[[int], str],
        shown: Callable[[str], str] = str,
    ) -> None:
        """Count some rows of an input.

        text   gives what was scored of the k-th of them
        shown  gives what may be shown of such a text, as long as it is
        """
        self.rows += len(rows)
        self.inputs[where] = self.inputs.get(where, 0) + len(rows)
        scores, verdicts, types, tactics, statuses, _ = labels
        self.verdicts.update(v for v in verdicts if v is not None)
        if None in verdicts:
            self._count_unscored(where, rows)
        self.statuses.update({status: n for status, n in Counter(statuses).items() if status != "ok" and ":" not in status})
        for twentieth, count in Counter([int(s * BINS) for s in scores if s is not None]).items():
            self.scores[min(twentieth, BINS - 1)] += count
        suspect = [k for k, v in enumerate(verdicts) if v is not None and v != "legit"]
        fraud = [k for k in suspect if verdicts[k] != "unsure"]
        self.types.update(kind for kind in [types[k] for k in fraud] if kind)
        for names, count in Counter(tactics[k] for k in suspect).items():
            for name in names.split("、") if names else ():
                self.tactics[name] += count
        self.senders.update(rows[k].sender for k in fraud if rows[k].sender)
        days = Counter(zip([row.time[:10] for row in rows], verdicts, strict=True))
        self.days.update({(day, verdict): count for (day, verdict), count in days.items() if day and verdict is not None})
        for counter in (self.senders, self.days, self.skipped, self.rejected, self.lost):
            _bound(counter)
        floor = self._floor()
        for k in fraud:
            score, kind = scores[k], types[k]
            if verdicts[k] == "impersonation" and score is not None and kind and score >= floor:
                whole, names, row = text(k), tactics[k], rows[k]
                begin, seen = whole[:_EXCERPT], tuple(names.split("、")) if names else ()
                self._admit(Example(shown(begin), begin, len(whole), score, kind, seen, None, row.sender, row.time, where, row.number))
                floor = self._floor()

    def _count_unscored(self, where: str, rows: Sequence[Row]) -> None:
        for row in rows:
            if row.problem:
                self.rejected[row.problem.split(":")[0]] += 1
                if len(self.examples) < _EXAMPLES:
                    self.examples.append((where, row.number, row.problem))
            elif row.skipped:
                self.skipped[row.skipped] += 1

    def _admit(self, example: Example) -> None:
        """Keep a message where it is among the highest; the same text is kept once and counted."""
        known = self.top.get(example.text)
        if known is not None:
            known.count += example.count
            return
        if len(self.top) == TOP:
            if example.score <= self._floor():
                return
            del self.top[min(reversed(self.top), key=lambda t: self.top[t].score)]  # of equals the last to come
        self.top[example.text] = example

    def merge(self, later: "Tally") -> None:
        """Add what was counted of later rows."""
        self.rows += later.rows
        self.written += later.written
        self.scores = [mine + other for mine, other in zip(self.scores, later.scores, strict=True)]
        for name in (*_COUNTERS, "days"):
            getattr(self, name).update(getattr(later, name))
            _bound(getattr(self, name))
        self.examples = (self.examples + later.examples)[:_EXAMPLES]
        self.inputs = {where: self.inputs.get(where, 0) + later.inputs.get(where, 0) for where in {**self.inputs, **later.inputs}}
        self.unreadable |= later.unreadable
        for example in later.top.values():
            self._admit(replace(example))

    def _floor(self) -> float:
        """The score below which a message is not among the highest."""
        return min(e.score for e in self.top.values()) if len(self.top) == TOP else 0.0

    def explain(self, score: Callable[[list[str]], list[Verdict]]) -> None:
        """Find the evidence of the highest scores, so far; `score` gives verdicts, with evidence, for texts."""
        new = [e for e in self.top.values() if e.evidence is None]
        for example, verdict in zip(new, score([e.scored for e in new]) if new else [], strict=True):
            example.evidence, example.scored = verdict.evidence, ""

    def state(self) -> dict[str, Any]:
        """Everything, as plain JSON; after `explain`."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "days": [[day, verdict, count] for (day, verdict), count in self.days.items()],
            "top": [{**vars(e), "evidence": [dict(vars(reason)) for reason in e.evidence]} for e in self.top.values() if e.evidence is not None],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Tally":
        """What `state` gave, back. Raises KeyError, TypeError or ValueError where it is something else."""
        tally = cls()
        for name in _PLAIN:
            setattr(tally, name, Counter(state[name]) if name in _COUNTERS else state[name])
        tally.examples = [(where, number, problem) for where, number, problem in state["examples"]]
        tally.days = Counter({(day, verdict): count for day, verdict, count in state["days"]})
        for entry in state["top"]:
            evidence = tuple(Evidence(**{**e, "span": e["span"] and tuple(e["span"])}) for e in entry["evidence"])
            tally.top[entry["text"]] = Example(**{**entry, "tactics": tuple(entry["tactics"]), "evidence": evidence})
        return tally


_COUNTERS = ("verdicts", "types", "tactics", "senders", "statuses", "skipped", "rejected", "lost")
_PLAIN = ("model", "rows", "written", "scores", "examples", "inputs", "unreadable", *_COUNTERS)


def _bound(counter: Counter[Any]) -> None:
    """Of a counter that has grown very long, keep what is most frequent."""
    if len(counter) > 2 * _KEPT:
        kept = counter.most_common(_KEPT)
        counter.clear()
        counter.update(dict(kept))
