"""Shortcuts a classifier could take: small fits that see only what must not give the label away.

Owns what each probe sees. Each is trained on grouped folds to tell fraud from legit and judged by the area under its ROC curve
on texts it has not seen: 0.5 is chance. For a type, its texts are set against all legit ones, by the same scores: a fit of its own
for each type would mostly learn what the type is about, which is no shortcut between fraud and legit.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..corpus import Example, folds
from ..errors import InputError
from ..normalise import fold
from ..records import TYPES
from ..terms import dictionary
from .report import Finding, Table, table

LIMIT = 0.70  # area under the curve
FOLDS = 5
FEWEST = 30  # texts of a type; with fewer the area is known to no better than 0.1
OPENING = 6  # characters
_SENDERS = {"agency", "bank", "carrier", "chat", "courier", "insurer", "kin", "lender", "operator", "payment", "platform", "staff"}
_MARKS = "，。！？、；：,.!?;:…“”（）()【】[]《》～-*/ \n"
_CLAUSE = re.compile(r"[,。!?;:\n]")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Probe:
    """`sees` takes the examples and gives what the probe knows of each: a row of numbers, or words joined by line breaks."""

    name: str
    calls_only: bool
    sees: Callable[[Sequence[Example]], Any]
    fit: Callable[[], Any]


def probe(examples: Sequence[Example]) -> tuple[Table, list[Finding]]:
    """Run all probes. Raises InputError where scikit-learn is not installed."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        raise InputError("the probes want scikit-learn: pip install 'scamcall[train]'") from None
    rows, found = [], []
    with threadpool_limits(1):  # beside other work, waiting for each other's threads takes a hundred times as long as the fits
        for p in PROBES:
            areas = _areas([e for e in examples if e.turns or not p.calls_only], p)
            rows.append([p.name, *("–" if a is None else f"{a:.3f}" for a in areas.values())])
            found += [Finding("probe", f"{p.name}: {a:.3f} for {t} against legit") for t, a in areas.items() if a is not None and a > LIMIT]
    title = f"Probes: area under the ROC curve on {FOLDS} grouped folds, fraud against legit; at most {LIMIT:.2f}"
    return table(title, ("sees only", "fraud", *TYPES[:-1]), rows), found


def _areas(examples: Sequence[Example], p: Probe) -> dict[str, float | None]:
    """Area for all fraud and for each type of it; None where there are too few texts."""
    from sklearn.metrics import roc_auc_score

    kinds = np.array([e.type for e in examples])
    fraud, legit = kinds != "legit", kinds == "legit"
    areas: dict[str, float | None] = dict.fromkeys(("fraud", *TYPES[:-1]))
    if min(fraud.sum(), legit.sum()) < FEWEST:
        return areas
    score = _unseen(p, np.array(p.sees(examples)), fraud, np.array(folds([e.group for e in examples], FOLDS)))
    for name in areas:
        mine = fraud if name == "fraud" else kinds == name
        if mine.sum() >= FEWEST:
            either = mine | legit
            areas[name] = float(roc_auc_score(fraud[either], score[either]))
    return areas


def _unseen(p: Probe, seen: NDArray[Any], fraud: NDArray[np.bool_], fold_of: NDArray[np.int64]) -> Floats:
    """float64, one entry an example: the probability of fraud by a fit on the other folds."""
    score = np.full(len(fraud), fraud.mean())
    for k in range(FOLDS):
        inside, outside = fold_of != k, fold_of == k
        if outside.any() and len(set(fraud[inside])) == 2:
            score[outside] = p.fit().fit(seen[inside], fraud[inside]).predict_proba(seen[outside])[:, 1]
    return score


def _folded(examples: Sequence[Example]) -> list[str]:
    folded = fold([e.text for e in examples])
    return [folded.text(k) for k in range(len(examples))]


def _opening(examples: Sequence[Example]) -> list[str]:
    """The first characters, as the model reads them; of a call, of its first turn."""
    return ["\x02" + text[:OPENING] for text in _folded(examples)]


def _form(examples: Sequence[Example]) -> Floats:
    """Length, and how often each mark of punctuation stands; of a call without its speaker labels."""
    rows = []
    for e in examples:
        text = "\n".join(t for _, t in e.turns) or e.text
        marks = Counter(c for c in text if c in _MARKS)
        rows.append([len(text), marks.total(), marks.total() / len(text), *(marks[m] for m in _MARKS), text[-1] in _MARKS])
    return np.array(rows, dtype=np.float64)


@lru_cache(maxsize=1)
def _greeting_words() -> re.Pattern[str]:
    lines = (files("classifier") / "data/greetings.txt").read_text(encoding="utf-8").splitlines()
    words = {line for line in lines if line and not line.startswith("#")} | {w for w, cls in dictionary().items() if cls in _SENDERS}
    return re.compile("|".join(re.escape(w) for w in sorted(words, key=lambda w: (-len(w), w))))


def _greeting(examples: Sequence[Example]) -> list[str]:
    """The words of the first clause by which a sender greets or says who speaks; a signature in brackets belongs to it."""
    return ["\n".join(_greeting_words().findall(_CLAUSE.split(text.strip(" \n"), maxsplit=1)[0])) for text in _folded(examples)]


def _labels(examples: Sequence[Example]) -> list[str]:
    """The speakers of the turns, in order."""
    return ["\n".join(speaker or "-" for speaker, _ in e.turns) for e in examples]


def _linear(**vectorizer: Any) -> Callable[[], Any]:
    def fit() -> Any:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        return make_pipeline(TfidfVectorizer(lowercase=False, **vectorizer), LogisticRegression(class_weight="balanced", max_iter=500))

    return fit


def _trees() -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(max_depth=3, class_weight="balanced", early_stopping=False, random_state=0)


_WORDS: dict[str, Any] = {"tokenizer": lambda text: text.split("\n"), "token_pattern": None}

PROBES = (
    Probe("first 6 characters", False, _opening, _linear(analyzer="char", ngram_range=(1, 3))),
    Probe("length and punctuation", False, _form, _trees),
    Probe("sender and greeting words", False, _greeting, _linear(**_WORDS, ngram_range=(1, 2))),
    Probe("speaker labels (calls)", True, _labels, _linear(**_WORDS, ngram_range=(1, 2))),
)
