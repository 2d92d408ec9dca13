"""How early calls alarm, and how many genuine ones ever do.

Owns the measure. Every call of the corpus is heard turn by turn with a model trained, cut-offs and all, on the other folds only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ..calls import ALARMS, CallVerdict, listen
from ..corpus import Example, read
from ..markdown import share, table
from ..turns import side_of
from .held_out import held_out


@dataclass(frozen=True)
class Case:
    """A call of the corpus and what was said of it."""

    example: Example
    found: CallVerdict

    @property
    def known(self) -> bool:
        """Do labels say who is called?"""
        return sides_known(self.example)

    @property
    def ever(self) -> bool:
        """Did it alarm at any turn?"""
        return self.found.alarm_turn is not None

    @property
    def end(self) -> bool:
        """Would it alarm at its end?"""
        return self.found.verdict.scam_verdict in ALARMS

    @property
    def late(self) -> int:
        """Turns from the marked one to the alarm, negative before it; of a fraud that has alarmed."""
        return (self.found.alarm_turn or 0) - (self.example.alarm_turn or 0)

    @property
    def early(self) -> bool:
        """Did it alarm at the marked turn or before?"""
        return self.ever and self.late <= 0


def evaluate(directory: Path) -> str:
    """The section of the card: frauds found and when, genuine calls that alarmed. Raises InputError for a corpus that cannot be used."""
    cases, unlabelled = [], []
    for classifier, unseen in held_out(read(directory)):
        for example in (e for e in unseen if e.turns):
            cases.append(Case(example, listen(classifier, example.turns)))
            if sides_known(example):
                unlabelled.append(Case(example, listen(classifier, _without_sides(example.turns))))
    return section(cases, unlabelled)


def sides_known(example: Example) -> bool:
    """Does a label say who is called?"""
    return any(side_of(speaker) == "called" for speaker, _ in example.turns)


def _without_sides(turns: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    names: dict[str, str] = {}
    return [(names.setdefault(speaker, f"说话人{len(names) + 1}"), words) for speaker, words in turns]


def section(cases: Sequence[Case], unlabelled: Sequence[Case]) -> str:
    """Markdown; `unlabelled` are the calls with known sides, heard as if nobody knew them."""
    fraud, genuine = [c for c in cases if c.example.type != "legit"], [c for c in cases if c.example.type == "legit"]
    lost_f, lost_g = [c for c in unlabelled if c.example.type != "legit"], [c for c in unlabelled if c.example.type == "legit"]
    frauds = {
        "all": fraud,
        "impersonation": [c for c in fraud if c.example.type != "other_fraud"],
        "other fraud": [c for c in fraud if c.example.type == "other_fraud"],
        "sides known by labels: the called person's words left out": [c for c in fraud if c.known],
        "the same, heard without labels: all words count": lost_f,
        "sides unknown: all words count": [c for c in fraud if not c.known],
    }
    legit = {
        "all": genuine,
        "ordinary": [c for c in genuine if c.example.ordinary],
        "twins of scams, their openings the same": [c for c in genuine if c.example.twin],
        "about scams": [c for c in genuine if c.example.about and not c.example.twin],
        "sides known by labels": [c for c in genuine if c.known],
        "the same, heard without labels": lost_g,
        "sides unknown": [c for c in genuine if not c.known],
    }
    fell = sum(c.ever and not c.end for c in genuine)
    first = sum(c.found.alarm_turn == 1 for c in genuine)
    driven = [side_of(_label(c)) != "called" for c in lost_f if c.found.driven_by]
    return "\n\n".join(
        [
            "## Calls, turn by turn",
            f"Each of {len(cases)} calls is heard by a model that was trained on the other folds, cut-offs included. An alarm is a turn after "
            "which the verdict is fraud; the marked turn is the first at which a careful person could know, by its writer's judgement. "
            "Reproduce: `scamcall evaluate calls`.",
            table(("fraud", "calls", "alarm by the marked turn", "ever", "at the end", "median turns late"), map(_row, frauds.items())),
            table(("genuine", "calls", "ever alarm", "at the end"), map(_genuine_row, legit.items())),
            f"Of {sum(c.ever for c in genuine)} genuine calls that ever alarm, {first} do so at their first turn, and {fell} no longer at their "
            f"end. Where nobody knows who called, the speaker whose own words carry the highest risk is the caller in {share(driven)} of frauds.",
        ]
    )


def _label(case: Case) -> str:
    """What the labels call the speaker whom a call heard without them says to drive it."""
    heard = next(turn for turn in case.found.turns if turn.speaker == case.found.driven_by)
    return case.example.turns[heard.turn - 1][0]


def _row(item: tuple[str, Sequence[Case]]) -> tuple[object, ...]:
    name, cases = item
    late = [c.late for c in cases if c.ever]
    return (
        name,
        len(cases),
        share([c.early for c in cases]),
        share([c.ever for c in cases]),
        share([c.end for c in cases]),
        f"{median(late):g}" if late else "–",
    )


def _genuine_row(item: tuple[str, Sequence[Case]]) -> tuple[object, ...]:
    name, cases = item
    return name, len(cases), share([c.ever for c in cases]), share([c.end for c in cases])
