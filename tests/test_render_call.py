"""A call as a person reads it: a line a turn, what counts and why, and nothing that steers a terminal."""

import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import hostile

from classifier import Classifier, listen
from classifier.records import VERDICT_NAMES
from classifier.render import NEXT_STEP
from classifier.render_call import call_lines, turn_lines
from classifier.tactics import load_tactics

SCAM = [("主叫", "您好，我是京东客服，您的账户异常需要注销"), ("被叫", "怎么弄"), ("主叫", "您把验证码发给我，把钱转到安全账户")]


@pytest.mark.parametrize("colour", [True, False])
def test_a_call_is_told_whole(shipped: Classifier, colour: bool) -> None:
    found = listen(shipped, SCAM)
    told = call_lines(found, colour)
    assert ("\x1b[" in told) is colour
    plain = re.sub("\x1b\\[[0-9;]*m|[〔〕]", "", told)
    for _, words in SCAM:
        assert words in plain
    for name in found.verdict.tactics:
        assert f"{name}：{load_tactics().explain[name]}" in told
    assert plain.endswith(f"下一步：{NEXT_STEP[found.verdict.scam_verdict]}")
    assert [line for line in plain.split("\n") if line.startswith("     ▲")] == [
        f"     ▲ 第{found.alarm_turn}轮预警：{VERDICT_NAMES['impersonation']} · 冒充电商物流客服类"
    ]


def test_each_turn_has_its_line_in_columns(shipped: Classifier) -> None:
    told = call_lines(listen(shipped, SCAM), colour=False)
    lines = [line for line in told.split("\n") if re.match(r" +\d  ", line)]
    assert [line[:5] for line in lines] == ["  1  ", "  2  ", "  3  "]
    assert lines[1] == "  2        不计分  被叫：怎么弄"
    assert all(re.match(r"  \d  ( {0,3}>?[\d.]+%) (     |[ +-]*\d+)  主叫：", line) for line in (lines[0], lines[2])), lines


def test_a_tactic_stands_below_its_turn_with_its_stage(shipped: Classifier) -> None:
    heard = listen(shipped, SCAM).turns[2]
    assert f"└ {'、'.join(f'{name}（{load_tactics().stage[name]}）' for name in heard.tactics)}" in turn_lines(heard, colour=False)


def test_words_that_moved_the_risk_are_marked_where_there_is_one(shipped: Classifier) -> None:
    assert "〔" in turn_lines(listen(shipped, SCAM).turns[2], colour=False)
    assert "〔" not in turn_lines(listen(shipped, [("主叫", "您订的蛋糕做好了，您看几点来取")]).turns[0], colour=False)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (SCAM, "只看主叫的话，被叫是接听方，不计分"),
        ([({"主叫": "A", "被叫": "B"}[s], w) for s, w in SCAM], "不知道谁是来电方，所有人的话都计分"),
        ([({"主叫": "A", "被叫": "B"}[s], w) for s, w in SCAM], "风险主要来自A"),
        ([("", w) for _, w in SCAM], "没有标明"),
        ([("被叫", w) for _, w in SCAM], "请用 --caller 指明来电方"),
        ([], "没有标明"),
    ],
)
def test_it_says_whose_words_count(shipped: Classifier, call: list[tuple[str, str]], said: str) -> None:
    assert said in call_lines(listen(shipped, call), colour=False)


def test_a_call_that_alarmed_is_never_said_to_be_fine(shipped: Classifier) -> None:
    found = listen(shipped, SCAM)
    for name in ("legit", "unsure"):
        told = call_lines(replace(found, verdict=replace(found.verdict, scam_verdict=name)), colour=False)
        assert "回落到预警线以下，仍请核实" in told
        assert told.endswith(NEXT_STEP["unsure"])
    assert "回落" not in call_lines(found, colour=False)


def test_a_call_with_a_tactic_is_not_said_to_be_free_of_signs(shipped: Classifier) -> None:
    found = listen(shipped, SCAM)
    calm = replace(found, alarm_turn=None, verdict=replace(found.verdict, scam_verdict="legit", scam_type="legit"))
    told = call_lines(calm, colour=False)
    assert "未见诈骗特征" not in told
    assert "上面列出的诈骗手法" in told.split("\n")[-1]
    assert call_lines(replace(calm, verdict=replace(calm.verdict, tactics=())), colour=False).endswith(NEXT_STEP["legit"])


@given(st.lists(st.tuples(hostile, hostile), max_size=4))
def test_any_call_is_told_without_a_control_character_and_a_line_a_turn(shipped: Classifier, call: list[tuple[str, str]]) -> None:
    found = listen(shipped, call)
    told = call_lines(found, colour=False)
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in told if c != "\n")
    for heard in found.turns:
        lines = turn_lines(heard, colour=False).split("\n")
        assert len(lines) == 1 + bool(heard.tactics) + (heard.alarm_turn == heard.turn)
