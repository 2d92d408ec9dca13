"""Examples beside a classifier that never saw them, nor anything of their groups.

Owns how held-out models come about: trained on the other folds, cut-offs and calibration included. Knows nothing of what is measured.
"""

from collections.abc import Iterator, Sequence

from ..classify import Classifier
from ..corpus import Example, folds
from ..train import FOLDS, train


def held_out(examples: Sequence[Example]) -> Iterator[tuple[Classifier, list[Example]]]:
    """By fold: a classifier trained on all others, and the fold's examples."""
    fold_of = folds([e.group for e in examples], FOLDS)
    for fold in range(FOLDS):
        model = train([e for e, k in zip(examples, fold_of, strict=True) if k != fold]).model
        yield Classifier(model), [e for e, k in zip(examples, fold_of, strict=True) if k == fold]
