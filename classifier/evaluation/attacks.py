"""What disguise costs: recall and false alarms on texts of the corpus, as they are and disguised, by models that never saw them.

Owns the measure and what is asked of it. The disguises are those of `disguises`.
"""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..classify import Classifier
from ..corpus import Example, read
from ..markdown import percent, table
from ..records import IMPERSONATION
from .disguises import ATTACKS, Attack, padding
from .held_out import held_out

PER_FOLD = 500  # messages of each side
ASKED = {"one": 0.05, "several": 0.10, "padding": 0.10}  # of recall, the most that may be lost
_IMPERSONATION, _ANY_FRAUD = 0, 1  # verdicts up to which a text of that side counts as called


def evaluate(directory: Path) -> str:
    """The section of the card: by family and strength, recall lost and false alarms. Raises InputError for a corpus that cannot be used."""
    rows = measured(read(directory))
    return "\n\n".join(
        [
            "## Disguise",
            f"Of each fold {PER_FOLD} messages of impersonation and as many legit ones, called by a model of the other folds at its own cut-offs, as "
            "they are and disguised; of each row only texts that the disguise changes. One reading: undone by folding; several: read by sound, "
            "shape or a lexicon. Asked: of recall at most 5 points lost where there is one reading, 10 elsewhere; false alarms at most doubled. "
            "Reproduce: `scamcall evaluate attacks`.",
            table(("family", "readings", "strength", "texts changed", "recall", "lost", "false alarms", "kept"), map(_row, rows)),
        ]
    )


class Measure:
    """One family at one strength: for each text whether it was called, as it was and disguised, and whether the disguise changed it."""

    def __init__(self, attack: Attack, strength: float) -> None:
        self.attack, self.strength = attack, strength
        self._fraud: list[tuple[bool, bool, bool]] = []
        self._legit: list[tuple[bool, bool, bool]] = []

    def add(self, fraud: bool, plain: Sequence[bool], disguised: Sequence[bool], changed: Sequence[bool]) -> None:
        """More texts of one side."""
        (self._fraud if fraud else self._legit).extend(zip(plain, disguised, changed, strict=True))

    def shares(self, fraud: bool) -> tuple[float, float, float]:
        """(called as they were, called disguised, changed), shares of the texts of one side that the disguise changes; and their share of all."""
        side = np.array(self._fraud if fraud else self._legit, dtype=bool).reshape(-1, 3)
        mine = side[side[:, 2]]
        return (float(mine[:, 0].mean()), float(mine[:, 1].mean()), float(side[:, 2].mean())) if len(mine) else (0.0, 0.0, 0.0)

    @property
    def kept(self) -> bool:
        """Is what is asked of it kept? Of false alarms, two more than twice as many are left to chance."""
        before, after, _ = self.shares(True)
        wrong, now, changed = self.shares(False)
        return before - after <= ASKED[self.attack.readings] and now <= 2 * wrong + 2 / max(1, changed * len(self._legit))


def measured(examples: Sequence[Example]) -> list[Measure]:
    """All families at both strengths, over all folds."""
    messages = [e for e in examples if not e.turns]
    around = [e.text for e in messages if e.ordinary and 20 <= len(e.text) <= 120]
    measures = [Measure(attack, strength) for attack in (*ATTACKS, padding(around)) for strength in attack.strengths]
    for classifier, unseen in held_out(examples):
        for fraud, texts in _sides(unseen):
            plain = called(classifier, texts, fraud)
            for measure in measures:
                disguised = [disguise(measure.attack, text, measure.strength) for text in texts]
                changed = [a != b for a, b in zip(texts, disguised, strict=True)]
                measure.add(fraud, plain.tolist(), called(classifier, disguised, fraud).tolist(), changed)
    return measures


def disguise(attack: Attack, text: str, strength: float) -> str:
    """The text disguised; the same text always in the same way."""
    return attack.disguise(text, random.Random(f"{attack.name} {strength} {text}"), strength)


def _sides(examples: Sequence[Example]) -> Iterator[tuple[bool, list[str]]]:
    chance = random.Random(5)
    messages = [e for e in examples if not e.turns]
    for fraud in (True, False):
        side = [e.text for e in messages if (e.type in IMPERSONATION if fraud else e.type == "legit")]
        yield fraud, chance.sample(side, min(PER_FOLD, len(side)))


def called(classifier: Classifier, texts: Sequence[str], fraud: bool) -> NDArray[np.bool_]:
    """bool, parallel to `texts`: called impersonation (of frauds), called any fraud (of legit texts)."""
    verdicts = np.concatenate([scored.verdict for scored in classifier.scans(texts)])
    out: NDArray[np.bool_] = verdicts <= (_IMPERSONATION if fraud else _ANY_FRAUD)
    return out


def _row(measure: Measure) -> tuple[str, ...]:
    before, after, changed = measure.shares(True)
    wrong, now, _ = measure.shares(False)
    name, readings = measure.attack.name, measure.attack.readings
    recall, alarms = f"{percent(before)} → {percent(after)}", f"{percent(wrong)} → {percent(now)}"
    lost = f"{100 * (before - after):+.1f}"
    return (name, readings, f"{measure.strength:g}", percent(changed), recall, lost, alarms, "yes" if measure.kept else "no")
