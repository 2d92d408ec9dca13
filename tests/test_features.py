"""Features: the same in any batch, each with a name that says what it is, and no number in any of them."""

import random
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import batches, hostile

from classifier import Classifier
from classifier.corpus import Example
from classifier.features import GROUPS, LINE_BREAK, View, extract, form_amounts
from classifier.model_files import save
from classifier.normalise import PAD, Folded, fold
from classifier.tactics import load_tactics
from classifier.train import train


def views_of(texts: list[str]) -> tuple[Folded, list[View]]:
    folded, tactics = fold(texts), load_tactics()
    return folded, extract(folded, tactics)[1]


def inside(folded: Folded, view: View, message: int) -> np.ndarray:
    """Entries of a view that lie in a message and touch no pad."""
    first, last = folded.bounds[message], folded.bounds[message + 1]
    start, stop = spans(view)
    mine = np.flatnonzero((start >= first) & (start < last))
    return np.array([i for i in mine.tolist() if PAD not in folded.joined[start[i] : stop[i]]], dtype=np.int64)


def spans(view: View) -> tuple[np.ndarray, np.ndarray]:
    every = np.arange(len(view.keys))
    return view.start(every), view.stop(every)


def names(text: str) -> set[str]:
    folded, views = views_of([text])
    return {view.name(i) for view in views for i in inside(folded, view, 0).tolist()}


@given(batches)
def test_a_batch_has_the_features_of_its_messages_alone(texts: list[str]) -> None:
    folded, views = views_of(texts)
    for k, text in enumerate(texts):
        alone_folded, alone_views = views_of([text])
        for view, alone in zip(views, alone_views, strict=True):
            here, there = inside(folded, view, k), inside(alone_folded, alone, 0)
            assert view.group == alone.group
            assert view.keys[here].tolist() == alone.keys[there].tolist()
            assert (view.start(here) - folded.bounds[k]).tolist() == alone.start(there).tolist()
            assert (view.stop(here) - folded.bounds[k]).tolist() == alone.stop(there).tolist()
            assert [view.name(i) for i in here.tolist()] == [alone.name(i) for i in there.tolist()]


@given(hostile)
def test_every_feature_has_a_name_of_its_family(text: str) -> None:
    folded, views = views_of([text])
    for view in views:
        start, stop = spans(view)
        assert len(view.keys) == len(start) == len(stop)
        assert (np.diff(start) >= 0).all()
        for i in inside(folded, view, 0).tolist():
            name = view.name(i)
            assert re.match(rf"{GROUPS[view.group]}:.", name, re.S)
            assert "\n" not in name
            name.encode("utf-8")


def test_one_name_one_key(texts: list[str]) -> None:
    """Over many texts a key has one name and a name one key within its view: evidence says what was counted."""
    folded, views = views_of(texts[:150])
    pads = np.concatenate([[0], np.cumsum(folded.codes == ord(PAD))])
    keys: dict[int, str] = {}
    for view in views:
        key_of: dict[str, int] = {}
        start, stop = spans(view)
        for i in np.flatnonzero(pads[stop] == pads[start]).tolist():
            name, key = view.name(i), int(view.keys[i])
            assert keys.setdefault(key, name) == name
            assert key_of.setdefault(name, key) == key


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("转到安全账户", {"char:转", "char:账户", "sound:an quan zan hu", "concept:转到+<account>", "tactic:安全账户"}),
        ("警方不会让你转到安全账户", {"tactic:¬安全账户"}),
        ("京东客服", {"concept:<platform>", "concept:<platform>+<staff>", "sound:jin don ke fu"}),
        ("请关闭花呗，再打开淘宝", {"concept:<lender>…<platform>", "concept:<lender>+,再"}),
        ("共500元", {"char:0", "concept:<number>", "form:numbers=1"}),
        ("点 https://a.cn/b 看看", {"char:🔗", "concept:<link>", "form:links=1"}),
        ("好\n好", {"char:好⏎", "sound:hao ⏎ hao", "form:turns=1"}),
        ("真的吗？是吗？", {"form:questions=2"}),
        ("卡号6222021234567890", {"form:long numbers=1"}),
    ],
)
def test_families(text: str, expected: set[str]) -> None:
    assert expected <= names(text)


def test_features_do_not_reach_into_the_next_message() -> None:
    folded, views = views_of(["安全", "账户"])
    for view in views:
        start, stop = spans(view)
        for i in range(len(view.keys)):
            if view.group > 1:  # n-grams cross the pads; no model has those
                assert "安全账户" not in view.name(i)
                assert folded.message_of[start[i]] == folded.message_of[max(stop[i] - 1, start[i])]


@pytest.fixture(scope="module")
def canaries() -> list[str]:
    """Phone, identity card and bank card numbers of nobody."""
    rng = random.Random(5)
    digits = lambda n: "".join(rng.choices("0123456789", k=n))  # noqa: E731 read as a unit
    return [f(digits) for _ in range(20) for f in (lambda d: f"139{d(8)}", lambda d: f"110101{d(11)}X", lambda d: f"622202{d(13)}")]


def test_no_number_is_memorised(small_corpus: list[Example], canaries: list[str], tmp_path: Path) -> None:
    """Numbers that stand 50 times each in the training data, on both sides, leave no trace in any byte of the model."""
    planted = [
        Example(f"p{k}-{n}", form.replace("{}", number), kind, "sms", "canary", f"p{k}-{n}")
        for k, number in enumerate(canaries)
        for n, (kind, form) in enumerate([("institution", "请联系{}办理，或发到 {} 核实"), ("legit", "我的号码是{}")] * 25)
    ]
    model = train([*small_corpus, *planted]).model
    assert any("ma si 0" in name for name in model.names), "the planted texts were learned from"
    assert [name for name in model.names if re.search(r"[1-9]", name) and not name.startswith("form:")] == []
    save(model, tmp_path / "m")
    content = b"".join(path.read_bytes() for path in sorted((tmp_path / "m").iterdir()))
    assert [number for number in canaries if number.encode() in content or number.encode("utf-32-le") in content] == []


def test_the_model_in_use_has_no_digit_in_any_name(shipped: Classifier) -> None:
    assert [name for name in shipped.model.names if re.search(r"[1-9]", name) and not name.startswith("form:")] == []


@given(st.lists(hostile, max_size=5))
def test_amounts_of_lines_add_up(parts: list[str]) -> None:
    lines = [f"A： {part.replace(chr(10), ' ')}" for part in parts]
    apart, whole = form_amounts(fold(lines)), form_amounts(fold(["\n".join(lines)]))
    assert (apart.sum(axis=1) + LINE_BREAK * max(len(lines) - 1, 0) == whole[:, 0]).all()
