"""Corpus -> model and its card: the only room that knows scikit-learn's estimators.

Owns which features become part of a model, the fits, the calibration, the cut-offs and the figures in the card. Everything is
deterministic: the same corpus gives the same bytes. The features are made by the same functions as in scoring.

Figures that decided the form (grouped folds / `auc_macro` on the public development rows, 3,700 texts, November 2026):
nested logistic regression 0.952/0.971 in 2 s, multinomial 0.948/0.959 in 50 s, NB-SVM 0.939/0.952, linear SVM 0.951/0.972 but no probability.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import grams
from .classify import unit_of_message, unit_of_passage
from .corpus import Example, digest, folds
from .errors import InputError
from .features import GROUPS, View, extract
from .model import DILUTION, HEADS, Cutoffs, Floats, Model, blends, mixed, outcomes, probabilities, strongest
from .model import kinds as kind_shares
from .normalise import PAD, Folded, fold
from .passages import passages_of
from .records import IMPERSONATION, TYPES
from .tactics import load_tactics

PASS = 2048  # messages per pass; must stay below 2^12, the bits a message index takes in `_distinct`
FOLDS = 5
MIN_GROUPS = 6  # groups a feature must stand in; with 4 the model is two thirds larger and no better (0.946 on folds both)
FALSE_ALARMS = 0.01  # share of ordinary legit texts called fraud, on grouped folds; they are harder there than in life: of unseen ones half as many
OTHER_SHARE = 0.1  # of these, called other fraud: it is not what this package is for, and honest job advertisements read like it
OPERATING = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)  # shares that cut-offs are kept for; a thousandth of the ordinary texts are three of them
UNSURE_SHARE = 0.03  # share of ordinary legit texts called fraud or unsure, on grouped folds
WEIGHT_OF_GROUP = {"char": 0.5, "sound": 1.0, "concept": 0.5, "tactic": 0.3, "form": 0.05}
PASSAGE_SHARE = 0.7  # of the strongest passage against the whole: 0, 0.5, 0.7, 0.9 find 85, 92, 94, 94% at 1% false alarms on unseen sources
STRENGTH = 1.0  # C of the logistic regressions; 2 is better on folds (AUC 0.935 to 0.932), worse on unseen sources (found at 1%: 93.8% to 94.7)
HEARD = 0.1  # weight, beside each text, of the text as it sounds: words written with other characters, four in ten, then cost 9 points of
# recall instead of 12; with 0.3 they cost 7, and false alarms on unseen sources rise by half
_NEVER = -10.0  # logit

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Trained:
    """A model and what was measured on the way. `out_of_fold` are the calibrated probabilities of TYPES each example got unseen."""

    model: Model
    out_of_fold: Floats
    fold: Ints


def train(examples: Sequence[Example], say: Callable[[str], None] = lambda line: None, strength: float = STRENGTH) -> Trained:
    """Train on labelled examples; `strength` is the C of the fits.

    Raises InputError where a side (impersonation, other fraud, legit) has too few groups to be learned, or what it takes is not installed.
    """
    if not all(find_spec(name) for name in ("sklearn", "scipy", "threadpoolctl")):
        raise InputError("training wants scikit-learn: pip install 'scamcall[train]'")
    kinds = np.array([TYPES.index(e.type) for e in examples])
    fold_of = np.array(folds([e.group for e in examples], FOLDS), dtype=np.int64)
    ordinary = np.array([e.ordinary for e in examples], dtype=bool)
    sides = {"impersonation": kinds < len(IMPERSONATION), "other_fraud": kinds == TYPES.index("other_fraud"), "ordinary legit": ordinary}
    for name, mine in sides.items():
        if len(np.unique(fold_of[mine])) < 2:
            raise InputError(f"too few examples of {name} to train: they should fall into two folds at least")
    say(f"{len(examples)} examples; features")
    batches = [_Batch(examples[i : i + PASS], i) for i in range(0, len(examples), PASS)]
    blank = _blank(batches, examples)
    if not len(blank.keys):
        raise InputError(f"too few examples to train: no feature stands in {MIN_GROUPS} groups")
    texts = _texts(batches, blank, len(examples))

    say(f"{len(blank.keys)} features; {FOLDS} grouped folds")
    whole = np.zeros((len(examples), len(HEADS)))
    parts = np.zeros((len(texts.message), len(HEADS)))
    for k in range(FOLDS):
        inside, outside, parts_outside = fold_of != k, fold_of == k, fold_of[texts.message] == k
        weights, bias = _fit(blank, texts.whole[inside], kinds[inside], strength)
        whole[outside] = texts.whole[outside] @ weights + bias
        parts[parts_outside] = texts.parts[parts_outside] @ weights + bias
    best, _ = strongest(parts[:, :2], texts.message, len(examples))
    mix = _calibrate(whole, best, kinds)
    out_of_fold = probabilities(outcomes(mixed(blends(mix, whole[:, :2], best), whole[:, :2], best)), kind_shares(whole[:, 2:]))
    cutoffs = choose_cutoffs(out_of_fold[ordinary])
    points = {share: choose_cutoffs(out_of_fold[ordinary], share, max(share, UNSURE_SHARE)) for share in OPERATING}

    say("the model on all examples")
    weights, bias = _fit(blank, texts.whole, kinds, strength)
    manifest: dict[str, Any] = {
        "data": digest(examples),
        "examples": {t: int((kinds == k).sum()) for k, t in enumerate(TYPES)},
        "prior": float((kinds < len(IMPERSONATION)).mean()),
        "operating": [{"false_alarms_at_most": share, "cutoffs": asdict(cut), **figures(out_of_fold, kinds, cut)} for share, cut in points.items()],
        "folds": figures(out_of_fold, kinds, cutoffs),
    }
    model = replace(blank, weights=weights.astype(np.float32), bias=bias, mix=mix, cutoffs=cutoffs, manifest=manifest)
    return Trained(model, out_of_fold, fold_of)


class _Batch:
    """Some examples with their features: what each view has, without what touches a pad."""

    def __init__(self, examples: Sequence[Example], offset: int) -> None:
        self.offset = offset
        self.folded: Folded = fold([e.text for e in examples])
        _, views = extract(self.folded, load_tactics())
        pads = np.concatenate([[0], np.cumsum(self.folded.codes == ord(PAD))])
        self.views: list[tuple[View, Ints]] = [(v, _free(v, pads)) for v in views]


def _free(view: View, pads: Ints) -> Ints:
    """The entries of a view that touch no pad; `pads` counts those before each folded character."""
    every = np.arange(len(view.keys))
    return np.flatnonzero(pads[view.stop(every)] == pads[view.start(every)])


def _distinct(batch: _Batch, view: View, entries: Ints) -> tuple[grams.Keys, Ints]:
    """(key without its low 12 bits, message) of each distinct pair in a view."""
    message = batch.folded.message_of[view.start(entries)].astype(np.uint64)
    pairs = np.unique((view.keys[entries] & ~np.uint64(4095)) | message)
    return pairs & ~np.uint64(4095), (pairs & np.uint64(4095)).astype(np.int64) + batch.offset


def _blank(batches: Sequence[_Batch], examples: Sequence[Example]) -> Model:
    """A model with features but no weights: those that stand in MIN_GROUPS groups and more; of two in one slot, the one in more."""
    group_index = {g: k for k, g in enumerate(dict.fromkeys(e.group for e in examples))}
    group_of = np.array([group_index[e.group] for e in examples], dtype=np.int64)
    all_keys, all_groups, family = [], [], []
    for batch in batches:
        for view, entries in batch.views:
            keys, message = _distinct(batch, view, entries)
            all_keys.append(keys)
            all_groups.append(group_of[message])
            family.append(np.full(len(keys), view.group, dtype=np.uint8))
    keys, inverse = np.unique(np.concatenate(all_keys), return_inverse=True)
    pairs = np.unique(inverse.astype(np.int64) * len(group_index) + np.concatenate(all_groups))
    count = np.bincount(pairs // len(group_index), minlength=len(keys))
    families = np.zeros(len(keys), dtype=np.uint8)
    families[inverse] = np.concatenate(family)

    common = np.flatnonzero(count >= MIN_GROUPS)
    by_slot = common[np.lexsort((-count[common], grams.slots(keys[common])))]
    first = np.flatnonzero(np.diff(grams.slots(keys[by_slot]), prepend=-1))
    chosen = by_slot[first]
    chosen = chosen[np.lexsort((grams.slots(keys[chosen]), families[chosen]))]
    rarity = np.log((len(group_index) + 1) / (count[chosen] + 1)) + 1
    fixed = np.array([WEIGHT_OF_GROUP[g] for g in GROUPS])
    is_gram = families[chosen] < GROUPS.index("tactic")
    scale = np.where(is_gram, rarity, 1.0) * fixed[families[chosen]]
    return Model(
        id="blank",
        keys=keys[chosen],
        scale=scale.astype(np.float32),
        group=families[chosen],
        weights=np.zeros((len(chosen), len(HEADS)), dtype=np.float32),
        bias=np.zeros(len(HEADS)),
        mix=np.array([[0.0, 1.0, 0.0]] * 2),
        names=_names(batches, keys[chosen]),
        cutoffs=Cutoffs(0.5, 0.5, 0.5),
        manifest={},
    )


def _names(batches: Sequence[_Batch], keys: grams.Keys) -> tuple[str, ...]:
    """The name of each feature, from the first place where it stands."""
    names = [""] * len(keys)
    table = grams.Table(keys)
    for batch in batches:
        for view, entries in batch.views:
            at, row = table.find(view.keys[entries])
            new, first = np.unique(row, return_index=True)
            for k, entry in zip(new.tolist(), entries[at[first]].tolist(), strict=True):
                names[k] = names[k] or view.name(entry)
    return tuple(names)


@dataclass(frozen=True)
class _Texts:
    """scipy CSR matrices of feature values: `whole` [examples, features], `parts` [passages, features]; `message` of each passage."""

    whole: Any
    parts: Any
    message: Ints


def _texts(batches: Sequence[_Batch], blank: Model, examples: int) -> _Texts:
    """The values that scoring would compute, by the functions that scoring uses."""
    from scipy.sparse import csr_array

    whole, parts, message = [], [], [np.zeros(0, dtype=np.int64)]
    for batch in batches:
        at = blank.locate([view for view, _ in batch.views])
        passages = passages_of(batch.folded)
        found = blank.collect(at.row, unit_of_message(batch.folded, at))
        whole.append((found.unit + batch.offset, found.row, blank.values(found)))
        some, passage = unit_of_passage(passages, at)
        found = blank.collect(at.row[some], passage)
        parts.append((found.unit + sum(map(len, message)), found.row, blank.values(found)))
        message.append(passages.message + batch.offset)

    def matrix(found: list[tuple[Ints, Ints, Floats]], rows: int) -> Any:
        unit, row, value = (np.concatenate(part) for part in zip(*found, strict=True))
        return csr_array((value, (unit, row)), shape=(rows, len(blank.keys)))

    owner = np.concatenate(message)
    return _Texts(matrix(whole, examples), matrix(parts, len(owner)), owner)


def _fit(blank: Model, matrix: Any, kinds: Ints, strength: float) -> tuple[Floats, Floats]:
    """(weights [features, heads], bias [heads]) of the nested logistic regression, each of its three fits class-balanced.

    Each text is learned from twice, as it is and, with a weight of HEARD, as it sounds.
    """
    from scipy.sparse import diags_array, vstack

    heard = np.isin(blank.group, [GROUPS.index("sound"), GROUPS.index("form")]).astype(float)
    matrix = vstack([matrix, matrix @ diags_array(heard)]).tocsr()
    share = np.repeat([1, HEARD], len(kinds)) / (1 + HEARD)
    kinds = np.tile(kinds, 2)

    def fit(about: NDArray[np.bool_], positive: NDArray[np.bool_]) -> tuple[Floats, float]:
        return _logistic(matrix[about], positive[about], share[about], strength)

    imp, every = kinds < len(IMPERSONATION), np.ones(len(kinds), dtype=bool)
    columns = [fit(every, imp), fit(~imp, kinds == TYPES.index("other_fraud"))]
    # One against the rest for each kind: as good as one softmax fit at a tenth of the time.
    columns += [fit(imp, kinds == k) for k in range(len(IMPERSONATION))]
    return np.column_stack([w for w, _ in columns]), np.array([b for _, b in columns])


def _logistic(matrix: Any, positive: NDArray[np.bool_], share: Floats, strength: float) -> tuple[Floats, float]:
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    if positive.all() or not positive.any():  # a kind without examples is never the likeliest
        return np.zeros(matrix.shape[1]), _NEVER if not positive.any() else -_NEVER
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=1000)
    with threadpool_limits(1):  # sums in one order whatever the machine; and threads that wait for each other took 50 times as long
        model.fit(matrix, positive, sample_weight=share)
    return model.coef_[0], float(model.intercept_[0])


def _calibrate(whole: Floats, best: Floats, kinds: Ints) -> Floats:
    """`Model.mix`: Platt's scaling (1999) of out-of-fold logits, each head on the texts it is about."""
    from sklearn.linear_model import LogisticRegression

    imp = kinds < len(IMPERSONATION)
    mix = np.zeros((2, 3))
    for head, (about, positive) in enumerate([(np.ones_like(imp), imp), (~imp, kinds == TYPES.index("other_fraud"))]):
        passage = np.where(np.isneginf(best[:, head]), whole[:, head], best[:, head])
        reading = (1 - PASSAGE_SHARE) * np.maximum(whole[:, head], passage - DILUTION) + PASSAGE_SHARE * passage
        fit = LogisticRegression(C=1e6).fit(reading[about, None], positive[about])
        slope = fit.coef_[0, 0]
        mix[head] = fit.intercept_[0], slope * (1 - PASSAGE_SHARE), slope * PASSAGE_SHARE
    return mix


