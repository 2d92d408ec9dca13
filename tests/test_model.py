"""The model: exact contributions, a directory that comes back as it was saved, and refusal of everything that is not exactly right."""

import ast
import hashlib
import json
import os
import pickle
import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import hostile

import classifier
from classifier import Classifier
from classifier.errors import ModelError
from classifier.features import GROUPS
from classifier.model import HEADS, Found, Model, outcomes, probabilities
from classifier.model_files import FORMAT, load, save
from classifier.normalise import fold, is_han
from classifier.records import TYPES
from classifier.train import Trained

# -- arithmetic

LOGIT_ERROR = 1e-6  # of single-precision sums over a message


@pytest.mark.parametrize("head", [0, 1])
def test_contributions_and_bias_are_the_logit_over_the_corpus(shipped: Classifier, texts: list[str], head: int) -> None:
    scored = shipped.scan(texts)
    passages = scored.strongest[:, head] >= 0
    assert passages.sum() >= 50, "the sample has long texts too"
    assert (~passages).sum() >= 50
    for k in range(len(texts)):
        bias, evidence = scored.contributions(k, head)
        assert bias + sum(e.contribution for e in evidence) == pytest.approx(scored.logits[k, head], abs=LOGIT_ERROR)


@given(st.lists(hostile, max_size=4))
def test_contributions_and_bias_are_the_logit_of_any_text(shipped: Classifier, batch: list[str]) -> None:
    scored = shipped.scan(batch)
    for k in range(len(batch)):
        for head in (0, 1):
            bias, evidence = scored.contributions(k, head)
            assert bias + sum(e.contribution for e in evidence) == pytest.approx(scored.logits[k, head], abs=LOGIT_ERROR)


def test_contributions_come_strongest_first_and_each_once(shipped: Classifier, texts: list[str]) -> None:
    scored = shipped.scan(texts[:50])
    tactics = {shipped.model.names[row] for row in np.flatnonzero(shipped.model.tactics)}
    for k in range(50):
        _, evidence = scored.contributions(k)
        amounts = [abs(e.contribution) for e in evidence]
        assert amounts == sorted(amounts, reverse=True)
        assert len({e.feature for e in evidence}) == len(evidence)
        assert scored.contributions(k, most=3)[1] == [e for rank, e in enumerate(evidence) if rank < 3 or e.feature in tactics]


def test_a_features_name_is_what_stands_at_its_span(shipped: Classifier, texts: list[str]) -> None:
    scored = shipped.scan(texts[:100])
    seen = 0
    for k in range(100):
        for e in scored.contributions(k)[1]:
            family, _, name = e.feature.partition(":")
            if family == "char" and e.span and is_han(np.array([ord(c) for c in name], dtype=np.uint32)).all():
                assert fold([texts[k][slice(*e.span)]]).text(0) == name or name in scored.folded.text(
                    k
                )  # a keyword in disguise needs what is beside it
                seen += 1
    assert seen > 1000


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=20))
def test_probabilities_of_types_sum_to_one_for_any_logits(logits: list[tuple[float, float]]) -> None:
    outcome = outcomes(np.array(logits))
    every = probabilities(outcome, np.full((len(logits), 6), 1 / 6))
    assert every.shape == (len(logits), len(TYPES))
    assert (every >= 0).all()
    assert every.sum(axis=1) == pytest.approx(1)


# -- saved and loaded


def test_a_saved_model_comes_back_as_it_was(trained: Trained, small_model: Path, texts: list[str]) -> None:
    again = load(small_model)
    for name in ("keys", "scale", "group", "weights", "bias", "mix"):
        np.testing.assert_array_equal(getattr(again, name), getattr(trained.model, name))
    assert list(again.names) == list(trained.model.names)
    assert (again.id, again.cutoffs) == (trained.model.id, trained.model.cutoffs)
    a, b = Classifier(trained.model).scan(texts[:50]), Classifier(again).scan(texts[:50])
    assert (a.logits == b.logits).all()


def test_saving_twice_gives_the_same_bytes(trained: Trained, small_model: Path, tmp_path: Path) -> None:
    save(trained.model, tmp_path / "again")
    assert {p.name: p.read_bytes() for p in small_model.iterdir()} == {p.name: p.read_bytes() for p in (tmp_path / "again").iterdir()}


def test_saving_over_something_is_refused(trained: Trained, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="exists"):
        save(trained.model, tmp_path)


# -- hostile models


@pytest.fixture
def copy(small_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_model, tmp_path / "copy"))


def refused(directory: Path, why: str | None = None) -> None:
    """Loading ends in a ModelError of one line."""
    with pytest.raises(ModelError, match=why) as error:
        load(directory)
    assert "\n" not in str(error.value)
    assert str(directory) in str(error.value)


