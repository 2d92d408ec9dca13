"""Speaker labels: told from text with a colon, on any string."""

from importlib.resources import files
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import hostile

from classifier.normalise import fold
from classifier.turns import is_role, label_spans, side_of, split_label


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("A：喂，您好\nB：你是哪位", ["A", "B"]),
        ("客服: 您好\n客户: 你好", ["客服", "客户"]),
        ("[00:12] 坐席：您好\n[00:15] 客户：嗯", ["坐席", "客户"]),
        ("SPEAKER_00: 喂\nSPEAKER_01: 您好\nSPEAKER_00: 我是客服", ["SPEAKER_00", "SPEAKER_01", "SPEAKER_00"]),
        ("王先生：在吗\n李女士：在\n王先生：好\n李女士：嗯", ["王先生", "李女士", "王先生", "李女士"]),
        ("说话人1：您好\n说话人2：您好", ["说话人1", "说话人2"]),
        ("主叫方：您好\n被叫方：你好", ["主叫方", "被叫方"]),
        ("警官：您好\n我方：你好", ["警官", "我方"]),
        ("客服1：您好\n客户：你好", ["客服1", "客户"]),
        ("Caller: 您好\nVictim: 你好", ["Caller", "Victim"]),
        ("持卡人：喂\n银行：您好\n持卡人：再见\n银行：再见", ["持卡人", "银行", "持卡人", "银行"]),
        ("信用卡用卡风险告知书\n持卡人：张三\n卡号尾号：7710", []),
        ("警情通报\n嫌疑人：张某\n受害者：李某", []),
        ("A1：第一题\nA2：第二题", []),
        ("温馨提示：您的快递已到", []),
        ("链接：https://a.example.com", []),
        ("https://a.example.com", []),
        ("您的验证码：482913，请勿告知他人", []),
        ("户名：张三\n账号：6222\n开户行：工行\n金额：500", []),
        ("", []),
        ("：：：\n:\n", []),
    ],
)
def test_labels(text: str, names: list[str]) -> None:
    assert [label.name for label in label_spans(text)] == names


@given(hostile)
def test_labels_are_in_order_and_inside_the_text(text: str) -> None:
    found = label_spans(text)
    assert all(0 <= label.start < label.end <= len(text) and label.name in text[label.start : label.end] for label in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


@given(st.sampled_from(["客服", "speaker", "甲", "fraudster", "王"]), st.sampled_from(["", " ", "_", "号"]), st.integers(0, 99999) | st.just(""))
def test_a_role_is_a_label_wherever_a_line_begins_with_it(word: str, between: str, number: int | str) -> None:
    name = f"{word}{between}{number}"
    assert not is_role(name.strip()) or [label.name for label in label_spans(f"{name.strip()}：您好")] == [name.strip()]


def test_how_speakers_are_called_changes_nothing() -> None:
    words = [("A", "喂"), ("B", "您好，我是客服"), ("A", "什么事")]
    forms = [{"A": "客户", "B": "客服"}, {"A": "SPEAKER_00", "B": "SPEAKER_01"}, {"A": "左", "B": "右"}]
    assert len({fold(["\n".join(f"{form[who]}：{said}" for who, said in words)]).text(0) for form in forms}) == 1


@pytest.mark.parametrize(
    ("line", "turn"),
    [
        ("客服：您好", ("客服", "您好")),
        ("王经理: 您好", ("王经理", "您好")),
        ("[00:12] 坐席：您好", ("坐席", "您好")),
        ("您好", ("", "您好")),
        ("https://a.example.com", ("", "https://a.example.com")),
        ("这个名字实在太长了：您好", ("", "这个名字实在太长了：您好")),
        ("客服：", ("客服", "")),
        ("客服：客户：您好", ("客服", "客户：您好")),
        ("", ("", "")),
    ],
)
def test_a_line_that_is_a_turn(line: str, turn: tuple[str, str]) -> None:
    assert split_label(line) == turn


@given(hostile)
def test_a_turns_words_are_the_end_of_its_line(line: str) -> None:
    speaker, words = split_label(line)
    assert line.endswith(words)
    assert speaker in line
    assert speaker or words == line


def test_the_table_of_roles_is_sound() -> None:
    lines = (files("classifier") / "data/roles.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert {side for _, side, *_ in rows} == {"caller", "called", "neither"}
    assert {mark for _, _, *marks in rows for mark in marks} == {"name"}
    words = [word for word, *_ in rows]
    assert len(set(words)) == len(words)
    assert all(word == word.casefold() for word in words)
    for word, side, *name in rows:
        assert side_of(word) == side_of(f"{word}2") == (side if side != "neither" else "")
        assert is_role(word) is not bool(name)
        assert len(label_spans(f"{word}：您好\n客服：您好")) == 2 - bool(name), word
