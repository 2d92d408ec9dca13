"""The card of a model: what it was made from, and what was measured, in figures with how to reproduce them."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .corpus import Example
from .markdown import percent, share, table
from .model import Model
from .records import IMPERSONATION, TYPES
from .train import FALSE_ALARMS, FOLDS, UNSURE_SHARE, Trained, figures

_LENGTHS = ((0, 25), (26, 45), (46, 90), (91, 200), (201, 10**9))


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
        table(("type", "texts"), Counter(e.type for e in examples).most_common()),
        f"{len(examples)} texts in {len({e.group for e in examples})} groups; SHA-256 of the data `{model.manifest['data'][:16]}…`; "
        f"{len(model.keys)} features; prior of impersonation {model.manifest['prior']:.3f} (as in the data).",
        f"## On {FOLDS} grouped folds",
        "Near-copies and twins are never divided. Reproduce: `scamcall train`.",
        table(("figure", "value"), [(k, f"{v:.4f}") for k, v in total.items()]),
        f"Cut-offs: impersonation from {cut.impersonation:.4f}, other fraud from {cut.other_fraud:.4f} (together at most {FALSE_ALARMS:.1%} of "
        f"ordinary legit texts), unsure from {cut.unsure:.4f} of any fraud (at most {UNSURE_SHARE:.0%} of them). Ordinary: neither written as "
        "a twin of a scam nor about scams.",
        "### By type",
        table(("type", "texts", "called fraud", "unsure", "median score"), _by_type(examples, kinds, score, alarm, warned)),
        "### By channel and length",
        table(("slice", "texts", "recall", "false alarms"), _slices(examples, kinds, alarm)),
        "### Other cut-offs",
        "Chosen for another share of ordinary legit texts called fraud: `--max-false-alarms`. What each leaves, on the same folds:",
        table(("at most", "impersonation from", "other fraud from", "recall", "any warning", "false alarms, all legit texts"), _operating(model)),
    ]
    return "\n\n".join(parts) + "\n"


def with_section(card: str, section: str) -> str:
    """The card with a section, which begins with its heading, in the place of one so headed, or at its end.

    >>> with_section("# Model\\n\\n## Data\\n\\nold\\n", "## Data\\n\\nnew")
    '# Model\\n\\n## Data\\n\\nnew\\n'
    """
    sections = {part.split("\n", 1)[0]: part for part in re.split(r"\n\n(?=## )", card.rstrip("\n"))}
    return "\n\n".join((sections | {section.split("\n", 1)[0]: section}).values()) + "\n"


def _by_type(examples: Sequence[Example], kinds: np.ndarray, score: np.ndarray, alarm: np.ndarray, warned: np.ndarray) -> list[tuple[object, ...]]:
    legit = kinds == len(TYPES) - 1
    ordinary, twin = np.array([e.ordinary for e in examples]), np.array([e.twin for e in examples])
    slices = {name: kinds == k for k, name in enumerate(TYPES)}
    slices |= {"legit: ordinary": ordinary, "legit: twins of scams": legit & twin, "legit: about scams": legit & ~ordinary & ~twin}
    return [(name, int(m.sum()), share(alarm[m]), share((warned & ~alarm)[m]), f"{np.median(score[m]):.3f}") for name, m in slices.items() if m.any()]


def _slices(examples: Sequence[Example], kinds: np.ndarray, alarm: np.ndarray) -> list[tuple[object, ...]]:
    imp, legit = kinds < len(IMPERSONATION), kinds == len(TYPES) - 1
    size = np.array([len(e.text) for e in examples])
    channel = np.array([e.channel for e in examples])
    slices = {name: channel == name for name in sorted(set(channel))}
    slices |= {f"{a} to {b} characters" if b < 10**9 else f"over {a - 1} characters": (size >= a) & (size <= b) for a, b in _LENGTHS}
    return [(name, int(m.sum()), share(alarm[m & imp]), share(alarm[m & legit])) for name, m in slices.items()]


def _operating(model: Model) -> list[tuple[object, ...]]:
    return [
        (
            f"{100 * point['false_alarms_at_most']:g}%",
            f"{point['cutoffs']['impersonation']:.3f}",
            f"{point['cutoffs']['other_fraud']:.3f}",
            *(percent(point[name]) for name in ("recall", "any_warning", "false_alarms")),
        )
        for point in model.manifest["operating"]
    ]
