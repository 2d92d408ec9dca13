"""Weights as data: from named features to calibrated probabilities and exact contributions; save, verify, load.

Owns the model directory's format and the arithmetic of the score. Knows nothing of text, training or where models are kept.
A model is raw arrays and a JSON manifest that gives each file's size and SHA-256; nothing in it can run, and everything is checked
before use (`threats.md` B16 to B18 of the design notes became the checks in `load`). The score is a nested logistic regression:

    head 0         impersonation against everything else       -> scam_score
    head 1         other fraud against legit, given no impersonation
    heads 2 to 7   which kind of impersonation, given that it is one (softmax)

Heads 0 and 1 are calibrated over two readings of a message, the whole and its strongest passage: logit = shift + a (logit of the
whole) + b (logit of the passage), see `blends`. All of it is linear, so what a feature adds is known exactly, and contributions plus
bias equal the logit.
"""

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import grams
from .errors import InputError, ModelError
from .features import GROUPS, View
from .records import IMPERSONATION, TYPES

FORMAT = 1
HEADS = ("impersonation", "other_fraud", *IMPERSONATION)
OUTCOME_HEADS, KIND_HEADS = range(2), range(2, len(HEADS))
_MAX_MANIFEST = 64 * 1024  # bytes
_MAX_TOTAL = 256 * 1024 * 1024  # bytes
_MAX_FEATURES = 1 << grams.SLOT_BITS  # one slot each
_MAX_WEIGHT = 1e4
DILUTION = 0.6  # logit by which the rest of a text may speak against its strongest passage; 1 loses 12 points of recall to padding, 0.6 loses 9
FLOOR = 400.0  # added to the squared norm: what ten characters have
_ARRAYS: dict[str, tuple[str, int]] = {"keys.u8": ("<u8", 1), "scale.f4": ("<f4", 1), "group.u1": ("|u1", 1), "weights.f4": ("<f4", len(HEADS))}
_NAMES = "names.txt"
_FILES = {"manifest.json", "card.md", _NAMES, *_ARRAYS}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cutoffs:
    """Probabilities chosen at training for a false-alarm target; part of the model, not of the code.

    impersonation  of impersonation, from which it is called so
    other_fraud    of other fraud, from which it is called so
    unsure         of any fraud, from which it is not called legit
    """

    impersonation: float
    other_fraud: float
    unsure: float


@dataclass(frozen=True)
class Occurrences:
    """Where the model's features stand in a batch; parallel arrays, in no order.

    row          int64: which feature of the model
    start, stop  int64: folded characters [start, stop) of the batch; equal where it stands for the whole text
    """

    row: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]


@dataclass(frozen=True)
class Found:
    """The features of some units (messages or passages); parallel arrays, sorted by unit and feature, each pair once.

    unit, row  int64: which unit, which feature of the model
    """

    unit: NDArray[np.int64]
    row: NDArray[np.int64]

    def of(self, unit: int) -> slice:
        """Where in the arrays the features of one unit are."""
        first, last = np.searchsorted(self.unit, (unit, unit + 1)).tolist()
        return slice(first, last)

    def only(self, units: NDArray[np.int64]) -> "Found":
        """The same for some units (in order), numbered anew from 0."""
        first, last = np.searchsorted(self.unit, units), np.searchsorted(self.unit, units, "right")
        count = last - first
        index = np.repeat(np.arange(len(units)), count)
        return Found(index, self.row[np.arange(len(index)) + np.repeat(first - (np.cumsum(count) - count), count)])


@dataclass(frozen=True)
class _Cells:
    """The groups of features of each unit, one after the other as in `Found`; parallel arrays, one entry a group that is there.

    unit   int64: whose it is
    begin  int64: where in `Found` it begins
    norm   float64: what the scales of its features are divided by
    """

    unit: NDArray[np.int64]
    begin: NDArray[np.int64]
    norm: Floats


