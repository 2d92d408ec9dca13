"""Labelled data: read with the place of every fault, and split so that near-copies stay together."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.corpus import Example, folds, read, read_added, transcript
from classifier.errors import InputError
from classifier.records import TYPE_NAMES, TYPES

RECORD = {"id": "x-1", "text": "您好", "type": "legit", "channel": "sms", "kind": "note", "group": "x-1", "twin": None, "tactics": [], "notes": ""}


def directory(root: Path, *lines: object) -> Path:
    (root / "messages").mkdir(parents=True)
    content = b"".join(line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)
    (root / "messages" / "a.jsonl").write_bytes(content)
    return root


def test_a_message_is_read(tmp_path: Path) -> None:
    (example,) = read(directory(tmp_path, RECORD))
    assert (example.id, example.text, example.type, example.group) == ("x-1", "您好", "legit", "x-1")
    assert example.ordinary


def test_a_call_is_read_as_its_transcript(tmp_path: Path) -> None:
    turns = [{"speaker": "A", "text": "喂"}, {"speaker": "", "text": "您好"}]
    (example,) = read(directory(tmp_path, {**RECORD, "channel": "call", "turns": turns, "alarm_turn": 2}))
    assert example.text == transcript(example.turns) == "A：喂\n您好"
    assert example.alarm_turn == 2


@pytest.mark.parametrize("changed", [{"twin": "x-t1"}, {"tactics": ["防诈提醒"]}, {"type": "credit"}])
def test_only_legit_texts_that_resemble_nothing_are_ordinary(tmp_path: Path, changed: dict[str, object]) -> None:
    (example,) = read(directory(tmp_path, {**RECORD, **changed}))
    assert not example.ordinary


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({**RECORD, "type": "spam"}, id="type"),
        pytest.param({**RECORD, "type": ["legit"]}, id="type no word"),
        pytest.param({**RECORD, "channel": "pigeon"}, id="channel"),
        pytest.param({k: v for k, v in RECORD.items() if k != "text"}, id="no text"),
        pytest.param({k: v for k, v in RECORD.items() if k != "group"}, id="no group"),
        pytest.param({**RECORD, "turns": "喂"}, id="turns no list"),
        pytest.param({**RECORD, "turns": [{"text": "喂"}]}, id="turn without speaker"),
        pytest.param({**RECORD, "turns": 5}, id="turns a number"),
        pytest.param(b'{"id": ' + b"9" * 5000 + b"}\n", id="a long number"),
        pytest.param({**RECORD, "tactics": 5}, id="tactics a number"),
        pytest.param([], id="a list"),
        pytest.param(5, id="a number"),
        pytest.param(None, id="null"),
        pytest.param(b"{\n", id="not JSON"),
        pytest.param(b"\n", id="empty line"),
        pytest.param(b"\xff\xfe\n", id="not UTF-8"),
        pytest.param(b"[" * 100_000 + b"\n", id="nested without end"),
    ],
)
def test_a_fault_is_named_by_file_and_line(tmp_path: Path, fault: object) -> None:
    with pytest.raises(InputError, match=r"a\.jsonl:2: not a corpus record") as error:
        read(directory(tmp_path, RECORD, fault))
    assert "\n" not in str(error.value)
    assert "您好" not in str(error.value)
    assert not re.search(r"Error|codec|indices|object has|sys\.", str(error.value))


def test_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no corpus there"):
        read(tmp_path)


def test_the_corpus_that_comes_with_the_package(corpus: list[Example]) -> None:
    assert max(Counter(e.id for e in corpus).values()) == 1
    assert set(TYPES) == {e.type for e in corpus}
    assert all(e.text.strip() for e in corpus)


# -- added samples


def added(tmp_path: Path, content: str | bytes) -> list[Example]:
    path = tmp_path / "new.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_added(path)


def test_added_samples(tmp_path: Path) -> None:
    rows = [(f"text {k}", label) for k, label in enumerate((*TYPES, *TYPE_NAMES.values(), "0"))]
    found = added(tmp_path, "\ufefftext,label\n" + "".join(f'"{t}",{label}\n' for t, label in rows))
    assert [e.type for e in found] == [*TYPES, *TYPES, "legit"]
    assert [e.text for e in found] == [t for t, _ in rows]
    assert len({e.group for e in found}) == len(found)


def test_columns_may_stand_in_any_order_among_others(tmp_path: Path) -> None:
    (example,) = added(tmp_path, 'when,label,text\n3日,credit,"两行,\n一格"\n')
    assert (example.type, example.text) == ("credit", "两行,\n一格")


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16", "utf-16-le"])
def test_added_samples_come_in_any_encoding_that_exports_do(tmp_path: Path, encoding: str) -> None:
    (example,) = added(tmp_path, "text,label\r\n您好，您的账户有问题,credit\r\n".encode(encoding))
    assert (example.type, example.text) == ("credit", "您好，您的账户有问题")


def test_the_same_text_twice_is_one_group(tmp_path: Path) -> None:
    a, b = added(tmp_path, "text,label\n您好,legit\n您好,legit\n")
    assert a.group == b.group


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "wants the columns text and label, has none"),
        ("text\n您好\n", "wants the columns text and label, has text"),
        ("text,label\n", "no rows"),
        ("text,label\n您好,legit\n您好,spam\n", r"new\.csv:3: label 'spam' is none of ecommerce"),
        ("text,label\n您好\n", r"new\.csv:2: label None is none of"),
        ("text,label\n,legit\n", r"new\.csv:2: empty text"),
        ("text,label\n  ,legit\n", r"new\.csv:2: empty text"),
        ('text,label\n"您好,legit\n', "not CSV"),
        (("text,label\n" + "您好,legit\n" * 20).encode() + b"\xff\xfe,legit\n", r"new\.csv:22: bytes that are no characters in its encoding, utf-8"),
        (b"PK\x03\x04" + bytes(100), "not CSV: a zip file; save it as CSV"),
    ],
)
def test_added_samples_that_cannot_be_used(tmp_path: Path, content: str | bytes, why: str) -> None:
    with pytest.raises(InputError, match=why) as error:
        added(tmp_path, content)
    assert "new.csv" in str(error.value)
    assert "您好" not in str(error.value)


def test_no_such_file_and_a_directory(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputError, match=str(path)):
            read_added(path)


# -- folds

groups = st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=5), max_size=30)


@given(groups, groups, st.integers(1, 10))
def test_a_group_is_never_divided_whatever_is_added(some: list[str], more: list[str], count: int) -> None:
    before, after = folds(some, count), folds([*more, *some], count)
    assert after[len(more) :] == before
    assert all(0 <= k < count for k in after)
    assert len(set(zip([*more, *some], after, strict=True))) == len({*more, *some})


def test_folds_are_of_like_size(corpus: list[Example]) -> None:
    sizes = Counter(folds([e.group for e in corpus], 5))
    assert max(sizes.values()) < 1.3 * min(sizes.values())
