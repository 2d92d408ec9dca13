"""Does it know what it was never shown? Each kind of fraud, and each family of legit texts, left out of training whole.

Owns the kinds and the measure: the area under the ROC curve of the texts of a kind against the other side's texts of one fold, all of
them unseen, with all groups that a text of the kind is in (so also its twins) left out of training.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..classify import Classifier
from ..corpus import Example, folds, read
from ..markdown import table
from ..records import IMPERSONATION
from ..train import FOLDS, train

Family = Callable[[Example], bool]


def _named(*words: str) -> Family:
    return lambda e: any(word in e.kind for word in words)


# Of legit texts, by the words of `kind`; the first that fits counts.
FAMILIES: dict[str, Family] = {
    "about fraud": lambda e: e.about,
    "calls": lambda e: bool(e.turns),
    "codes": _named("otp", "code"),
    "refunds, after-sales, shops": _named("refund", "after", "shop", "recall", "merchant", "order", "platform"),
    "credit and lenders": _named("credit", "loan", "lend", "collect", "repay", "debt"),
    "couriers and travel": _named("parcel", "courier", "express", "airline", "flight", "travel", "logistic"),
    "banks and institutions": _named("bank", "operator", "carrier", "etc", "insur", "tax", "gov", "util", "police", "court", "notice"),
    "advertising": _named("ad", "market", "promo"),
    "chat": _named("chat", "talk", "family", "friend", "work"),
}


def kind_of(example: Example) -> str | None:
    """The kind of an example: its type of impersonation, or its family of legit texts; None of what is neither."""
    if example.type in IMPERSONATION:
        return example.type
    if example.type != "legit":
        return None
    return next((name for name, fits in FAMILIES.items() if fits(example)), "other legit")


def evaluate(directory: Path) -> str:
    """The section of the card. Raises InputError for a corpus that cannot be used."""
    examples = read(directory)
    rows = [(kind, *area(examples, kind)) for kind in (*IMPERSONATION, *FAMILIES, "other legit")]
    frauds, legit = rows[: len(IMPERSONATION)], rows[len(IMPERSONATION) :]
    means = {
        "mean of the kinds of fraud": frauds,
        "mean of the families of legit texts": legit,
        "**mean of all**": rows,
    }
    return "\n\n".join(
        [
            "## Kinds never shown",
            "Each kind left out of training whole, with all groups that hold a text of it (so its twins, too); its texts against the other "
            "side's of one fold, which is left out as well. Area under the ROC curve of `scam_score`: against all texts of the other side, half "
            "of which were written to be taken for this one, and (of frauds) against ordinary ones only. Reproduce: `scamcall evaluate kinds`.",
            table(
                ("left out", "texts", "against all", "against ordinary"),
                [
                    *((kind, n, f"{every:.3f}", "–" if np.isnan(ordinary) else f"{ordinary:.3f}") for kind, n, every, ordinary in rows),
                    *(
                        (name, "", f"{np.mean([r[2] for r in some]):.3f}", f"{np.nanmean([r[3] for r in some]):.3f}" if some is frauds else "–")
                        for name, some in means.items()
                    ),
                ],
            ),
        ]
    )


def area(examples: Sequence[Example], kind: str) -> tuple[int, float, float]:
    """(texts, area against the other side, area against its ordinary texts) of one kind; NaN where the other side has none."""
    from sklearn.metrics import roc_auc_score

    fold_of = folds([e.group for e in examples], FOLDS)
    groups = {e.group for e in examples if kind_of(e) == kind}
    fraud = kind in IMPERSONATION
    mine = [e for e in examples if kind_of(e) == kind]
    others = [e for e, fold in zip(examples, fold_of, strict=True) if fold == 0 and e.group not in groups and _side(e) == (not fraud)]
    model = train([e for e, fold in zip(examples, fold_of, strict=True) if fold != 0 and e.group not in groups]).model
    score = scores(Classifier(model), [e.text for e in (*mine, *others)])
    true = np.array([fraud] * len(mine) + [not fraud] * len(others))
    ordinary = np.array([True] * len(mine) + [e.ordinary for e in others])
    alone = float(roc_auc_score(true[ordinary], score[ordinary])) if fraud else float("nan")
    return len(mine), float(roc_auc_score(true, score)), alone


def _side(example: Example) -> bool | None:
    """Impersonation, legit (False), or neither."""
    return True if example.type in IMPERSONATION else False if example.type == "legit" else None


def scores(classifier: Classifier, texts: Sequence[str]) -> NDArray[np.float64]:
    """The probability of impersonation of each text."""
    return np.concatenate([scored.outcome[:, 0] for scored in classifier.scans(texts)])
