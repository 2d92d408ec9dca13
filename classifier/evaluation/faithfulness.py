"""Are the reasons the reasons? What is marked as evidence is cut out of the text, and the score has to fall more than by chance.

Owns the measure (comprehensiveness, DeYoung et al. 2020): the drop of the logit without the marked spans against the drop without as
many characters cut out anywhere.
"""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..classify import Classifier
from ..corpus import Example, read
from ..markdown import percent, table
from .held_out import held_out

DRAWS = 3  # random cuts of each text
_MARK = 0.05  # contribution below which nothing is marked for a reader
_SHORTEST = 20  # characters of a text that is cut


class Drop(NamedTuple):
    """What a text's logit loses without its evidence, without the same amount anywhere, and the share of the text that is."""

    evidence: float
    chance: float
    share: float
    channel: str


def evaluate(directory: Path) -> str:
    """The section of the card. Raises InputError for a corpus that cannot be used."""
    drops = [drop for classifier, unseen in held_out(read(directory)) for drop in measured(classifier, unseen)]
    channels = sorted({drop.channel for drop in drops})
    return "\n\n".join(
        [
            "## Evidence",
            "Of texts called impersonation, by models that never saw them: the logit lost when the marked spans are cut out, and when as many "
            f"characters are cut out in as many pieces at random places (mean of {DRAWS} draws). Contributions and bias sum to the logit exactly; "
            "the suite tests it. Reproduce: `scamcall evaluate faithfulness`.",
            table(
                ("texts", "count", "of the text marked", "lost without it", "lost at random", "evidence loses more in"),
                [_row(name, [d for d in drops if name in ("all", d.channel)]) for name in ("all", *channels)],
            ),
        ]
    )


def _row(name: str, drops: Sequence[Drop]) -> tuple[object, ...]:
    evidence, chance = np.array([d.evidence for d in drops]), np.array([d.chance for d in drops])
    share = percent(float(np.mean([d.share for d in drops])))
    return (name, len(drops), share, f"{evidence.mean():.2f}", f"{chance.mean():.2f}", percent(float((evidence > chance).mean())))


def measured(classifier: Classifier, examples: Sequence[Example]) -> list[Drop]:
    """The drops of those that are called impersonation and of which not all is marked."""
    texts = [e for e in examples if len(e.text) >= _SHORTEST]
    verdicts = classifier.score_batch([e.text for e in texts], evidence=True)
    drops = []
    for example, verdict in zip(texts, verdicts, strict=True):
        spans = [e.span for e in verdict.evidence if e.span and e.contribution > _MARK]
        marked = np.zeros(len(example.text), dtype=bool)
        for start, end in spans:
            marked[start:end] = True
        if verdict.scam_verdict != "impersonation" or not marked.any() or marked.mean() > 0.6:
            continue
        cuts = [marked, *(_elsewhere(marked, random.Random(f"{draw} {example.id}")) for draw in range(DRAWS))]
        logits = classifier.scan([example.text, *(_without(example.text, cut) for cut in cuts)]).logits[:, 0]
        drops.append(Drop(float(logits[0] - logits[1]), float(logits[0] - logits[2:].mean()), float(marked.mean()), example.channel))
    return drops


def _without(text: str, cut: np.ndarray) -> str:
    return "".join(c for c, gone in zip(text, cut.tolist(), strict=True) if not gone)


def _elsewhere(marked: np.ndarray, chance: random.Random) -> np.ndarray:
    """As many characters in pieces of the same lengths, anywhere: the pieces and the gaps between them in another order."""
    edges = np.flatnonzero(np.diff(marked.astype(np.int8), prepend=0, append=0))
    pieces = np.diff(edges)[::2].tolist()
    chance.shuffle(pieces)
    free = len(marked) - sum(pieces)
    places = sorted(chance.randint(0, free) for _ in pieces)
    out = np.zeros(len(marked), dtype=bool)
    for place, size, before in zip(places, pieces, np.cumsum([0, *pieces]).tolist(), strict=False):
        out[place + before : place + before + size] = True
    return out
