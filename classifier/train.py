"""Corpus -> model and its card: the only room that knows scikit-learn's estimators.

Owns which features become part of a model, the fits, the calibration, the cut-offs and the figures in the card. Everything is
deterministic: the same corpus gives the same bytes. The features are made by the same functions as in scoring.

Figures that decided the form (grouped folds / `auc_macro` on the public development rows, 3,700 texts, November 2026):
nested logistic regression 0.952/0.971 in 2 s, multinomial 0.948/0.959 in 50 s, NB-SVM 0.939/0.952, linear SVM 0.951/0.972 but no probability.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import grams
from .corpus import Example, folds
from .errors import InputError
from .features import GROUPS, View, extract
from .model import HEADS, Cutoffs, Floats, Model, feature_values, probabilities
from .normalise import PAD, Folded, fold
from .records import IMPERSONATION, TYPES
from .tactics import load_tactics
from .tokenise import tokenise

BATCH = 2048  # messages per pass; must stay below 2^12, the bits a message index takes in `_distinct`
FOLDS = 5
MIN_GROUPS = 2  # groups a feature must stand in; one would learn a single author's sentence by heart
FALSE_ALARMS = 0.005  # share of legit texts called fraud, on grouped folds
UNSURE_SHARE = 0.03  # share of legit texts called fraud or unsure, on grouped folds
WEIGHT_OF_GROUP = {"char": 1.0, "word": 0.5, "concept": 0.5, "tactic": 0.3, "form": 0.1}
STRENGTH = 10.0  # C of the logistic regressions; 3 and 30 are within 0.002 of it
_NEVER = -10.0  # logit

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Vocabulary:
    """The features of a model before it has weights; the arrays are those of `model.Model`."""

    keys: grams.Keys
    scale: NDArray[np.float32]
    group: NDArray[np.uint8]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Trained:
    """A model and what was measured on the way. `out_of_fold` are the calibrated probabilities of TYPES each example got unseen."""

    model: Model
    out_of_fold: Floats
    fold: Ints


def train(examples: Sequence[Example], say: Callable[[str], None] = lambda line: None, strength: float = STRENGTH) -> Trained:
    """Train on labelled examples; `strength` is the C of the fits. Raises InputError where a side (impersonation, other fraud, legit) has too few groups to be learned."""
    kinds = np.array([TYPES.index(e.type) for e in examples])
    fold_of = np.array(folds([e.group for e in examples], FOLDS), dtype=np.int64)
    sides = {"impersonation": kinds < len(IMPERSONATION), **{t: kinds == TYPES.index(t) for t in TYPES[len(IMPERSONATION) :]}}
    for name, mine in sides.items():
        if len(np.unique(fold_of[mine])) < 2:
            raise InputError(f"too few examples of {name} to train: they should fall into two folds at least")
    say(f"{len(examples)} examples; features")
    batches = [_Batch(examples[i : i + BATCH], i) for i in range(0, len(examples), BATCH)]
    vocabulary = _vocabulary(batches, examples)
    matrix = _matrix(batches, vocabulary, len(examples))

    say(f"{len(vocabulary.keys)} features; {FOLDS} grouped folds")
    raw = np.zeros((len(examples), len(HEADS)))
    for k in range(FOLDS):
        inside = fold_of != k
        weights, bias = _fit(matrix[inside], kinds[inside], strength)
        raw[~inside] = matrix[~inside] @ weights + bias
    slope, shift = _calibrate(raw, kinds)
    out_of_fold = probabilities(raw * slope + shift)
    cutoffs = choose_cutoffs(out_of_fold, kinds)

    say("the model on all examples")
    weights, bias = _fit(matrix, kinds, strength)
    data_hash = hashlib.sha256("\n".join(f"{e.type}\t{e.group}\t{e.text}" for e in examples).encode("utf-8", "replace")).hexdigest()
    manifest: dict[str, Any] = {
        "data": data_hash,
        "examples": {t: int((kinds == k).sum()) for k, t in enumerate(TYPES)},
        "prior": float((kinds < len(IMPERSONATION)).mean()),
        "folds": figures(out_of_fold, kinds, cutoffs),
    }
    model = Model(
        id="unnamed",
        keys=vocabulary.keys,
        scale=vocabulary.scale,
        group=vocabulary.group,
        weights=(weights * slope).astype(np.float32),
        bias=bias * slope + shift,
        names=vocabulary.names,
        cutoffs=cutoffs,
        manifest=manifest,
    )
    return Trained(model, out_of_fold, fold_of)


class _Batch:
    """Some examples with their features: what each view has, without what touches a pad."""

    def __init__(self, examples: Sequence[Example], offset: int) -> None:
        self.offset = offset
        self.folded: Folded = fold([e.text for e in examples])
        tactics = load_tactics()
        views = extract(self.folded, tokenise(self.folded), tactics.find(self.folded), tactics)
        pads = np.concatenate([[0], np.cumsum(self.folded.codes == ord(PAD))])
        self.views: list[tuple[View, Ints]] = [(v, np.flatnonzero(pads[v.stop] == pads[v.start])) for v in views]


def _distinct(batch: _Batch, view: View, entries: Ints) -> tuple[grams.Keys, Ints]:
    """(key without its low 12 bits, message) of each distinct pair in a view."""
    message = batch.folded.message_of[view.start[entries]].astype(np.uint64)
    pairs = np.unique((view.keys[entries] & ~np.uint64(4095)) | message)
    return pairs & ~np.uint64(4095), (pairs & np.uint64(4095)).astype(np.int64) + batch.offset


def _vocabulary(batches: Sequence[_Batch], examples: Sequence[Example]) -> Vocabulary:
    """Features that stand in MIN_GROUPS groups and more; of two in one slot, the one in more groups."""
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
    rarity = np.log((len(group_index) + 1) / (count[chosen] + 1)) + 1
    fixed = np.array([WEIGHT_OF_GROUP[g] for g in GROUPS])
    is_gram = families[chosen] < GROUPS.index("tactic")
    scale = np.where(is_gram, rarity, 1.0) * fixed[families[chosen]]
    return Vocabulary(keys[chosen], scale.astype(np.float32), families[chosen], _names(batches, keys[chosen]))


def _names(batches: Sequence[_Batch], keys: grams.Keys) -> tuple[str, ...]:
    """The name of each feature, from the first place where it stands."""
    names = [""] * len(keys)
    for batch in batches:
        for view, entries in batch.views:
            found = view.keys[entries] & ~np.uint64(4095)
            distinct, first = np.unique(found, return_index=True)
            at = np.minimum(np.searchsorted(keys, distinct), len(keys) - 1)
            for row, entry in zip(at[keys[at] == distinct].tolist(), entries[first[keys[at] == distinct]].tolist(), strict=True):
                names[row] = names[row] or view.name(entry)
    return tuple(names)


def _matrix(batches: Sequence[_Batch], vocabulary: Vocabulary, examples: int) -> Any:
    """scipy CSR [examples, features]: the values that scoring would compute."""
    from scipy.sparse import csr_array

    messages, rows = [], []
    for batch in batches:
        for view, entries in batch.views:
            keys, message = _distinct(batch, view, entries)
            at = np.minimum(np.searchsorted(vocabulary.keys, keys), len(vocabulary.keys) - 1)
            known = vocabulary.keys[at] == keys
            messages.append(message[known])
            rows.append(at[known])
    message, row = np.concatenate(messages), np.concatenate(rows)
    value = feature_values(message, vocabulary.scale[row].astype(np.float64), vocabulary.group[row])
    return csr_array((value, (message, row)), shape=(examples, len(vocabulary.keys)))


def _fit(matrix: Any, kinds: Ints, strength: float) -> tuple[Floats, Floats]:
    """(weights [features, heads], bias [heads]) of the nested logistic regression, each of its three fits class-balanced."""
    imp, rest = kinds < len(IMPERSONATION), kinds >= len(IMPERSONATION)
    columns = [_logistic(matrix, imp, strength), _logistic(matrix[rest], kinds[rest] == TYPES.index("other_fraud"), strength)]
    # One against the rest for each kind: as good as one softmax fit at a tenth of the time.
    columns += [_logistic(matrix[imp], kinds[imp] == k, strength) for k in range(len(IMPERSONATION))]
    return np.column_stack([w for w, _ in columns]), np.array([b for _, b in columns])


def _logistic(matrix: Any, positive: NDArray[np.bool_], strength: float) -> tuple[Floats, float]:
    from sklearn.linear_model import LogisticRegression

    if positive.all() or not positive.any():  # a kind without examples is never the likeliest
        return np.zeros(matrix.shape[1]), _NEVER if not positive.any() else -_NEVER
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=1000)
    model.fit(matrix, positive)
    return model.coef_[0], float(model.intercept_[0])


def _calibrate(raw: Floats, kinds: Ints) -> tuple[Floats, Floats]:
    """(slope, shift) of each head: Platt's scaling on the out-of-fold logits (1999), each head on the texts it is about."""
    from sklearn.linear_model import LogisticRegression

    imp = kinds < len(IMPERSONATION)
    slope, shift = np.ones(len(HEADS)), np.zeros(len(HEADS))
    for head, (about, positive) in enumerate([(np.ones_like(imp), imp), (~imp, kinds == TYPES.index("other_fraud"))]):
        fit = LogisticRegression(C=1e6).fit(raw[about, head : head + 1], positive[about])
        slope[head], shift[head] = fit.coef_[0, 0], fit.intercept_[0]
    return slope, shift


