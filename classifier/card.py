"""The card of a model: what it was made from, and what was measured, in figures with how to reproduce them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from .corpus import Example
from .records import IMPERSONATION, TYPES
from .train import FALSE_ALARMS, FOLDS, UNSURE_SHARE, Trained, figures

_LENGTHS = ((0, 25), (26, 45), (46, 90), (91, 200), (201, 10**9))
_BINS = 10


def write_card(trained: Trained, examples: Sequence[Example], path: Path) -> None:
    """Write the card as Markdown."""
    path.write_text(card(trained, examples), encoding="utf-8")


def card(trained: Trained, examples: Sequence[Example]) -> str:
    """The card's text; the same training gives the same text."""
    p, model = trained.out_of_fold, trained.model
    kinds = np.array([TYPES.index(e.type) for e in examples])
    score = p[:, : len(IMPERSONATION)].sum(axis=1)
    cut = model.cutoffs
    alarm = (score >= cut.impersonation) | (p[:, -2] >= cut.other_fraud)
    warned = alarm | (1 - p[:, -1] >= cut.unsure)
    total = figures(p, kinds, model.cutoffs)
    parts = [
        f"# Model {model.id}",
        "Impersonation fraud in Chinese messages and calls. Linear, nested logistic regression over named features; weights are data.",
        "## Data",
        _table(("type", "texts"), Counter(e.type for e in examples).most_common()),
        f"{len(examples)} texts in {len({e.group for e in examples})} groups; SHA-256 of the data `{model.manifest['data'][:16]}…`; "
        f"{len(model.keys)} features; prior of impersonation {model.manifest['prior']:.3f} (as in the data).",
        f"## On {FOLDS} grouped folds",
        "Near-copies and twins are never divided. Reproduce: `scamcall train`.",
        _table(("figure", "value"), [(k, f"{v:.4f}") for k, v in total.items()]),
        f"Cut-offs: impersonation from {cut.impersonation:.4f}, other fraud from {cut.other_fraud:.4f} (together at most {FALSE_ALARMS:.1%} of "
        f"ordinary legit texts), unsure from {cut.unsure:.4f} of any fraud (at most {UNSURE_SHARE:.0%} of them). Ordinary: neither written as "
        "a twin of a scam nor about scams.",
        "### By type",
        _table(("type", "texts", "called fraud", "unsure", "median score"), _by_type(examples, kinds, score, alarm, warned)),
        "### By channel and length",
        _table(("slice", "texts", "recall", "false alarms"), _slices(examples, kinds, alarm)),
        "### Reliability",
        f"Calibrated by Platt's scaling on the same folds; expected calibration error {_calibration_error(score, kinds < len(IMPERSONATION)):.4f}.",
        _table(("scam_score", "texts", "mean score", "share that is impersonation"), _reliability(score, kinds < len(IMPERSONATION))),
    ]
    return "\n\n".join(parts) + "\n"


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _share(mask: np.ndarray) -> str:
    return f"{100 * mask.mean():.1f}%" if len(mask) else "–"


def _by_type(examples: Sequence[Example], kinds: np.ndarray, score: np.ndarray, alarm: np.ndarray, warned: np.ndarray) -> list[tuple[object, ...]]:
    legit = kinds == len(TYPES) - 1
    ordinary, twin = np.array([e.ordinary for e in examples]), np.array([e.twin for e in examples])
    slices = {name: kinds == k for k, name in enumerate(TYPES)}
    slices |= {"legit: ordinary": ordinary, "legit: twins of scams": legit & twin, "legit: about scams": legit & ~ordinary & ~twin}
    return [
        (name, int(m.sum()), _share(alarm[m]), _share((warned & ~alarm)[m]), f"{np.median(score[m]):.3f}") for name, m in slices.items() if m.any()
    ]


def _slices(examples: Sequence[Example], kinds: np.ndarray, alarm: np.ndarray) -> list[tuple[object, ...]]:
    imp, legit = kinds < len(IMPERSONATION), kinds == len(TYPES) - 1
    size = np.array([len(e.text) for e in examples])
    channel = np.array([e.channel for e in examples])
    slices = {name: channel == name for name in sorted(set(channel))}
    slices |= {f"{a} to {b} characters" if b < 10**9 else f"over {a - 1} characters": (size >= a) & (size <= b) for a, b in _LENGTHS}
    return [(name, int(m.sum()), _share(alarm[m & imp]), _share(alarm[m & legit])) for name, m in slices.items()]


def _reliability(score: np.ndarray, positive: np.ndarray) -> list[tuple[object, ...]]:
    bins = np.minimum((score * _BINS).astype(int), _BINS - 1)
    return [
        (f"{k / _BINS:.1f} to {(k + 1) / _BINS:.1f}", int(m.sum()), f"{score[m].mean():.3f}", f"{positive[m].mean():.3f}")
        for k in range(_BINS)
        if (m := bins == k).any()
    ]


def _calibration_error(score: np.ndarray, positive: np.ndarray) -> float:
    bins = np.minimum((score * _BINS).astype(int), _BINS - 1)
    return float(sum(abs(score[m].mean() - positive[m].mean()) * m.mean() for k in range(_BINS) if (m := bins == k).any()))
