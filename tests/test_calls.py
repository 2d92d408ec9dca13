"""A call as it is heard: whose words count, the alarm, the stage, who drives it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import hostile

from classifier import Call, Classifier, listen
from classifier.calls import ALARMS, PATH, SIDES, enough, risk
from classifier.classify import REASONS
from classifier.corpus import Example
from classifier.model import Cutoffs
from classifier.render_call import turn_lines
from classifier.tactics import STAGES, load_tactics
from classifier.turns import side_of, transcript

SCAM = [
    ("客户", "喂？"),
    ("客服", "您好，这里是京东金融客服中心，我的工号是0327。"),
    ("客户", "什么事"),
    ("客服", "您之前开通的校园贷账户需要注销，不然会影响您的个人征信。"),
    ("客户", "我没有开过啊，那怎么办"),
    ("客服", "您先下载一个会议软件，打开屏幕共享，我一步一步教您操作。"),
    ("客户", "好的"),
    ("客服", "然后把借出来的钱转到我们的清算账户，核实完就退给您。"),
]
GENUINE = [
    ("客服", "您好，您在我们店订的生日蛋糕做好了，您看下午几点过来取方便？"),
    ("客户", "四点吧"),
    ("客服", "好的，那我给您留到四点，到店报手机尾号就行。"),
]
ABOUT = (  # enough to judge, with a reason
    ("反诈中心提醒您：凡是自称公检法要求您转账到安全账户的都是诈骗", "防诈提醒"),
    ("我爸昨天接到电话，说他是公安局的，让把钱转到安全账户，是不是诈骗啊？我该怎么办", "转述"),
)
WORST = ("把钱转到安全账户，不要告诉任何人，验证码发给我", "我是公安局的，你涉嫌洗钱", "您好我是客服给您双倍赔偿打开支付宝备用金")
turns = st.lists(
    st.tuples(st.sampled_from(["客服", "客户", "A", ""]), st.sampled_from([w for _, w in SCAM] + [w for w, _ in ABOUT]) | hostile), max_size=12
)


def unlabelled(call: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [({"客户": "A", "客服": "B"}[speaker], words) for speaker, words in call]


def test_a_scam_turn_by_turn(shipped: Classifier) -> None:
    found = listen(shipped, SCAM)
    assert (found.verdict.scam_verdict, found.verdict.scam_type) == ("impersonation", "credit")
    assert found.alarm_turn in (2, 4, 6)
    assert found.stage == "转账"
    assert dict(found.stages)["身份建立"] < dict(found.stages)["转账"] == 8
    assert [turn.speaker for turn in found.turns] == [speaker for speaker, _ in SCAM]
    assert [turn.text for turn in found.turns] == [words for _, words in SCAM]
    assert "屏幕共享" in found.turns[5].tactics
    assert found.turns[5].evidence
    assert found.risk == found.turns[-1].risk == risk(found.verdict)


@pytest.mark.parametrize(("words", "reason"), ABOUT)
def test_what_is_about_fraud_is_judged_and_the_next_turn_changes_it(shipped: Classifier, words: str, reason: str) -> None:
    call = Call(shipped)
    first, second = call.hear(words), call.hear("您把验证码发给我，我帮您办理退款")
    assert reason in first.reason
    assert second.change == pytest.approx(second.risk - first.risk)
    assert "%" in turn_lines(first, colour=False)


def test_signs_of_both_sides_are_judged_and_marked(shipped: Classifier) -> None:
    heard = replace(Call(shipped).hear(WORST[0]), scam_verdict="unsure", reason=next(reason for reason in REASONS if "两方面" in reason))
    assert enough(heard)
    assert "〔" in turn_lines(heard, colour=False)


def test_a_genuine_call_does_not_alarm(shipped: Classifier) -> None:
    found = listen(shipped, GENUINE)
    assert (found.verdict.scam_verdict, found.alarm_turn, found.stage, found.stages) == ("legit", None, "", ())


@given(turns)
def test_every_turn_is_sound_and_the_last_is_the_call(shipped: Classifier, call: list[tuple[str, str]]) -> None:
    found = listen(shipped, call)
    assert len(found.turns) == len(call)
    before, enough_before, alarm = risk(shipped.score("")), False, None
    for number, (heard, (speaker, words)) in enumerate(zip(found.turns, call, strict=True), 1):
        assert (heard.turn, heard.speaker, heard.text) == (number, speaker, words)
        assert heard.side in SIDES
        assert heard.change == (pytest.approx(heard.risk - before) if enough_before else None)
        if not heard.scored:
            assert (heard.risk, heard.evidence, heard.tactics) == (before, (), ())
        alarm = alarm or (number if heard.scam_verdict in ALARMS else None)
        assert heard.alarm_turn == alarm
        assert (heard.speaker_risk is None) is (heard.side == "called" or not speaker)
        before, enough_before = heard.risk, not any(why in heard.reason for why in ("太少", "没有中文", "乱码"))
    assert found.alarm_turn == alarm
    assert found.risk == before
    assert sum(s.turns for s in found.speakers) == len(call)


@given(turns)
def test_the_risk_is_the_score_of_the_words_that_count(shipped: Classifier, call: list[tuple[str, str]]) -> None:
    kept = [("A", f" {heard.text}".replace("\n", " ")) for heard in listen(shipped, call).turns if heard.scored]
    assert listen(shipped, call).risk == pytest.approx(risk(shipped.score(transcript(kept))), abs=1e-9)


def test_a_file_that_is_labelled_gets_the_same_from_label_and_call(shipped: Classifier, corpus: list[Example]) -> None:
    compared = 0
    for example in [e for e in corpus if e.turns][::10]:
        if all(speaker in ("A", "B") for speaker, _ in example.turns):
            found, whole = listen(shipped, example.turns), shipped.score(example.text)
            assert found.verdict.scam_score == pytest.approx(whole.scam_score, abs=1e-9)
            assert (found.verdict.scam_verdict, found.verdict.scam_type) == (whole.scam_verdict, whole.scam_type)
            assert found.verdict.tactics == whole.tactics
            compared += 1
    assert compared >= 40


# -- whose words count


@given(st.lists(hostile | st.sampled_from(WORST), max_size=8), st.integers(0, len(SCAM)))
def test_what_the_called_person_says_moves_nothing_then_or_later(shipped: Classifier, said: list[str], at: int) -> None:
    silent = listen(shipped, SCAM)
    found = listen(shipped, [*SCAM[:at], *(("客户", words) for words in said), *SCAM[at:]])
    heard = [turn for turn in found.turns if turn.side == "called"]
    assert all(not turn.change and not turn.scored for turn in heard)
    assert [turn.risk for turn in found.turns if turn.scored] == [turn.risk for turn in silent.turns if turn.scored]
    assert (found.verdict, found.stage) == (silent.verdict, silent.stage)


def test_a_called_person_who_recites_the_scam_alone_is_not_judged(shipped: Classifier) -> None:
    found = listen(shipped, [("客户", words) for _, words in SCAM])
    assert found.alarm_turn is None
    assert (found.verdict.scam_verdict, found.stage) == ("unsure", "")
    assert "太少" in found.verdict.reason


def test_without_roles_nobody_is_guessed(shipped: Classifier) -> None:
    found = listen(shipped, unlabelled(SCAM))
    assert {s.side for s in found.speakers} == {"unknown"}
    assert all(turn.scored for turn in found.turns)
    assert found.driven_by == "B"
    own = {s.name: s.risk for s in found.speakers}
    for name in "AB":
        alone = [words for speaker, words in unlabelled(SCAM) if speaker == name]
        assert own[name] == pytest.approx(risk(shipped.score(transcript(("A", words) for words in alone))), abs=1e-9)
    swapped = listen(shipped, [({"A": "B", "B": "A"}[speaker], words) for speaker, words in unlabelled(SCAM)])
    assert swapped.driven_by == "A", "the order of the turns says nothing"
    assert [turn.risk for turn in swapped.turns] == [turn.risk for turn in found.turns]


def test_a_named_caller_is_the_only_label_that_counts(shipped: Classifier) -> None:
    named = listen(shipped, unlabelled(SCAM), callers=["B"])
    by_label = listen(shipped, SCAM)
    assert [turn.risk for turn in named.turns] == [turn.risk for turn in by_label.turns]
    assert {s.name: s.side for s in named.speakers} == {"A": "called", "B": "caller"}
    assert listen(shipped, SCAM, callers=["客户"]).stage == ""
    both = listen(shipped, [*unlabelled(SCAM), ("C", "我是公安局的"), ("", "喂")], callers=["B", "C"])
    assert [turn.scored for turn in both.turns[-2:]] == [True, True]


def test_one_speaker_drives_nothing(shipped: Classifier) -> None:
    assert listen(shipped, [("", words) for _, words in SCAM]).driven_by == ""
    assert listen(shipped, SCAM).driven_by == ""


# -- the alarm and the stage


def test_an_alarm_stays_on_record(shipped: Classifier) -> None:
    said = [
        ("", "您好，我是淘宝客服，您的账户异常，把验证码发给我"),
        ("", "逗你的，是我，晚上来家里吃饭吗，妈妈包了饺子，爸爸也回来了"),
        ("", "好的"),
    ]
    risks = [turn.scam_score for turn in listen(shipped, said).turns]
    assert risks[0] > risks[1]
    strict = Classifier(replace(shipped.model, cutoffs=Cutoffs(risks[0], 0.999, 0.9 * risks[0])))
    found = listen(strict, said)
    assert [turn.scam_verdict in ALARMS for turn in found.turns] == [True, False, False]
    assert [turn.alarm_turn for turn in found.turns] == [1, 1, 1]
    assert found.alarm_turn == 1


def test_the_path_has_every_stage_of_a_fraud() -> None:
    assert set(PATH) == set(STAGES) - {"提醒"}
    assert {t.stage for t in load_tactics().tactics if t.side == "fraud"} <= set(PATH)


def test_the_stage_is_the_furthest_and_never_goes_back(shipped: Classifier) -> None:
    call = Call(shipped)
    stages = [call.hear(words).stage for words in ("把钱转到安全账户", "您好，我是京东客服", "再不处理就要影响征信了")]
    assert stages == ["转账"] * 3
    assert [stage for stage, _ in call.verdict().stages] == ["转账", "身份建立", "威胁"]


# -- records


def test_hearing_a_call_is_hearing_its_turns(shipped: Classifier) -> None:
    call = Call(shipped)
    heard = tuple(call.hear(words, speaker) for speaker, words in SCAM)
    found = listen(shipped, SCAM)
    assert found.turns == heard
    assert call.verdict().turns == ()
    assert call.verdict().verdict == found.verdict


def test_nothing_was_said(shipped: Classifier) -> None:
    found = listen(shipped, [])
    assert (found.verdict.scam_verdict, found.turns, found.speakers, found.alarm_turn) == ("unsure", (), (), None)


def test_the_sides_of_the_table() -> None:
    for called in ("客户", "被叫", "用户2", " 我 ", "Customer", "机主"):
        assert side_of(called) == "called"
    for caller in ("客服", "主叫", "对方", "民警", "agent 1"):
        assert side_of(caller) == "caller"
    for nobody in ("A", "left", "甲", "说话人1", "SPEAKER_00", "王先生", "", "1"):
        assert side_of(nobody) == ""


@pytest.mark.parametrize("turns", [["您好"], ["您好", "再见"], [("您好",)], [("客服", None)], [(None, "您好")], [("客服", b"abc")]])
def test_what_is_no_turn_is_named(shipped: Classifier, turns: Any) -> None:
    with pytest.raises(TypeError, match=r"a turn is \(speaker, words\)|words and speaker are str"):
        listen(shipped, turns)


def test_one_label_is_no_list_of_callers(shipped: Classifier) -> None:
    with pytest.raises(TypeError, match="callers are a list of labels"):
        listen(shipped, [("客服", "您好")], "客服")