def choose_cutoffs(p: Floats, kinds: Ints, false_alarms: float = FALSE_ALARMS, unsure: float = UNSURE_SHARE) -> Cutoffs:
    """The lowest cut-offs whose shares of legit texts called fraud, and called fraud or unsure, are within the targets."""
    fraud = np.sort(1 - p[kinds == TYPES.index("legit"), TYPES.index("legit")])[::-1]
    high, low = (float(fraud[min(int(share * len(fraud)), len(fraud) - 1)]) for share in (false_alarms, unsure))
    return Cutoffs(fraud=min(np.nextafter(high, 1), 0.999), unsure=max(min(np.nextafter(low, 1), high), 1e-6))


def figures(p: Floats, kinds: Ints, cutoffs: Cutoffs) -> dict[str, float]:
    """What a model's answers are worth: ranking, calibration, and what the cut-offs do."""
    from sklearn.metrics import brier_score_loss, roc_auc_score

    imp, legit = kinds < len(IMPERSONATION), kinds == TYPES.index("legit")
    score, fraud = p[:, : len(IMPERSONATION)].sum(axis=1), 1 - p[:, TYPES.index("legit")]
    called = (fraud >= cutoffs.fraud) & (score >= p[:, TYPES.index("other_fraud")])
    return {
        "auc": float(roc_auc_score(imp, score)),
        "brier": float(brier_score_loss(imp, np.clip(score, 0, 1))),
        "recall": float(called[imp].mean()),
        "any_warning": float((fraud[imp] >= cutoffs.unsure).mean()),
        "false_alarms": float((fraud[legit] >= cutoffs.fraud).mean()),
        "unsure_on_legit": float(((fraud[legit] >= cutoffs.unsure) & (fraud[legit] < cutoffs.fraud)).mean()),
        "type_accuracy": float((p[imp, : len(IMPERSONATION)].argmax(axis=1) == kinds[imp]).mean()),
    }


__all__ = ["Trained", "choose_cutoffs", "figures", "train"]
