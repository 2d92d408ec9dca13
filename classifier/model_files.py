"""A model on disk: saved, verified, loaded.

Owns the model directory's format and its checks. Knows nothing of text, training or where models are kept.
A model is raw arrays and a JSON manifest that gives each file's size and SHA-256; nothing in it can run, and everything is checked
before use (`threats.md` B16 to B18 of the design notes became the checks in `load`).
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from . import grams
from .errors import ModelError
from .features import GROUPS
from .model import HEADS, Cutoffs, Model
from .records import TYPES

FORMAT = 1
_MAX_MANIFEST = 64 * 1024  # bytes
_MAX_TOTAL = 256 * 1024 * 1024  # bytes
_MAX_FEATURES = 1 << grams.SLOT_BITS  # one slot each
_MAX_WEIGHT = 1e4
_ARRAYS: dict[str, tuple[str, int]] = {"keys.u8": ("<u8", 1), "scale.f4": ("<f4", 1), "group.u1": ("|u1", 1), "weights.f4": ("<f4", len(HEADS))}
_NAMES = "names.txt"
_FILES = {"manifest.json", "card.md", _NAMES, *_ARRAYS}

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