@dataclass(frozen=True)
class Model:
    """A loaded model. Arrays are parallel, one entry a feature, ordered by group and, within it, by slot.

    keys     uint64 [f]
    scale    float32 [f]: the feature's value before the message's norm (inverse document frequency)
    group    uint8 [f]: index into GROUPS
    weights  float32 [f, 8], one column a head
    bias     float64 [8]
    mix      float64 [2, 3]: of heads 0 and 1 the shift, and the weights a of the whole and b of the strongest passage
    names    what each feature is called
    cutoffs  from which probabilities a message is called what; they are of the corpus's prior, whatever is shown
    shift    added to the logit of impersonation in the probabilities that are shown (see `at`)
    """

    id: str
    keys: grams.Keys
    scale: NDArray[np.float32]
    group: NDArray[np.uint8]
    weights: NDArray[np.float32]
    bias: Floats
    mix: Floats
    names: Sequence[str]
    cutoffs: Cutoffs
    manifest: Mapping[str, Any]
    shift: float = 0.0

    def at(self, prior: float | None = None, max_false_alarms: float | None = None) -> "Model":
        """The same model as a reader wants it.

        prior             share of impersonation among the messages that are read: the probabilities shown become those of it; verdicts stay
        max_false_alarms  share of ordinary legit messages that may be called fraud: other cut-offs, of those that were measured at training

        Its id says so. Raises InputError for a prior that is none, or fewer false alarms than could be measured.
        """
        shift, cutoffs, name = self.shift, self.cutoffs, self.id
        if prior is not None:
            if not 0 < prior < 1:
                raise InputError(f"prior {prior:g}: a share above 0 and below 1")
            shift, name = _logit(prior) - _logit(self.manifest["prior"]), f"{name} prior={prior:g}"
        if max_false_alarms is not None:
            able = [point for point in self.manifest["operating"] if point["false_alarms_at_most"] <= max_false_alarms]
            if not able:
                least = min(point["false_alarms_at_most"] for point in self.manifest["operating"])
                raise InputError(f"at most {max_false_alarms:g} false alarms: fewer than {least:g} were not measured; the card says what each costs")
            cutoffs, name = Cutoffs(**able[-1]["cutoffs"]), f"{name} max-false-alarms={able[-1]['false_alarms_at_most']:g}"
        return replace(self, id=name, shift=shift, cutoffs=cutoffs)

    def shown(self, logits: Floats) -> Floats:
        """float64 [m, 3]: `outcomes` for the prior that is asked for."""
        return outcomes(logits + np.array([self.shift, 0.0]))

    @cached_property
    def _row_bits(self) -> int:
        return len(self.keys).bit_length()

    @cached_property
    def _table(self) -> grams.Table:
        return grams.Table(self.keys)

    def rows(self, keys: grams.Keys) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(entry, row): which of the keys are features of this model, and which rows they are."""
        return self._table.find(keys)

    def locate(self, views: Sequence[View]) -> Occurrences:
        """Every place in a batch where a feature of this model stands."""
        found = [(view, *self.rows(view.keys)) for view in views]
        spans = [view.spans(at) for view, at, _ in found]
        return Occurrences(
            np.concatenate([row for _, _, row in found]),
            np.concatenate([start for start, _ in spans]),
            np.concatenate([stop for _, stop in spans]),
        )

    def collect(self, at: Occurrences, unit: NDArray[np.int64]) -> Found:
        """The features of each unit, given the unit of every occurrence (-1: of none)."""
        row = at.row
        if unit.min(initial=0) < 0:
            inside = np.flatnonzero(unit >= 0)
            unit, row = unit[inside], row[inside]
        pair = (unit << self._row_bits) | row
        small = np.int32 if pair.max(initial=0) < 1 << 31 else np.int64  # half as large, sorted in half the time
        pair = grams.distinct(pair.astype(small)).astype(np.int64)
        return Found(pair >> self._row_bits, pair & ((1 << self._row_bits) - 1))

    def places(self, at: Occurrences, unit: NDArray[np.int64]) -> NDArray[np.int64]:
        """int64, parallel to what `collect` gives: the occurrence where each feature stands first in its unit."""
        inside = np.flatnonzero(unit >= 0)
        pair = (unit[inside] << grams.SLOT_BITS) | at.row[inside]
        order = np.lexsort((at.start[inside], pair))
        return inside[order[np.flatnonzero(np.diff(pair[order], prepend=-1) != 0)]]

    def values(self, found: Found) -> Floats:
        """float64, parallel to `found`: each feature's value in its unit.

        Within a unit the groups of n-grams have a Euclidean norm of nearly 1, less in short ones, where a few n-grams should not
        speak as loudly as many; tactics and form have none, so that a tactic counts the same everywhere.
        """
        cells = self._cells(found)
        values: Floats = self.scale[found.row] / np.repeat(cells.norm, np.diff(cells.begin, append=len(found.row)))
        return values

    def logits(self, found: Found, units: int, heads: Sequence[int]) -> Floats:
        """float64 [units, heads]: logits of some heads, before calibration: bias plus weights times `values`."""
        out = np.tile(self.bias[list(heads)], (units, 1))
        cells = self._cells(found)
        for column, head in enumerate(heads if len(found.row) else ()):
            sums = np.add.reduceat(self._scaled[head].take(found.row), cells.begin, dtype=np.float64) / cells.norm
            out[:, column] += np.bincount(cells.unit, weights=sums, minlength=units)
        return out

    def _cells(self, found: Found) -> "_Cells":
        cell = found.unit * len(GROUPS) + self.group.take(found.row)
        begin = np.flatnonzero(np.concatenate([[True], cell[1:] != cell[:-1]])) if len(cell) else cell
        squares = np.add.reduceat(self._squares.take(found.row), begin, dtype=np.float64) if len(begin) else np.zeros(0)
        return _Cells(cell[begin] // len(GROUPS), begin, _norm(cell[begin] % len(GROUPS), squares))

    @cached_property
    def _squares(self) -> NDArray[np.float32]:
        return self.scale * self.scale

    @cached_property
    def _scaled(self) -> NDArray[np.float32]:
        """float32 [heads, f]: weights times scales, each head contiguous."""
        return np.ascontiguousarray((self.weights * self.scale[:, None]).T)

    def sums(self) -> "Sums":
        """A unit without features, to which they are added bit by bit."""
        return Sums(self, self._squares, self._scaled)


def _norm(group: NDArray[np.integer[Any]], squares: Floats) -> Floats:
    """float64, parallel: what the scales of features are divided by, given their group and the sum of its squares in their unit."""
    return np.where(group >= GROUPS.index("tactic"), 1.0, np.sqrt(squares + FLOOR))


class Sums:
    """A unit whose features come bit by bit: its logits are at any time those of `Model.logits` for all that came, to rounding.

    What comes again counts once. The cost of an addition depends on what is added, not on what was there before.
    """

    def __init__(self, model: Model, squares: NDArray[np.float32], scaled: NDArray[np.float32]) -> None:
        self._model, self._squares, self._scaled = model, squares, scaled
        self._seen: set[int] = set()
        self._norms = np.zeros(len(GROUPS))  # squared
        self._weights = np.zeros((len(GROUPS), len(HEADS)))

    def add(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Add features; returns those that were not there, sorted."""
        new = np.array(sorted(set(rows.tolist()) - self._seen), dtype=np.int64)
        self._seen.update(new.tolist())
        np.add.at(self._norms, self._model.group[new], self._squares[new])
        np.add.at(self._weights, self._model.group[new], self._scaled[:, new].T)
        return new

    def values(self, rows: NDArray[np.int64]) -> Floats:
        """float64, parallel to `rows`: as `Model.values`."""
        values: Floats = self._model.scale[rows] / self._norm[self._model.group[rows]]
        return values

    def logits(self, passing: NDArray[np.int64]) -> Floats:
        """float64 [heads]: of all heads. `passing` are features of groups without a norm that are there now and may be gone later."""
        sums = (self._weights / self._norm[:, None]).sum(axis=0) + self._scaled[:, passing].sum(axis=1, dtype=np.float64)
        logits: Floats = self._model.bias + sums
        return logits

    @property
    def _norm(self) -> Floats:
        return _norm(np.arange(len(GROUPS)), self._norms)