def choose_cutoffs(ordinary: Floats, false_alarms: float = FALSE_ALARMS, unsure: float = UNSURE_SHARE) -> Cutoffs:
    """The lowest cut-offs that call at most a share `false_alarms` of ordinary legit texts fraud, and `unsure` not legit.

    ordinary  float64 [n, 8]: out-of-fold probabilities of the texts of `corpus.Example.ordinary`
    """
    other = ordinary[:, TYPES.index("other_fraud")]
    fraud = 1 - ordinary[:, TYPES.index("legit")]
    low = _exceeded_by(fraud, unsure)
    high = [_exceeded_by(fraud - other, (1 - OTHER_SHARE) * false_alarms), _exceeded_by(other, OTHER_SHARE * false_alarms)]
    return Cutoffs(max(high[0], low), max(high[1], low), low)


def _exceeded_by(values: Floats, share: float) -> float:
    """The lowest bound that at most this share of the values reaches; within (0, 1)."""
    ordered = np.sort(values)[::-1]
    bound = np.nextafter(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 1)
    return float(np.clip(bound, 1e-6, 0.999))


def figures(p: Floats, kinds: Ints, cutoffs: Cutoffs) -> dict[str, float]:
    """What a model's answers are worth: ranking, calibration, and what the cut-offs do."""
    from sklearn.metrics import brier_score_loss, roc_auc_score

    imp, legit = kinds < len(IMPERSONATION), kinds == TYPES.index("legit")
    score, fraud = p[:, : len(IMPERSONATION)].sum(axis=1), 1 - p[:, TYPES.index("legit")]
    called = score >= cutoffs.impersonation
    alarm = called | (p[:, TYPES.index("other_fraud")] >= cutoffs.other_fraud)
    warned = alarm | (fraud >= cutoffs.unsure)
    return {
        "auc": float(roc_auc_score(imp, score)),
        "brier": float(brier_score_loss(imp, np.clip(score, 0, 1))),
        "recall": float(called[imp].mean()),
        "any_warning": float(warned[imp].mean()),
        "false_alarms": float(alarm[legit].mean()),
        "unsure_on_legit": float((warned & ~alarm)[legit].mean()),
        "type_accuracy": float((p[imp, : len(IMPERSONATION)].argmax(axis=1) == kinds[imp]).mean()),
    }


__all__ = ["Trained", "choose_cutoffs", "figures", "train"]
