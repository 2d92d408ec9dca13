"""Weights as data: from named features to calibrated probabilities and exact contributions; save, verify, load.

Owns the model directory's format and the arithmetic of the score. Knows nothing of text, training or where models are kept.
A model is raw arrays and a JSON manifest that gives each file's size and SHA-256; nothing in it can run, and everything is checked
before use (`threats.md` B16 to B18 of the design notes became the checks in `load`). The score is a nested logistic regression:

    head 0         impersonation against everything else       -> scam_score
    head 1         other fraud against legit, given no impersonation
    heads 2 to 7   which kind of impersonation, given that it is one (softmax)

Each head is linear, so what a feature adds is its weight times its value, and contributions plus bias equal the logit.
"""

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import grams
from .errors import ModelError
from .features import GROUPS, View
from .normalise import Folded
from .records import IMPERSONATION, TYPES

FORMAT = 1
HEADS = ("impersonation", "other_fraud", *IMPERSONATION)
_MAX_MANIFEST = 64 * 1024  # bytes
_MAX_TOTAL = 256 * 1024 * 1024  # bytes
_MAX_FEATURES = 1 << grams.SLOT_BITS  # one slot each
_MAX_WEIGHT = 1e4
_ARRAYS: dict[str, tuple[str, int]] = {"keys.u8": ("<u8", 1), "scale.f4": ("<f4", 1), "group.u1": ("|u1", 1), "weights.f4": ("<f4", len(HEADS))}
_NAMES = "names.txt"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cutoffs:
    """Chosen at training for a false-alarm target; part of the model, not of the code.

    fraud   probability of any fraud from which it is called so
    unsure  probability of any fraud from which it is not called legit
    """

    fraud: float
    unsure: float


@dataclass(frozen=True)
class Found:
    """The model's features that stand in a batch; parallel arrays, sorted by message and feature, each pair once.

    message, row  int64: which message, which feature of the model
    value         float64: the feature's value in the message (0 to 1)
    """

    message: NDArray[np.int64]
    row: NDArray[np.int64]
    value: Floats