def strongest(logits: Floats, message: NDArray[np.int64], messages: int) -> tuple[Floats, NDArray[np.int64]]:
    """(logit [messages, heads], passage [messages, heads]) of each message's strongest passage by head; -inf, -1 where it has no passages.

    logits   float64 [passages, heads]
    message  int64 [passages]: the message of each, in order
    """
    best = np.full((messages, logits.shape[1]), -np.inf)
    which = np.full((messages, logits.shape[1]), -1, dtype=np.int64)
    begin = np.flatnonzero(np.diff(message, prepend=-1) != 0)
    if len(begin):
        best[message[begin]] = np.maximum.reduceat(logits, begin, axis=0)
    for head in range(logits.shape[1]):
        top = np.flatnonzero(logits[:, head] == best[message, head])[::-1]
        which[message[top], head] = top  # the first of equals, as the order is reversed
    return best, which


def blends(mix: Floats, whole: Floats, best: Floats) -> Floats:
    """float64 [m, 2, 3]: for heads 0 and 1 of each message the shift, and the weights of the whole and of its strongest passage.

    They are those of `mix`, but for two kinds of message: where there is no passage (-inf) the whole has both weights; and where the
    whole says less than its passage by more than DILUTION, it counts as the passage less that much, so that no padding can hide a request.
    """
    out = np.broadcast_to(mix, (len(whole), 2, 3)).copy()
    alone, padded = np.isneginf(best), whole < best - DILUTION
    out[alone, 1] += out[alone, 2]
    out[alone, 2] = 0
    out[padded, 0] -= DILUTION * out[padded, 1]
    out[padded, 2] += out[padded, 1]
    out[padded, 1] = 0
    return out


