"""What is counted, and that it stays small and survives an interruption."""

import json
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import tally as room
from classifier.records import Evidence, Labels, Row, Verdict
from classifier.tally import BINS, TOP, Tally


class Label(NamedTuple):
    """The label of one row."""

    score: float | None
    verdict: str | None
    kind: str | None
    tactics: str | None
    status: str


def columns(labels: list[Label]) -> Labels:
    return Labels(*(list(column) for column in zip(*labels, strict=True)))  # type: ignore[arg-type]


labels = st.one_of(
    st.builds(
        Label,
        st.floats(0, 1).map(lambda s: round(s, 6)),
        st.sampled_from(["impersonation", "other_fraud", "unsure", "legit"]),
        st.sampled_from(["ecommerce", "authority", "other_fraud", "legit"]),
        st.sampled_from(["", "安全账户", "安全账户、验证码"]),
        st.sampled_from(["ok", "repaired", "joined"]),
    ),
    st.sampled_from([Label(None, None, None, None, "skipped: sent"), Label(None, None, None, None, "rejected: not JSON: at 7")]),
)
entries = st.lists(
    st.tuples(labels, st.sampled_from(["甲", "乙", "丙", "丁"]), st.sampled_from(["", "95588"]), st.sampled_from(["", "2026-03-01T10:00"])),
    max_size=30,
)


def explained(texts: list[str]) -> list[Verdict]:
    return [Verdict(0.9, "impersonation", "ecommerce", {"legit": 0.1}, ("安全账户",), (Evidence(f"word:{t}", 1.5, (0, 1)),)) for t in texts]


def counted(content: list[tuple[Label, str, str, str]], size: int = 7) -> Tally:
    tally = Tally("a-model")
    for k in range(0, len(content), size):
        part = content[k : k + size]
        rows = [
            Row(
                k + n,
                text,
                {},
                label.status[10:] if "rejected" in label.status else "",
                sender,
                time,
                skipped=label.status[9:] if "skipped" in label.status else "",
            )
            for n, (label, text, sender, time) in enumerate(part)
        ]
        tally.add("in.csv", rows, columns([label for label, *_ in part]), lambda k, part=part: part[k][1])
    tally.explain(explained)
    return tally


@given(entries)
def test_the_counts_add_up(content: list[tuple[Label, str, str, str]]) -> None:
    tally = counted(content)
    assert tally.rows == len(content) == tally.verdicts.total() + tally.skipped.total() + tally.rejected.total()
    assert sum(tally.scores) == tally.verdicts.total()
    assert tally.types.total() == tally.verdicts["impersonation"] + tally.verdicts["other_fraud"]
    assert tally.senders.total() <= tally.types.total()
    assert sum(e.count for e in tally.top.values()) == tally.verdicts["impersonation"]  # four texts: none is crowded out
    assert tally.inputs == ({"in.csv": len(content)} if content else {})


@given(entries, st.integers(1, 30))
def test_how_rows_are_grouped_does_not_count(content: list[tuple[Label, str, str, str]], size: int) -> None:
    assert counted(content, size) == counted(content)
    assert counted(content, size).state() == counted(content).state()


@given(entries)
def test_a_tally_comes_back_from_its_state(content: list[tuple[Label, str, str, str]]) -> None:
    tally = counted(content)
    back = Tally.from_state(json.loads(json.dumps(tally.state())))
    assert back == tally
    assert json.dumps(back.state()) == json.dumps(tally.state())


@given(st.lists(entries, max_size=4))
def test_parts_that_are_put_together_are_the_whole(parts: list[list[tuple[Label, str, str, str]]]) -> None:
    whole = Tally("a-model")
    for part in parts:
        before = counted(part).state()
        tally = Tally.from_state(before)
        whole.merge(tally)
        assert tally.state() == before
    together = counted([entry for part in parts for entry in part])
    for tally in (whole, together):  # rows are counted from the beginning of an input
        tally.examples = [(where, 0, problem) for where, _, problem in tally.examples]
        for example in tally.top.values():
            example.number = 0
    assert whole == together


def test_the_highest_of_the_parts_are_the_highest_of_the_whole() -> None:
    contents = [
        [(Label((k * 37 + n) % 100 / 100, "impersonation", "ecommerce", "", "ok"), f"第{k}-{n}条", "", "") for k in range(50)] for n in range(3)
    ]
    whole = Tally("a-model")
    for content in contents:
        whole.merge(counted(content))
    assert list(whole.top) == list(counted([entry for content in contents for entry in content]).top)


def test_the_highest_scores_are_kept_each_text_once() -> None:
    scores = [(k * 37 % 100) / 100 for k in range(100)]
    content = [(Label(s, "impersonation", "ecommerce", "", "ok"), f"第{s}条", "", "") for s in scores for _ in range(2)]
    tally = counted(content)
    assert sorted((e.score for e in tally.top.values()), reverse=True) == sorted(scores, reverse=True)[:TOP]
    assert {e.count for e in tally.top.values()} == {2}


def test_only_what_may_be_shown_is_kept() -> None:
    tally = Tally()
    label = Label(0.9, "impersonation", "ecommerce", "", "ok")
    tally.add("in.csv", [Row(1, "电话13812345678", {})], columns([label]), lambda k: "电话13812345678", lambda t: t.replace("13812345678", "*" * 11))
    tally.explain(explained)
    assert [e.text for e in tally.top.values()] == ["电话***********"]
    state = tally.state()
    assert [e["scored"] for e in state["top"]] == [""]


def test_a_long_text_is_quoted_not_archived() -> None:
    tally = counted([(Label(0.9, "impersonation", "ecommerce", "", "ok"), "长" * 100_000, "", "")])
    assert len(next(iter(tally.top))) == 1000


def test_memory_is_bounded_whatever_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_KEPT", 50)
    label = Label(0.9, "impersonation", "ecommerce", "", "ok")
    often = [(label, "您好", "often", "")]
    tally = counted([*often * 5, *[(label, "您好", f"sender{k}", f"{k:04}-01-01T00:00") for k in range(1000)], *often * 5])
    assert len(tally.senders) <= 107
    assert len(tally.days) <= 107
    assert tally.senders["often"] == 10
    refused = [(Label(None, None, None, None, f"rejected: kind {k}"), "", "", "") for k in range(1000)]
    assert len(counted(refused).examples) == 20
    assert len(counted(refused).rejected) <= 107


def test_the_last_bin_holds_certainty() -> None:
    tally = counted([(Label(1.0, "impersonation", "ecommerce", "", "ok"), "甲", "", ""), (Label(0.0, "legit", "legit", "", "ok"), "乙", "", "")])
    assert (tally.scores[BINS - 1], tally.scores[0]) == (1, 1)
