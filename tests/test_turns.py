"""Speaker labels: told from text with a colon, on any string."""

from importlib.resources import files
from itertools import pairwise

import pytest
from hypothesis import given
from strategies import hostile

from classifier.normalise import fold
from classifier.turns import label_spans, side_of, split_label


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("A：喂，您好\nB：你是哪位", ["A", "B"]),
        ("客服: 您好\n客户: 你好", ["客服", "客户"]),
        ("[00:12] 坐席：您好\n[00:15] 客户：嗯", ["坐席", "客户"]),
        ("SPEAKER_00: 喂\nSPEAKER_01: 您好\nSPEAKER_00: 我是客服", ["SPEAKER_00", "SPEAKER_01", "SPEAKER_00"]),
        ("王先生：在吗\n李女士：在\n王先生：好\n李女士：嗯", ["王先生", "李女士", "王先生", "李女士"]),
        ("说话人1：您好\n说话人2：您好", ["说话人1", "说话人2"]),
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
    assert {side for _, side in rows} == {"caller", "called"}
    words = [word for word, _ in rows]
    assert len(set(words)) == len(words)
    assert all(side_of(word) == side == side_of(f"{word}2") for word, side in rows)