def rewrite(directory: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Another manifest, under a good seal."""
    manifest = json.loads((directory / "manifest.json").read_bytes())
    change(manifest)
    manifest.pop("seal", None)
    manifest["seal"] = hashlib.sha256(json.dumps(manifest, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
    (directory / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def replace(directory: Path, name: str, data: bytes) -> None:
    """Another content for a file, with a manifest that vouches for it."""
    (directory / name).write_bytes(data)
    rewrite(directory, lambda m: m["files"].__setitem__(name, {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}))


def array(directory: Path, name: str, dtype: str) -> np.ndarray:
    return np.frombuffer((directory / name).read_bytes(), dtype=dtype).copy()


ARRAYS = ("keys.u8", "scale.f4", "group.u1", "weights.f4", "names.txt")


def test_the_copy_is_good_before_it_is_spoilt(copy: Path) -> None:
    replace(copy, "keys.u8", (copy / "keys.u8").read_bytes())
    load(copy)


@pytest.mark.parametrize("name", ARRAYS)
def test_any_flipped_bit_of_an_array_is_found(copy: Path, name: str) -> None:
    good = (copy / name).read_bytes()
    rng = random.Random(name)
    for at in [0, len(good) - 1, *(rng.randrange(len(good)) for _ in range(20))]:
        bad = bytearray(good)
        bad[at] ^= 1 << rng.randrange(8)
        (copy / name).write_bytes(bad)
        refused(copy, "damaged")


def test_any_flipped_bit_of_the_manifest_is_found(copy: Path) -> None:
    """Or says the same: the last digit of a number may be written in two ways."""
    good = (copy / "manifest.json").read_bytes()
    said = json.loads(good)
    for at in range(0, len(good), 3):
        bad = bytearray(good)
        bad[at] ^= 1 << at % 8
        (copy / "manifest.json").write_bytes(bad)
        with suppress(ModelError):
            assert load(copy).manifest == said


@pytest.mark.parametrize("name", [*ARRAYS, "manifest.json"])
def test_a_shorter_or_longer_file_is_refused(copy: Path, name: str) -> None:
    good = (copy / name).read_bytes()
    for size in (0, 1, len(good) // 2, len(good) - 1):
        (copy / name).write_bytes(good[:size])
        refused(copy)
    (copy / name).write_bytes(good + b"x")
    refused(copy)


@pytest.mark.parametrize("name", [*ARRAYS, "manifest.json"])
def test_a_missing_file_is_refused(copy: Path, name: str) -> None:
    (copy / name).unlink()
    refused(copy, name)


def test_swapped_files_are_refused(copy: Path) -> None:
    a, b = copy / "keys.u8", copy / "weights.f4"
    a.rename(copy / "x")
    b.rename(a)
    (copy / "x").rename(b)
    refused(copy)


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "keys.npy", "weights.npz", "model.skops", "__init__.py", ".hidden"])
def test_a_strange_file_is_refused_and_not_opened(copy: Path, name: str, tmp_path: Path) -> None:
    (copy / name).write_bytes(pickle.dumps(_Payload(str(tmp_path / "ran"))))
    refused(copy, name)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "weights.npy", "weights.npz", "model.skops"])
def test_a_pickle_in_place_of_a_directory_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(pickle.dumps(_Payload(str(tmp_path / "ran"))))
    refused(tmp_path / name, "a model is a directory")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", [*ARRAYS, "manifest.json"])
def test_a_pickle_in_place_of_a_file_is_refused(copy: Path, name: str, tmp_path: Path) -> None:
    data = pickle.dumps(_Payload(str(tmp_path / "ran")))
    if name == "manifest.json":
        (copy / name).write_bytes(data)
    else:
        replace(copy, name, data)
    refused(copy)
    assert not (tmp_path / "ran").exists()


class _Payload:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


def test_the_payload_would_have_shown(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(_Payload(str(tmp_path / "ran"))))
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", [*ARRAYS, "manifest.json"])
def test_links_and_directories_in_place_of_files_are_refused(copy: Path, name: str, tmp_path: Path) -> None:
    (copy / name).rename(tmp_path / "elsewhere")
    try:
        (copy / name).symlink_to(tmp_path / "elsewhere")
    except OSError:
        pytest.skip("links cannot be made here")
    refused(copy, name)
    (copy / name).unlink()
    (copy / name).mkdir()
    refused(copy, name)


def test_nothing_there_and_nothing_in_it_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "none", "a model is a directory made by scamcall train")
    refused(tmp_path, "a model is a directory made by scamcall train")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda m: m.update(format=FORMAT + 1), id="later format"),
        pytest.param(lambda m: m.update(format=0), id="earlier format"),
        pytest.param(lambda m: m.update(format="1"), id="format no number"),
        pytest.param(lambda m: m.update(format=10**400), id="format beyond all"),
        pytest.param(lambda m: m.update(features=m["features"] + 1), id="one feature more"),
        pytest.param(lambda m: m.update(features=m["features"] - 1), id="one feature less"),
        pytest.param(lambda m: m.update(features=0), id="no features"),
        pytest.param(lambda m: m.update(features=-1), id="features below none"),
        pytest.param(lambda m: m.update(features=2**62), id="features beyond all"),
        pytest.param(lambda m: m.update(features=1e300), id="features no count"),
        pytest.param(lambda m: m.update(features=True), id="features a truth"),
        pytest.param(lambda m: m.update(heads=m["heads"][::-1]), id="other heads"),
        pytest.param(lambda m: m.update(types=m["types"][:-1]), id="fewer types"),
        pytest.param(lambda m: m.update(bias=m["bias"][:-1]), id="fewer biases"),
        pytest.param(lambda m: m["bias"].__setitem__(0, "1"), id="bias a string"),
        pytest.param(lambda m: m["bias"].__setitem__(0, float("nan")), id="bias nan"),
        pytest.param(lambda m: m["bias"].__setitem__(0, float("inf")), id="bias infinite"),
        pytest.param(lambda m: m["bias"].__setitem__(0, 1e9), id="bias too large"),
        pytest.param(lambda m: m["bias"].__setitem__(0, 10**400), id="bias beyond floats"),
        pytest.param(lambda m: m["bias"].__setitem__(0, [1]), id="bias nested"),
        pytest.param(lambda m: m.update(mix=[[1, 2, 3]]), id="mix of one head"),
        pytest.param(lambda m: m.update(mix=["abc", "abc"]), id="mix of strings"),
        pytest.param(lambda m: m["mix"][0].__setitem__(0, 10**400), id="mix beyond floats"),
        pytest.param(lambda m: m["cutoffs"].update(unsure=0), id="cut-off zero"),
        pytest.param(lambda m: m["cutoffs"].update(impersonation=1), id="cut-off one"),
        pytest.param(lambda m: m["cutoffs"].update(unsure=0.999999), id="unsure the highest"),
        pytest.param(lambda m: m["cutoffs"].update(unsure=10**400), id="cut-off beyond floats"),
        pytest.param(lambda m: m["cutoffs"].update(unsure=None), id="cut-off none"),
        pytest.param(lambda m: m["cutoffs"].update(more=0.5), id="a cut-off more"),
        pytest.param(lambda m: m["cutoffs"].pop("unsure"), id="a cut-off less"),
        pytest.param(lambda m: m.update(tables="0" * 64), id="other tables"),
        pytest.param(lambda m: m.update(files=[]), id="files no object"),
        pytest.param(lambda m: m["files"].update({"../../etc/passwd": m["files"]["keys.u8"]}), id="a file outside"),
        pytest.param(lambda m: m["files"].update({"code.py": m["files"]["keys.u8"]}), id="a file more"),
        pytest.param(lambda m: m["files"].pop("keys.u8"), id="a file less"),
        pytest.param(lambda m: m["files"]["keys.u8"].update(bytes=2**60), id="a size beyond all"),
        pytest.param(lambda m: m["files"]["keys.u8"].update(bytes=-1), id="a size below none"),
        pytest.param(lambda m: m["files"]["keys.u8"].update(bytes="8"), id="a size no number"),
        pytest.param(lambda m: m["files"]["keys.u8"].update(sha256=7), id="a sum no string"),
        pytest.param(lambda m: m["files"].update({"keys.u8": None}), id="an entry of nothing"),
        pytest.param(lambda m: m.pop("id"), id="no id"),
        pytest.param(lambda m: m.update(id=["base"]), id="id no string"),
        pytest.param(lambda m: m.clear(), id="nothing"),
        pytest.param(lambda m: m.update(padding="x" * 70_000), id="manifest too long"),
    ],
)
def test_a_manifest_that_is_not_right_is_refused(copy: Path, change: Callable[[dict[str, Any]], object]) -> None:
    rewrite(copy, change)
    refused(copy)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"1", b"null", b'"format"', b"{", b"[" * 60_000, b"\xff\xfe{\x00}\x00", b'{"format": 1}', b"\x80\x04."]
)
def test_a_manifest_that_is_none_is_refused(copy: Path, content: bytes) -> None:
    (copy / "manifest.json").write_bytes(content)
    refused(copy)


@pytest.mark.parametrize("depth", [100, 500, 900, 1000, 2000, 10_000, 30_000])
def test_nesting_without_end_is_refused(copy: Path, depth: int) -> None:
    good = (copy / "manifest.json").read_text(encoding="utf-8")
    (copy / "manifest.json").write_text(good.replace("{", f'{{"x": {"[" * depth}{"]" * depth}, ', 1), encoding="utf-8")
    refused(copy)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 2e4, -2e4])
@pytest.mark.parametrize("name", ["weights.f4", "scale.f4"])
def test_a_weight_that_is_no_weight_is_refused(copy: Path, name: str, value: float) -> None:
    values = array(copy, name, "<f4")
    values[len(values) // 2] = value
    replace(copy, name, values.tobytes())
    refused(copy, name)


def test_keys_out_of_order_or_twice_are_refused(copy: Path) -> None:
    keys = array(copy, "keys.u8", "<u8")
    for bad in (keys[::-1], np.concatenate([keys[1:2], keys[1:]])):
        replace(copy, "keys.u8", bad.tobytes())
        refused(copy, "order")


def test_a_group_that_does_not_exist_is_refused(copy: Path) -> None:
    groups = array(copy, "group.u1", "|u1")
    groups[-1] = 200
    replace(copy, "group.u1", groups.tobytes())
    refused(copy)


@pytest.mark.parametrize("change", [lambda b: b + b"one more\n", lambda b: b[b.index(b"\n") + 1 :], lambda b: b"\xff" + b[1:]])
def test_names_that_do_not_fit_are_refused(copy: Path, change: Callable[[bytes], bytes]) -> None:
    replace(copy, "names.txt", change((copy / "names.txt").read_bytes()))
    refused(copy)


# -- nothing on the loading path could run what a model holds

LOAD_PATH = (
    "errors",
    "records",
    "turns",
    "normalise",
    "grams",
    "terms",
    "sounds",
    "passages",
    "tactics",
    "features",
    "model",
    "classify",
    "registry",
    "__init__",
)
FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "skops", "runpy", "code", "ctypes", "yaml"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_ATTRIBUTES = {("np", "load"), ("numpy", "load"), ("np", "fromfile"), ("importlib", "import_module"), ("os", "system")}


@pytest.mark.parametrize("room", LOAD_PATH)
def test_the_loading_path_names_nothing_that_runs_data(room: str) -> None:
    tree = ast.parse((Path(classifier.__file__).parent / f"{room}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert not {alias.name.split(".")[0] for alias in node.names} & FORBIDDEN_MODULES
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in FORBIDDEN_MODULES
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in FORBIDDEN_CALLS
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in FORBIDDEN_ATTRIBUTES


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3000)), max_size=30), st.integers(0, 1 << 20))
def test_features_are_found_by_their_unit(shipped: Classifier, pairs: list[tuple[int, int]], shift: int) -> None:
    """Whatever the unit's number: it is packed together with the feature's, and looked up where it may be the last or missing."""
    model = shipped.model
    shift = min(shift, (1 << 31 - len(model.keys).bit_length()) - 10) if shift % 2 else shift
    unit, row = (np.array([pair[k] for pair in pairs], dtype=np.int32) for k in range(2))
    found = model.collect(row, unit + np.int32(shift))
    assert list(zip(found.unit.tolist(), found.row.tolist(), strict=True)) == sorted({(u + shift, r) for u, r in pairs})
    some = np.arange(shift, shift + 12)
    only = found.only(some)
    assert list(zip(only.unit.tolist(), only.row.tolist(), strict=True)) == sorted(set(pairs))


def of_one_unit(model: Model, rows: list[int]) -> Found:
    return model.collect(np.array(rows, dtype=np.int32), np.zeros(len(rows), dtype=np.int32))


@given(st.lists(st.lists(st.integers(0, 3000), max_size=40), max_size=8))
def test_sums_of_features_that_come_bit_by_bit(shipped: Classifier, parts: list[list[int]]) -> None:
    model, sums = shipped.model, shipped.model.sums()
    step = len(model.keys) // 3001  # from every group
    seen: set[int] = set()
    for part in parts:
        rows = {step * k for k in part}
        assert sums.add(np.array([step * k for k in part], dtype=np.int64)).tolist() == sorted(rows - seen)
        seen |= rows
        found = of_one_unit(model, sorted(seen))
        assert sums.logits(found.row[:0]) == pytest.approx(model.logits(found, 1, range(len(HEADS)))[0], abs=1e-9)
        assert sums.values(found.row) == pytest.approx(model.values(found), abs=1e-9)


def test_what_passes_counts_while_it_is_there(shipped: Classifier) -> None:
    model, sums = shipped.model, shipped.model.sums()
    form = np.flatnonzero(model.group == GROUPS.index("form"))[:3]
    other = np.arange(5)
    sums.add(other)
    without = sums.logits(form[:0])
    found = of_one_unit(model, [*other.tolist(), *form.tolist()])
    assert sums.logits(form) == pytest.approx(model.logits(found, 1, range(len(HEADS)))[0], abs=1e-9)
    assert (sums.logits(form[:0]) == without).all()
