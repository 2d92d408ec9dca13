"""Training: the same bytes from the same data, nothing seen of a group before it is judged, and clear words where it cannot be done."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier.corpus import Example
from classifier.errors import InputError
from classifier.model_files import save
from classifier.records import IMPERSONATION, TYPES
from classifier.train import FALSE_ALARMS, FOLDS, MIN_GROUPS, UNSURE_SHARE, Trained, choose_cutoffs, train


def content(trained: Trained, directory: Path) -> dict[str, bytes]:
    save(trained.model, directory)
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_the_same_data_gives_the_same_bytes(small_corpus: list[Example], trained: Trained, tmp_path: Path) -> None:
    again = train(small_corpus)
    assert content(again, tmp_path / "again") == content(trained, tmp_path / "first")
    assert (again.out_of_fold == trained.out_of_fold).all()


def test_another_process_with_other_threads_and_hashes_gives_the_same_bytes(small_corpus: list[Example], trained: Trained, tmp_path: Path) -> None:
    ids = ",".join(e.id for e in small_corpus)
    program = """
import sys
from pathlib import Path
from classifier.corpus import read
from classifier.model_files import save
from classifier.retrain import corpus_root
from classifier.train import train
ids = set(sys.stdin.read().split(","))
save(train([e for e in read(corpus_root()) if e.id in ids]).model, Path(sys.argv[1]))
"""
    environment = {**os.environ, "PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "there")], input=ids, env=environment, text=True, check=True)
    there = {path.name: path.read_bytes() for path in (tmp_path / "there").iterdir()}
    assert there == content(trained, tmp_path / "here")


def test_no_group_is_divided_between_folds(small_corpus: list[Example], trained: Trained) -> None:
    fold_of: dict[str, int] = {}
    for example, fold in zip(small_corpus, trained.fold.tolist(), strict=True):
        assert fold_of.setdefault(example.group, fold) == fold
    assert set(trained.fold.tolist()) == set(range(FOLDS))


def test_what_is_judged_was_not_learned_from(small_corpus: list[Example]) -> None:
    """Copies with a wrong label are believed where each is a group of its own, and seen through where they are one group."""
    text = "明天中午一起吃饭吗？我订了楼下那家川菜馆，十二点见，别迟到。"

    def score(group: str) -> float:
        copies = [Example(f"copy-{k}", text, "ecommerce", "im", "copy", group.format(k)) for k in range(20)]
        return float(np.median(train([*small_corpus, *copies]).out_of_fold[-20:, : len(IMPERSONATION)].sum(axis=1)))

    assert score("copy-{}") > 0.8
    assert score("copy") < 0.5


def test_features_stand_in_several_groups(small_corpus: list[Example]) -> None:
    seen_twice = [replace(e, text=f"{e.text}鱻鱻鱻") if k < MIN_GROUPS - 1 else e for k, e in enumerate(small_corpus)]
    assert not any("鱻" in name for name in train(seen_twice).model.names)
    one_group = [replace(e, text=f"{e.text}鱻鱻鱻", group="one") if k < 20 else e for k, e in enumerate(small_corpus)]
    assert not any("鱻" in name for name in train(one_group).model.names)


def test_every_feature_has_a_name(trained: Trained) -> None:
    model = trained.model
    assert len(model.names) == len(model.keys) == len(model.scale) == len(model.group) == len(model.weights)
    assert all(model.names)
    assert len(set(model.names)) == len(model.names)


def test_what_was_measured_is_written_down(small_corpus: list[Example], trained: Trained) -> None:
    manifest = trained.model.manifest
    assert sum(manifest["examples"].values()) == len(small_corpus)
    assert list(manifest["examples"]) == list(TYPES)
    assert manifest["prior"] == pytest.approx(np.mean([e.type in IMPERSONATION for e in small_corpus]))
    assert manifest["folds"]["auc"] > 0.8
    assert trained.out_of_fold.sum(axis=1) == pytest.approx(1)


def test_it_tells_how_far_it_is(small_corpus: list[Example]) -> None:
    said: list[str] = []
    train(small_corpus, said.append)
    assert len(said) >= 3
    assert not any(e.text in line for line in said for e in small_corpus)


@pytest.mark.parametrize("missing", ["impersonation", "other_fraud", "ordinary legit"])
def test_a_side_without_examples_is_named(small_corpus: list[Example], missing: str) -> None:
    kept = [
        e
        for e in small_corpus
        if not (e.type in IMPERSONATION if missing == "impersonation" else e.type == missing or missing in f"ordinary {e.type}")
    ]
    with pytest.raises(InputError, match=f"too few examples of {missing}"):
        train(kept)


def test_without_what_it_takes_it_says_what_to_install(small_corpus: list[Example], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(InputError, match=r"scamcall\[train\]"):
        train(small_corpus)


def test_no_examples_at_all() -> None:
    with pytest.raises(InputError, match="too few examples of impersonation"):
        train([])


def test_a_corpus_without_ordinary_texts_is_refused(small_corpus: list[Example]) -> None:
    with pytest.raises(InputError, match="too few examples of ordinary legit"):
        train([replace(e, twin=True) for e in small_corpus])


def test_too_few_groups_for_any_feature_are_refused() -> None:
    examples = [Example(f"{g}{t}", "您好请转账到账户", t, "sms", "note", f"{g}") for g in ("a", "b", "c", "d") for t in TYPES]
    two = [replace(e, group="a" if e.group in "ab" else "c") for e in examples]
    with pytest.raises(InputError, match="too few examples"):
        train(two)


# -- cut-offs


def rows(fraud: np.ndarray, other_share: float) -> np.ndarray:
    out = np.zeros((len(fraud), len(TYPES)))
    out[:, 0], out[:, -2], out[:, -1] = fraud * (1 - other_share), fraud * other_share, 1 - fraud
    return out


@pytest.mark.parametrize("count", [1, 10, 1000, 5000])
@pytest.mark.parametrize("other_share", [0.0, 0.3, 1.0])
def test_cut_offs_keep_their_promise(count: int, other_share: float) -> None:
    p = rows(np.random.default_rng(count).beta(0.5, 5, count), other_share)
    cut = choose_cutoffs(p)
    alarm = (p[:, : len(IMPERSONATION)].sum(axis=1) >= cut.impersonation) | (p[:, -2] >= cut.other_fraud)
    assert alarm.mean() <= FALSE_ALARMS
    assert ((1 - p[:, -1]) >= cut.unsure).mean() <= max(UNSURE_SHARE, 1 / count)
    assert 0 < cut.unsure <= min(cut.impersonation, cut.other_fraud) < 1


def test_cut_offs_stay_within_bounds_whatever_the_model_says() -> None:
    for fraud in (0.0, 1.0):
        cut = choose_cutoffs(rows(np.full(10, fraud), 0.5))
        assert 0 < cut.unsure <= min(cut.impersonation, cut.other_fraud) <= max(cut.impersonation, cut.other_fraud) < 1