@dataclass(frozen=True)
class Model:
    """A loaded model. Arrays are parallel, one entry a feature, ordered by slot.

    keys     uint64 [f]
    scale    float32 [f]: the feature's value before the message's norm (inverse document frequency)
    group    uint8 [f]: index into GROUPS
    weights  float32 [f, 8]: calibrated already, one column a head
    bias     float64 [8]
    names    what each feature is called
    """

    id: str
    keys: grams.Keys
    scale: NDArray[np.float32]
    group: NDArray[np.uint8]
    weights: NDArray[np.float32]
    bias: Floats
    names: Sequence[str]
    cutoffs: Cutoffs
    manifest: Mapping[str, Any]

    @cached_property
    def _table(self) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
        """(print, row) of each slot; row -1 where the slot is empty."""
        slot = grams.slots(self.keys)
        prints = np.zeros(1 << grams.SLOT_BITS, dtype=np.uint32)
        rows = np.full(1 << grams.SLOT_BITS, -1, dtype=np.int32)
        prints[slot], rows[slot] = grams.prints(self.keys), np.arange(len(self.keys), dtype=np.int32)
        return prints, rows

    def rows(self, keys: grams.Keys) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(entry, row): which of the keys are features of this model, and which rows they are."""
        prints, rows = self._table
        slot = grams.slots(keys)
        at = np.flatnonzero(prints[slot] == grams.prints(keys))
        row = rows[slot[at]]
        known = row >= 0
        return at[known], row[known].astype(np.int64)

    def find(self, folded: Folded, views: Sequence[View]) -> Found:
        """Which features each message of a batch has, and their values."""
        of = folded.message_of
        pairs = []
        for view in views:
            at, row = self.rows(view.keys)
            pairs.append((of[view.start[at]].astype(np.int64) << grams.SLOT_BITS) | row)
        pair = np.unique(np.concatenate(pairs))
        message, row = pair >> grams.SLOT_BITS, pair & ((1 << grams.SLOT_BITS) - 1)
        return Found(message, row, feature_values(message, self.scale[row].astype(np.float64), self.group[row]))

    def logits(self, found: Found, messages: int) -> Floats:
        """float64 [messages, 8]: calibrated logits of the heads."""
        out = np.tile(self.bias, (messages, 1))
        if len(found.message):
            start = np.flatnonzero(np.diff(found.message, prepend=-1))
            out[found.message[start]] += np.add.reduceat(self.weights[found.row] * found.value[:, None], start, axis=0)
        return out


def feature_values(message: NDArray[np.int64], scale: Floats, group: NDArray[np.uint8]) -> Floats:
    """Values of features from their scales: within a message the groups of n-grams have Euclidean norm 1; tactics and form have none,
    so that a tactic counts the same in a long text as in a short one."""
    cell = message * len(GROUPS) + group
    norm = np.sqrt(np.bincount(cell, weights=scale * scale))[cell] if len(cell) else scale
    values: Floats = np.where(group < GROUPS.index("tactic"), scale / np.maximum(norm, 1e-12), scale)
    return values


def probabilities(logits: Floats) -> Floats:
    """float64 [m, 8]: probabilities of TYPES, from the logits of HEADS; rows sum to 1."""
    imp = _sigmoid(logits[:, 0])
    other = (1 - imp) * _sigmoid(logits[:, 1])
    kinds = np.exp(logits[:, 2:] - logits[:, 2:].max(axis=1, keepdims=True))
    kinds = kinds / kinds.sum(axis=1, keepdims=True)
    return np.column_stack([imp[:, None] * kinds, other, 1 - imp - other])


def _sigmoid(z: Floats) -> Floats:
    out: Floats = 0.5 * (1 + np.tanh(0.5 * z))
    return out


def table_hash() -> str:
    """SHA-256 over the data files that decide what a feature is: a model made with other tables is another model's."""
    from importlib.resources import files

    data = files("classifier") / "data"
    digest = hashlib.sha256()
    names = ["variants.tsv", "dictionary.tsv", "negations.txt"]
    for path in [*(data / n for n in names), *sorted((data / "tactics").iterdir(), key=lambda p: p.name)]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def save(model: Model, directory: Path) -> None:
    """Write a model's files into a new directory. Publishing it under its name is the registry's work.

    Raises OSError where the directory exists or cannot be written.
    """
    directory.mkdir(parents=True)
    content = {
        "keys.u8": model.keys.astype("<u8").tobytes(),
        "scale.f4": model.scale.astype("<f4").tobytes(),
        "group.u1": model.group.astype("|u1").tobytes(),
        "weights.f4": np.ascontiguousarray(model.weights, dtype="<f4").tobytes(),
        _NAMES: "".join(f"{name}\n" for name in model.names).encode(),
    }
    manifest = {
        **model.manifest,
        "format": FORMAT,
        "id": model.id,
        "heads": list(HEADS),
        "types": list(TYPES),
        "features": len(model.keys),
        "bias": [float(b) for b in model.bias],
        "cutoffs": {"fraud": model.cutoffs.fraud, "unsure": model.cutoffs.unsure},
        "tables": table_hash(),
        "files": {name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in content.items()},
    }
    content["manifest.json"] = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
    for name, data in content.items():
        with open(directory / name, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def load(directory: Path) -> Model:
    """Read and verify a model directory. Raises ModelError, naming the file and the fault, for anything that is not exactly right."""
    manifest = _read_manifest(directory)
    listed = manifest["files"]
    if set(listed) != {*_ARRAYS, _NAMES}:
        raise ModelError(f"{directory}: manifest lists other files than {', '.join((*_ARRAYS, _NAMES))}")
    if sum(entry["bytes"] for entry in listed.values()) > _MAX_TOTAL:
        raise ModelError(f"{directory}: larger than {_MAX_TOTAL} bytes")
    content = {name: _read_verified(directory / name, entry) for name, entry in listed.items()}
    features = manifest["features"]
    arrays = {}
    for name, (dtype, columns) in _ARRAYS.items():
        if len(content[name]) != features * columns * np.dtype(dtype).itemsize:
            raise ModelError(f"{directory / name}: size does not fit {features} features")
        arrays[name] = np.frombuffer(content[name], dtype=dtype)
    try:
        names = content[_NAMES].decode("utf-8").split("\n")[:-1]
    except UnicodeDecodeError as e:
        raise ModelError(f"{directory / _NAMES}: not UTF-8 at byte {e.start}") from None
    weights = arrays["weights.f4"].reshape(features, len(HEADS))
    bias = np.array(manifest["bias"], dtype=np.float64)
    for what, array in (("weights.f4", weights), ("scale.f4", arrays["scale.f4"]), ("bias", bias)):
        if not np.isfinite(array).all() or (np.abs(array) > _MAX_WEIGHT).any():
            raise ModelError(f"{directory}: {what} holds a value that is not finite or beyond {_MAX_WEIGHT:g}")
    if len(names) != features or (np.diff(grams.slots(arrays["keys.u8"])) <= 0).any():
        raise ModelError(f"{directory}: features are not in order, or not as many as their names")
    if (arrays["group.u1"] >= len(GROUPS)).any():
        raise ModelError(f"{directory / 'group.u1'}: a group beyond {len(GROUPS)}")
    cutoffs = Cutoffs(**{k: float(v) for k, v in manifest["cutoffs"].items()})
    if not 0 < cutoffs.unsure <= cutoffs.fraud < 1:
        raise ModelError(f"{directory / 'manifest.json'}: cut-offs should be 0 < unsure <= fraud < 1")
    if manifest["tables"] != table_hash():
        raise ModelError(f"{directory}: made with other tables of tactics and words than this version's; train it anew: scamcall train")
    return Model(manifest["id"], arrays["keys.u8"], arrays["scale.f4"], arrays["group.u1"], weights, bias, names, cutoffs, manifest)


_SHAPE: dict[str, type | tuple[type, ...]] = {
    "format": int, "id": str, "heads": list, "types": list, "features": int, "bias": list, "cutoffs": dict, "tables": str, "files": dict,
}  # fmt: skip


def _read_manifest(directory: Path) -> dict[str, Any]:
    path = directory / "manifest.json"
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_MANIFEST + 1)
    except OSError as e:
        raise ModelError(f"{path}: {e.strerror}; a model is a directory made by scamcall train") from None
    if len(data) > _MAX_MANIFEST:
        raise ModelError(f"{path}: larger than {_MAX_MANIFEST} bytes")
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError):
        raise ModelError(f"{path}: not JSON") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("format"), int):
        raise ModelError(f"{path}: not a model's manifest")
    if manifest["format"] != FORMAT:
        raise ModelError(f"{path}: format {manifest['format']}, this version reads {FORMAT}; train it anew: scamcall train")
    wrong = [k for k, kind in _SHAPE.items() if not isinstance(manifest.get(k), kind) or isinstance(manifest.get(k), bool)]
    if wrong:
        raise ModelError(f"{path}: missing or of another kind: {', '.join(wrong)}")
    if manifest["heads"] != list(HEADS) or manifest["types"] != list(TYPES) or len(manifest["bias"]) != len(HEADS):
        raise ModelError(f"{path}: other heads or types than this version's")
    numbers = [*manifest["bias"], *manifest["cutoffs"].values()]
    if set(manifest["cutoffs"]) != {"fraud", "unsure"} or not all(isinstance(x, (int, float)) and math.isfinite(x) for x in numbers):
        raise ModelError(f"{path}: cut-offs or bias are not numbers")
    if not 0 < manifest["features"] <= _MAX_FEATURES:
        raise ModelError(f"{path}: {manifest['features']} features, at most {_MAX_FEATURES}")
    for name, entry in manifest["files"].items():
        if not (isinstance(entry, dict) and isinstance(entry.get("bytes"), int) and isinstance(entry.get("sha256"), str)) or entry["bytes"] < 0:
            raise ModelError(f"{path}: entry of {name!r} lacks bytes or sha256")
    return manifest


def _read_verified(path: Path, entry: Mapping[str, Any]) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(entry["bytes"] + 1)
    except OSError as e:
        raise ModelError(f"{path}: {e.strerror}") from None
    if len(data) != entry["bytes"]:
        raise ModelError(f"{path}: {'more' if len(data) > entry['bytes'] else 'fewer'} bytes than the manifest's {entry['bytes']}")
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise ModelError(f"{path}: damaged: its SHA-256 is not the manifest's")
    return data
