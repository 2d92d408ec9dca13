"""Which rows are scored, and which together."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import chunks as room
from classifier.chunks import Chunk, chunks
from classifier.records import Labels, Row


def of(count: int) -> Labels:
    """Labels of so many texts."""
    return Labels([k / 10 for k in range(count)], ["unsure"] * count, ["legit"] * count, [""] * count, ["ok"] * count)


def row(number: int, text: str, minute: float = 0, sender: str = "95588", **other: Any) -> Row:
    time = f"2026-03-01T{int(minute) // 60:02}:{int(minute) % 60:02}:{round(minute % 1 * 60):02}"
    return Row(number, text, {"text": text}, sender=sender, time=time, **other)


def only(rows: list[Row]) -> Chunk:
    (chunk,) = chunks(rows)
    return chunk


def joined(rows: list[Row]) -> list[str]:
    """What is scored of each row that was joined."""
    chunk = only(rows)
    return [chunk.text(k) for k in sorted(chunk.joined)]


@given(st.lists(st.integers(0, 3000), max_size=40), st.integers(1, 7))
def test_every_row_is_in_one_chunk_in_order(sizes: list[int], size: int) -> None:
    rows = [Row(k, "长" * n, {}) for k, n in enumerate(sizes)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "CHUNK", size)
        patch.setattr(room, "CHUNK_CHARS", 2000)
        made = list(chunks(rows))
    assert [r for chunk in made for r in chunk.rows] == rows
    assert all(0 < len(chunk.rows) <= size for chunk in made)
    assert all(sum(len(r.text) for r in chunk.rows[:-1]) < 2000 for chunk in made)


@given(st.integers(1, 60), st.integers(0, 60))
def test_a_run_that_goes_on_meets_the_same_chunks(count: int, seed: int) -> None:
    rows = [row(k, "转账" * (k % 9), (k * seed) % 50 / 10, f"sender{(k * seed) % 3}") for k in range(count)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "CHUNK", 5)
        whole = list(chunks(rows))
        for k in range(len(whole)):
            done = sum(len(chunk.rows) for chunk in whole[:k])
            assert list(chunks(rows[done:])) == whole[k:]


def test_rows_that_are_not_scored_get_their_reason() -> None:
    chunk = only([row(1, "您好"), row(2, "我发的", skipped="sent"), row(3, "", problem="not JSON"), row(4, "再见")])
    assert chunk.texts == ["您好", "再见"]
    labels = chunk.labels(of(2))
    assert labels.scam_status == ["ok", "skipped: sent", "rejected: not JSON", "ok"]
    assert labels.scam_score == [0.0, None, None, 0.1]
    assert labels.scam_evidence is None


def test_rows_none_of_which_is_scored_have_labels_too() -> None:
    labels = only([row(1, "我发的", skipped="sent"), row(2, "", skipped="empty")]).labels(of(0))
    assert labels == Labels([None] * 2, [None] * 2, [None] * 2, [None] * 2, ["skipped: sent", "skipped: empty"])


def test_evidence_goes_with_its_row() -> None:
    chunk = only([row(1, "我发的", skipped="sent"), row(2, "您好")])
    reasons = [{"feature": "word:您好"}]
    assert chunk.labels(of(1)._replace(scam_evidence=[reasons])).scam_evidence == [None, reasons]


def test_numbered_parts_of_a_sender_are_one_message() -> None:
    rows = [row(1, "(1/2)您的账户异常，", 0), row(2, "吃饭吗", 0, "小王"), row(3, "(2/2)请转到安全账户", 1)]
    chunk = only(rows)
    assert [chunk.text(k) for k in range(3)] == ["您的账户异常，请转到安全账户", "吃饭吗", "您的账户异常，请转到安全账户"]
    assert chunk.labels(of(3)).scam_status == ["joined", "ok", "joined"]
    assert chunk.labels(of(3)).scam_score == [0.0, 0.1, 0.0]


def test_parts_are_put_in_the_order_of_their_numbers() -> None:
    assert joined([row(1, "【2/3】二", 2), row(2, "【3/3】三", 2), row(3, "【1/3】一", 2)]) == ["一二三"] * 3


@pytest.mark.parametrize("backwards", [False, True])
def test_a_number_that_is_there_already_begins_another_message(backwards: bool) -> None:
    rows = [row(1, "(1/2)甲一", 0), row(2, "(2/2)甲二", 1), row(3, "(1/2)乙一", 2), row(4, "(2/2)乙二", 3)]
    found = ["甲一甲二"] * 2 + ["乙一乙二"] * 2
    assert joined(rows[::-1] if backwards else rows) == (found[::-1] if backwards else found)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_text_cut_where_an_sms_is_full_goes_on_in_the_next(backwards: bool) -> None:
    rows = [row(1, "甲" * 67, 0), row(2, "乙" * 67, 0.5), row(3, "丙", 1), row(4, "别的。", 3)]
    assert joined(rows[::-1] if backwards else rows) == ["甲" * 67 + "乙" * 67 + "丙"] * 3


@pytest.mark.parametrize(
    "rows",
    [
        [row(1, "(1/2)您的账户", 0), row(2, "(2/2)请转账", 11)],
        [row(1, "(1/2)您的账户", 0), row(2, "(2/2)请转账", 1, "10086")],
        [row(1, "(1/2)您的账户", 0), row(2, "(2/2)请转账", 1, conversation="other")],
        [row(1, "(1/2)您的账户", 0), row(2, "(2/3)请转账", 1)],
        [row(1, "(1/2)您的账户", 0), row(2, "(1/2)请转账", 1)],
        [row(1, "(1/2)您的账户", 0, ""), row(2, "(2/2)请转账", 1, "")],
        [row(1, "(1/2)您的账户", 0), row(2, "(2/2)请转账", 1, skipped="sent")],
        [row(1, "甲" * 66 + "。", 0), row(2, "乙", 1)],
        [row(1, "甲" * 66, 0), row(2, "乙", 1)],
        [row(1, "甲" * 67, 0), row(2, "【某行】乙", 1)],
        [row(1, "3/8开会", 0), row(2, "收到", 1)],
        [Row(1, "(1/2)甲", {}, sender="a", time="2026-03-01"), Row(2, "(2/2)乙", {}, sender="a", time="2026-03-01")],
        [Row(1, "(1/2)甲", {}, sender="a", time="昨天下午的某个时候"), Row(2, "(2/2)乙", {}, sender="a", time="昨天下午的某个时候")],
    ],
    ids=[
        *("too late", "other sender", "other thread", "other count", "same number", "no sender", "sent"),
        *("a sentence ends", "not full", "a signature", "a date", "no hour", "no time"),
    ],
)  # fmt: skip
def test_what_is_not_one_message_stays_apart(rows: list[Row]) -> None:
    assert joined(rows) == []


def test_a_chunk_does_not_end_between_the_parts_of_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "CHUNK", 3)
    rows = [row(k, "您好", 20 * k) for k in range(2)] + [row(3, "(1/2)甲", 60), row(4, "(2/2)乙", 61), row(5, "您好", 90)]
    assert [len(chunk.rows) for chunk in chunks(rows)] == [4, 1]


@given(st.lists(st.tuples(st.text(max_size=80), st.integers(0, 30), st.sampled_from(["a", "b", ""])), max_size=30))
def test_any_rows_can_be_prepared(content: list[tuple[str, int, str]]) -> None:
    chunk_rows = [row(k, text, minute, sender) for k, (text, minute, sender) in enumerate(content)]
    for chunk in chunks(chunk_rows):
        assert {len(column) for column in chunk.labels(of(len(chunk.texts))) if column is not None} == {len(chunk.rows)}
        assert all(chunk.text(k) == r.text for k, r in enumerate(chunk.rows) if k not in chunk.joined)
