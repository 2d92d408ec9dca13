"""The same features and fits as a scikit-learn estimator, for pipelines and searches. Importing this imports scikit-learn.

Owns nothing but the conventions of scikit-learn; the scoring path never imports this module.
"""

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from .classify import Classifier
from .corpus import Example
from .records import TYPES
from .train import STRENGTH, train


class ScamClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Texts in, probabilities of their types (of `records.TYPES`) out.

    Parameters: strength, the C of its logistic regressions (inverse of the penalty).
    Attributes after `fit`: `classes_`, the types that were seen, sorted, as scikit-learn's measures take the columns of
    `predict_proba` to be; `model_`, the fitted `model.Model`.

    `fit` takes texts and their types; `groups` (optional) names near-copies, which calibration then never divides.
    """

    def __init__(self, strength: float = STRENGTH) -> None:
        self.strength = strength

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.two_d_array = True, False
        return tags

    def fit(self, X: Iterable[str], y: Iterable[str], groups: Iterable[str] | None = None) -> Self:
        """Train on texts and their types. Raises InputError where a side has too few examples, ValueError for other labels."""
        texts, kinds = _texts(X), [str(k) for k in y]
        if len(texts) != len(kinds):
            raise ValueError(f"{len(texts)} texts but {len(kinds)} labels")
        unknown = sorted(set(kinds) - set(TYPES))
        if unknown:
            raise ValueError(f"labels {unknown} are none of {TYPES}")
        names = [str(g) for g in groups] if groups is not None else [f"text-{k}" for k in range(len(texts))]
        examples = [Example(f"text-{k}", t, c, "sms", "given", g) for k, (t, c, g) in enumerate(zip(texts, kinds, names, strict=True))]
        self.model_ = train(examples, strength=self.strength).model
        self.classes_ = np.unique(kinds)
        return self

    def predict_proba(self, X: Iterable[str]) -> NDArray[np.float64]:
        """float64 [texts, classes]: probabilities of `classes_`; rows sum to 1."""
        check_is_fitted(self)
        texts = _texts(X)
        batches = Classifier(self.model_).scans(texts)
        every = np.array([scored.probabilities(k) for scored in batches for k in range(len(scored))]).reshape(-1, len(TYPES))
        seen = every[:, [TYPES.index(kind) for kind in self.classes_]]
        shares: NDArray[np.float64] = seen / seen.sum(axis=1, keepdims=True)  # next to nothing is lost on a kind without examples
        return shares

    def predict(self, X: Iterable[str]) -> NDArray[np.str_]:
        """The likeliest type of each text."""
        likeliest = self.predict_proba(X).argmax(axis=1)
        out: NDArray[np.str_] = self.classes_[likeliest]
        return out


def _texts(X: Iterable[Any]) -> list[str]:
    if isinstance(X, str):
        raise ValueError("a list of texts is wanted, not one text")
    return ["" if x is None else str(x) for x in X]
