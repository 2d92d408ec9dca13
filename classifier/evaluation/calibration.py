"""Do the probabilities mean what they say? Reliability, Brier score and calibration error on held-out texts.

Owns the measure. Calibration and cut-offs of each model come from its own folds only, none of which holds what it is measured on.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..corpus import Example, read
from ..markdown import table
from ..records import IMPERSONATION
from .held_out import held_out

_BINS = 10
_LENGTHS = ((0, 25), (26, 45), (46, 90), (91, 200), (201, 10**9))  # characters

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def evaluate(directory: Path) -> str:
    """The section of the card. Raises InputError for a corpus that cannot be used."""
    examples: list[Example] = []
    scores = []
    for classifier, unseen in held_out(read(directory)):
        examples += unseen
        texts = [e.text for e in unseen]
        scores += [scored.outcome[:, 0] for scored in classifier.scans(texts)]
    return section(examples, np.concatenate(scores))


def section(examples: Sequence[Example], score: Floats) -> str:
    """Markdown, given the probability of impersonation of each example."""
    true = np.array([e.type in IMPERSONATION for e in examples])
    size, channel = np.array([len(e.text) for e in examples]), np.array([e.channel for e in examples])
    slices: dict[str, Bools] = {"all": np.ones(len(true), dtype=bool)}
    slices |= {name: channel == name for name in sorted(set(channel.tolist()))}
    slices |= {f"{a} to {b} characters" if b < 10**9 else f"over {a - 1} characters": (size >= a) & (size <= b) for a, b in _LENGTHS}
    return "\n\n".join(
        [
            "## Probabilities",
            "`scam_score` of texts by models trained, calibrated and given their cut-offs on the other folds, at the corpus's prior. "
            "Reproduce: `scamcall evaluate calibration`.",
            table(
                ("texts", "count", "impersonation", "mean score", "Brier score", "expected calibration error"),
                (_row(*s, score, true) for s in slices.items()),
            ),
            table(("scam_score", "texts", "mean score", "share that is impersonation"), _reliability(score, true)),
        ]
    )


def _row(name: str, mine: Bools, score: Floats, true: Bools) -> tuple[object, ...]:
    s, t = score[mine], true[mine]
    if not len(s):
        return (name, 0, "–", "–", "–", "–")
    return (name, len(s), *(f"{x:.3f}" for x in (t.mean(), s.mean(), np.mean((s - t) ** 2), calibration_error(s, t))))


def calibration_error(score: Floats, true: Bools) -> float:
    """Expected calibration error over ten bins of equal width (Naeini, Cooper and Hauskrecht 2015)."""
    bins = np.minimum((score * _BINS).astype(int), _BINS - 1)
    return float(sum(abs(score[m].mean() - true[m].mean()) * m.mean() for k in range(_BINS) if (m := bins == k).any()))


def _reliability(score: Floats, true: Bools) -> list[tuple[object, ...]]:
    bins = np.minimum((score * _BINS).astype(int), _BINS - 1)
    return [
        (f"{k / _BINS:.1f} to {(k + 1) / _BINS:.1f}", int(m.sum()), f"{score[m].mean():.3f}", f"{true[m].mean():.3f}")
        for k in range(_BINS)
        if (m := bins == k).any()
    ]