def mixed(blend: Floats, whole: Floats, best: Floats) -> Floats:
    """float64 [m, 2]: calibrated logits of heads 0 and 1 from those of the whole and of the strongest passage, by their `blends`."""
    out: Floats = blend[..., 0] + blend[..., 1] * whole + blend[..., 2] * np.where(np.isneginf(best), 0, best)
    return out


def outcomes(logits: Floats) -> Floats:
    """float64 [m, 3]: probabilities of impersonation, other fraud and legit, from the logits of heads 0 and 1; rows sum to 1."""
    imp = _sigmoid(logits[:, 0])
    other = (1 - imp) * _sigmoid(logits[:, 1])
    return np.column_stack([imp, other, 1 - imp - other])


def kinds(logits: Floats) -> Floats:
    """float64 [m, 6]: probabilities of the kinds of impersonation given that it is one, from the logits of heads 2 to 7."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=1, keepdims=True)
    return shares


def probabilities(outcome: Floats, kind: Floats) -> Floats:
    """float64 [m, 8]: probabilities of TYPES; rows sum to 1."""
    return np.column_stack([outcome[:, :1] * kind, outcome[:, 1:]])


def _logit(p: float) -> float:
    return math.log(p / (1 - p))


def _sigmoid(z: Floats) -> Floats:
    out: Floats = 0.5 * (1 + np.tanh(0.5 * z))
    return out


# Of folding, undoing disguise, sounds, terms and negations; the tactics lie beside them.
_TABLES = (
    *("variants.tsv", "lexicon.tsv", "pairs.tsv", "attested.tsv", "lookalikes.tsv", "parts.tsv", "codewords.tsv"),
    *("sounds.tsv", "dictionary.tsv", "negations.txt"),
)


def table_hash() -> str:
    """SHA-256 over the data files that decide what a feature is: a model made with other tables is another model's."""
    from importlib.resources import files

    data = files("classifier") / "data"
    digest = hashlib.sha256()
    for path in [*(data / name for name in _TABLES), *sorted((data / "tactics").iterdir(), key=lambda p: p.name)]:
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
        "mix": [[float(x) for x in head] for head in model.mix],
        "cutoffs": asdict(model.cutoffs),
        "tables": table_hash(),
        "files": {name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in content.items()},
    }
    content["manifest.json"] = json.dumps({**manifest, "seal": _seal(manifest)}, ensure_ascii=False, indent=1).encode()
    for name, data in content.items():
        with open(directory / name, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def _seal(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of all a manifest says: a flipped bit of a cut-off would otherwise go unseen."""
    said = {k: v for k, v in manifest.items() if k != "seal"}
    return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")).hexdigest()


def load(directory: Path) -> Model:
    """Read and verify a model directory. Raises ModelError, naming the file and the fault, for anything that is not exactly right."""
    _refuse_strange_files(directory)
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
    bias, mix = np.array(manifest["bias"], dtype=np.float64), np.array(manifest["mix"], dtype=np.float64)
    for what, array in (("weights.f4", weights), ("scale.f4", arrays["scale.f4"]), ("bias", bias), ("mix", mix)):
        if not np.isfinite(array).all() or (np.abs(array) > _MAX_WEIGHT).any():
            raise ModelError(f"{directory}: {what} holds a value that is not finite or beyond {_MAX_WEIGHT:g}")
    slots = grams.slots(arrays["keys.u8"])
    order = arrays["group.u1"].astype(np.int64) * _MAX_FEATURES + slots
    if len(names) != features or len(np.unique(slots)) != features or (np.diff(order) <= 0).any():
        raise ModelError(f"{directory}: features are not in order, or not as many as their names")
    if (arrays["group.u1"] >= len(GROUPS)).any():
        raise ModelError(f"{directory / 'group.u1'}: a group beyond {len(GROUPS)}")
    cutoffs = Cutoffs(**{k: float(v) for k, v in manifest["cutoffs"].items()})
    if not 0 < cutoffs.unsure <= min(cutoffs.impersonation, cutoffs.other_fraud) <= max(cutoffs.impersonation, cutoffs.other_fraud) < 1:
        raise ModelError(f"{directory / 'manifest.json'}: cut-offs should be above 0, below 1, and unsure the lowest")
    if manifest["tables"] != table_hash():
        raise ModelError(f"{directory}: made with other tables of tactics and words than this version's; train it anew: scamcall train")
    return Model(manifest["id"], arrays["keys.u8"], arrays["scale.f4"], arrays["group.u1"], weights, bias, mix, names, cutoffs, manifest)


_SHAPE: dict[str, type | tuple[type, ...]] = {
    "format": int, "id": str, "heads": list, "types": list, "features": int, "bias": list, "mix": list, "cutoffs": dict, "operating": list,
    "prior": float, "tables": str, "files": dict,
}  # fmt: skip


def _refuse_strange_files(directory: Path) -> None:
    """Only the plain files of a model: a link could lead anywhere, and what is not in the manifest was verified by nobody."""
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        if path.name not in _FILES or path.is_symlink() or not path.is_file():
            raise ModelError(f"{path}: no file of a model; a model is a directory made by scamcall train")


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
    if manifest.get("seal") != _seal(manifest):
        raise ModelError(f"{path}: damaged: what it says is not what was written")
    wrong = [k for k, kind in _SHAPE.items() if not isinstance(manifest.get(k), kind) or isinstance(manifest.get(k), bool)]
    if wrong:
        raise ModelError(f"{path}: missing or of another kind: {', '.join(wrong)}")
    if manifest["heads"] != list(HEADS) or manifest["types"] != list(TYPES) or len(manifest["bias"]) != len(HEADS):
        raise ModelError(f"{path}: other heads or types than this version's")
    if [len(m) if isinstance(m, list) else 0 for m in manifest["mix"]] != [3, 3]:
        raise ModelError(f"{path}: mix should be two rows of three numbers")
    numbers = [*manifest["bias"], *manifest["cutoffs"].values(), *(x for m in manifest["mix"] for x in m)]
    if set(manifest["cutoffs"]) != set(Cutoffs.__dataclass_fields__):
        raise ModelError(f"{path}: cut-offs should be {', '.join(Cutoffs.__dataclass_fields__)}")
    _check_operating(path, manifest)
    if not all(isinstance(x, (int, float)) and abs(x) <= _MAX_WEIGHT for x in numbers):
        raise ModelError(f"{path}: cut-offs, bias or mix are not numbers within {_MAX_WEIGHT:g}")
    if not 0 < manifest["features"] <= _MAX_FEATURES:
        raise ModelError(f"{path}: {manifest['features']} features, at most {_MAX_FEATURES}")
    for name, entry in manifest["files"].items():
        if not (isinstance(entry, dict) and isinstance(entry.get("bytes"), int) and isinstance(entry.get("sha256"), str)) or entry["bytes"] < 0:
            raise ModelError(f"{path}: entry of {name!r} lacks bytes or sha256")
    return manifest


def _check_operating(path: Path, manifest: Mapping[str, Any]) -> None:
    """The cut-offs for other shares of false alarms: like the model's own, the shares ascending."""
    shares: list[Any] = [point.get("false_alarms_at_most") if isinstance(point, dict) else None for point in manifest["operating"]]
    if not shares or not all(isinstance(share, float) and 0 < share < 1 for share in shares) or shares != sorted(shares):
        raise ModelError(f"{path}: operating points should have false_alarms_at_most between 0 and 1, ascending")
    for point in manifest["operating"]:
        cut = point.get("cutoffs")
        names = set(Cutoffs.__dataclass_fields__)
        if not isinstance(cut, dict) or set(cut) != names or not all(isinstance(x, float) and 0 < x < 1 for x in cut.values()):
            raise ModelError(f"{path}: cut-offs of an operating point should be {', '.join(Cutoffs.__dataclass_fields__)}, above 0 and below 1")
    if not 0 < manifest["prior"] < 1:
        raise ModelError(f"{path}: the prior should be above 0 and below 1")


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
