"""The estimator keeps scikit-learn's conventions: cloned, searched, calibrated, pickled and used inside pipelines as any other."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from classifier.corpus import Example
from classifier.errors import InputError
from classifier.estimator import ScamClassifier
from classifier.records import TYPES
from classifier.train import STRENGTH

pytestmark = pytest.mark.filterwarnings("ignore:The least populated class")  # military: 93 texts in all of the corpus


@pytest.fixture(scope="module")
def data(small_corpus: list[Example]) -> tuple[list[str], list[str], list[str]]:
    """Texts, types, groups."""
    return [e.text for e in small_corpus], [e.type for e in small_corpus], [e.group for e in small_corpus]


@pytest.fixture(scope="module")
def fitted(data: tuple[list[str], list[str], list[str]]) -> ScamClassifier:
    texts, types, groups = data
    return ScamClassifier().fit(texts, types, groups=groups)


def test_parameters_and_clones() -> None:
    assert ScamClassifier().strength == STRENGTH
    estimator = ScamClassifier(strength=3.0)
    assert is_classifier(estimator)
    assert estimator.get_params() == {"strength": 3.0}
    assert clone(estimator).get_params() == {"strength": 3.0}
    assert estimator.set_params(strength=1.0).strength == 1.0
    with pytest.raises(ValueError, match="Invalid parameter"):
        estimator.set_params(weakness=1.0)


def test_a_clone_is_not_fitted(fitted: ScamClassifier) -> None:
    for estimator in (clone(fitted), ScamClassifier()):
        with pytest.raises(NotFittedError):
            estimator.predict(["您好"])


def test_probabilities(fitted: ScamClassifier, data: tuple[list[str], list[str], list[str]]) -> None:
    p = fitted.predict_proba(data[0])
    assert p.shape == (len(data[0]), len(fitted.classes_))
    assert p.sum(axis=1) == pytest.approx(1)
    assert (p >= 0).all()
    assert set(fitted.classes_) == set(TYPES)
    assert (fitted.predict(data[0]) == fitted.classes_[p.argmax(axis=1)]).all()


def test_it_learned(fitted: ScamClassifier, data: tuple[list[str], list[str], list[str]]) -> None:
    assert fitted.score(data[0], data[1]) > 0.85


def test_labels_stand_in_the_order_scikit_learn_wants(fitted: ScamClassifier, data: tuple[list[str], list[str], list[str]]) -> None:
    """Its measures take the columns to be the sorted labels, and say nothing where they are not."""
    texts, types, _ = data
    assert list(fitted.classes_) == sorted(fitted.classes_)
    p = fitted.predict_proba(texts)
    column = [list(fitted.classes_).index(t) for t in types]
    assert log_loss(types, p) == pytest.approx(-np.log(p[np.arange(len(types)), column]).mean())


def test_what_has_no_text_is_answered_too(fitted: ScamClassifier) -> None:
    assert fitted.predict_proba(["", "\ud83d", None]).sum(axis=1) == pytest.approx(1)
    assert fitted.predict_proba([]).shape == (0, len(fitted.classes_))
    assert fitted.predict(np.array(["您好", "验证码给我"])).shape == (2,)


def test_groups_reach_the_calibration(data: tuple[list[str], list[str], list[str]], fitted: ScamClassifier) -> None:
    texts, types, groups = data
    alone = ScamClassifier().fit(texts, types)
    assert (alone.model_.mix != fitted.model_.mix).any()
    assert (ScamClassifier().fit(texts, types, groups=groups).model_.mix == fitted.model_.mix).all()


def test_in_a_pipeline(data: tuple[list[str], list[str], list[str]], fitted: ScamClassifier) -> None:
    texts, types, groups = data
    steps = [("strip", FunctionTransformer(lambda X: [x.strip() for x in X])), ("scam", ScamClassifier())]
    pipeline = Pipeline(steps).fit(texts, types, scam__groups=groups)
    alone = clone(fitted).fit([text.strip() for text in texts], types, groups)
    assert pipeline.predict_proba([f"  {texts[0]}\n"]) == pytest.approx(alone.predict_proba(texts[:1]))


def test_in_a_search_over_grouped_folds(data: tuple[list[str], list[str], list[str]]) -> None:
    texts, types, groups = data
    search = GridSearchCV(
        ScamClassifier(), {"strength": [0.01, 10.0]}, cv=GroupKFold(2), scoring=["accuracy", "neg_log_loss"], refit="accuracy", error_score="raise"
    )
    search.fit(texts, types, groups=groups)
    assert search.best_params_ == {"strength": 10.0}
    assert np.isfinite(search.cv_results_["mean_test_neg_log_loss"]).all()


def test_predictions_out_of_fold(data: tuple[list[str], list[str], list[str]]) -> None:
    """Of types, not of probabilities: for those `cross_val_predict` numbers the labels before `fit`, and 3 is no type of fraud."""
    texts, types, groups = data
    found = cross_val_predict(ScamClassifier(), texts, types, groups=groups, cv=GroupKFold(2))
    assert (found == np.array(types)).mean() > 0.5, "a guess at the commonest is right in 0.42"


def test_types_that_were_not_seen_are_no_columns(data: tuple[list[str], list[str], list[str]]) -> None:
    kept = [(x, y) for x, y, _ in zip(*data, strict=True) if y not in ("military", "credit")]
    fitted = ScamClassifier().fit(*zip(*kept, strict=True))
    assert list(fitted.classes_) == sorted(set(TYPES) - {"military", "credit"})
    assert fitted.predict_proba(data[0][:20]).sum(axis=1) == pytest.approx(1)
    assert set(fitted.predict(data[0])) <= set(fitted.classes_)


def test_calibrated_by_scikit_learn(data: tuple[list[str], list[str], list[str]]) -> None:
    texts, types, _ = data
    calibrated = CalibratedClassifierCV(ScamClassifier(), cv=2).fit(texts, types)
    p = calibrated.predict_proba(texts[:20])
    assert p.sum(axis=1) == pytest.approx(1)
    assert list(calibrated.classes_) == sorted(set(types))


def test_pickled_and_back(fitted: ScamClassifier, data: tuple[list[str], list[str], list[str]]) -> None:
    again = pickle.loads(pickle.dumps(fitted))
    assert (again.predict_proba(data[0][:50]) == fitted.predict_proba(data[0][:50])).all()
    assert again.get_params() == fitted.get_params()


@pytest.mark.parametrize(
    ("texts", "types", "why"),
    [
        (["您好"], ["legit", "legit"], "1 texts but 2 labels"),
        (["您好"], ["spam"], r"labels \['spam'\] are none of"),
        ("您好", ["legit"], "a list of texts"),
    ],
)
def test_what_cannot_be_learned_from(texts: list[str] | str, types: list[str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        ScamClassifier().fit(texts, types)


def test_a_side_without_examples() -> None:
    with pytest.raises(InputError, match="too few examples"):
        ScamClassifier().fit(["您好"] * 20, ["legit"] * 20)


def test_one_text_in_place_of_a_list(fitted: ScamClassifier) -> None:
    with pytest.raises(ValueError, match="a list of texts"):
        fitted.predict_proba("您好")
