"""What a person reads: the verdict in Chinese, the message as it was sent with its evidence marked, and nothing that steers a terminal."""

import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from strategies import hostile

from classifier import Classifier, Verdict
from classifier.records import IMPERSONATION, TYPE_NAMES, TYPES, VERDICT_NAMES, Evidence
from classifier.render import NEXT_STEP, marked, next_step, terminal, visible

SCAM = "您好，我是淘宝客服，您买的衣服质量有问题，给您双倍赔偿，请把验证码发给我"


def plain(text: str, _: str) -> str:
    return text


def verdict(**changed: object) -> Verdict:
    rest = {"scam_score": 0.5, "scam_verdict": "unsure", "scam_type": "credit", "probabilities": dict.fromkeys(TYPES, 1 / len(TYPES))}
    return Verdict(**{**rest, **changed})  # type: ignore[arg-type]


@given(hostile)
def test_nothing_that_steers_or_hides_is_left(text: str) -> None:
    shown = visible(text)
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in shown if c != "\n")
    shown.encode("utf-8")


@given(hostile)
def test_what_is_written_out_once_stays(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@pytest.mark.parametrize(
    "hidden",
    [
        "\x1b[2J",
        "\x07",
        "\r",
        "\x7f",
        "\x9b31m",
        "\u200b",
        "\u200d",
        "\ufeff",
        "\u202e",
        "\u2066",
        "\u00ad",
        "\u2028",
        "\u3164",
        "\u115f",
        "\u2800",
        "\ud83d",
        "\U000e0041",
        "\U000e0101",
    ],
    ids=ascii,
)
def test_each_is_named(hidden: str) -> None:
    assert f"␣U+{ord(hidden[0]):04X}" in visible(f"验{hidden}证")
    assert hidden not in visible(f"验{hidden}证")


@pytest.mark.parametrize("text", ["您好，世界。", "a b\nc", "😀", "（１２３）", "繁體字", "❤️"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize("colour", [True, False])
def test_a_verdict_is_told_whole(shipped: Classifier, colour: bool) -> None:
    found = shipped.score(SCAM)
    told = terminal(SCAM, found, colour)
    for part in (VERDICT_NAMES["impersonation"], TYPE_NAMES[found.scam_type], *found.tactics, NEXT_STEP["impersonation"]):
        assert part in told
    assert ("\x1b[" in told) is colour
    unmarked = re.sub("\x1b\\[[0-9;]*m|[〔〕]", "", told)
    assert SCAM in unmarked, "the message is shown as it was sent"


def test_marks_quote_the_raw_text_where_the_evidence_is(shipped: Classifier) -> None:
    text = "您好，我是淘\u200b宝客服，請把驗證碼發給我，办理ＡＢ理赔１２３元"
    found = shipped.score(text)
    told = terminal(text, found, colour=False)
    quotes = re.findall("〔(.*?)〕", told)
    assert quotes
    body = next(line for line in told.split("\n") if "〔" in line)
    assert body.replace("〔", "").replace("〕", "") == visible(text)
    named = {f"tactic:{name}" for name in found.tactics}
    assert "tactic:自称客服" in named
    covered = {i for e in found.evidence if e.span and (e.contribution > 0.05 or e.feature in named) for i in range(*e.span)}
    assert "".join(quotes) == "".join(visible(c) for i, c in enumerate(text) if i in covered)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(0, 2)], "〔一二〕三四五"),
        ([(0, 2), (3, 5)], "〔一二〕三〔四五〕"),
        ([(0, 3), (1, 4)], "〔一二三四〕五"),
        ([(0, 2), (2, 4)], "〔一二三四〕五"),
        ([(3, 4), (0, 5)], "〔一二三四五〕"),
        ([], "一二三四五"),
    ],
)
def test_overlapping_evidence_is_marked_once(spans: list[tuple[int, int]], expected: str) -> None:
    evidence = tuple(Evidence("char:x", 1.0, span) for span in spans)
    assert expected in terminal("一二三四五", verdict(evidence=evidence), colour=False).split("\n")


def test_only_what_speaks_for_fraud_is_marked() -> None:
    evidence = (Evidence("char:x", -1.0, (0, 1)), Evidence("char:y", 0.001, (1, 2)), Evidence("form:z", 2.0, None), Evidence("char:w", 1.0, (3, 4)))
    assert "一二三〔四〕五" in terminal("一二三四五", verdict(evidence=evidence), colour=False)
    assert "〔" not in terminal("一二三四五", verdict(evidence=evidence, scam_verdict="legit", scam_type="legit"), colour=False)


def test_marks_enclose_what_is_written_out() -> None:
    assert marked("验\u200b证码", [(0, 3)], plain) == "〔验␣U+200B证〕码"


@pytest.mark.parametrize("name", VERDICT_NAMES)
def test_every_verdict_has_a_next_step(name: str) -> None:
    kind = {"impersonation": IMPERSONATION[0], "unsure": "credit"}.get(name, name)
    told = terminal("一二三四五", verdict(scam_verdict=name, scam_type=kind, reason="说明一句"), colour=False)
    assert f"结论：{VERDICT_NAMES[name]}" in told
    assert "说明：说明一句" in told
    assert told.endswith(f"下一步：{NEXT_STEP[name]}")
    assert (f" · {TYPE_NAMES[kind]}" in told.split("\n")[0]) is (name in ("impersonation", "other_fraud"))


def test_what_is_called_legit_is_not_said_to_be_free_of_signs_beside_a_tactic() -> None:
    legit = verdict(scam_verdict="legit", scam_type="legit", tactics=("索要验证码",))
    told = terminal("一二三四五", legit, colour=False)
    assert "索要验证码：" in told
    assert "未见诈骗特征" not in told
    assert "上面列出的诈骗手法" in told.split("\n")[-1]
    assert next_step(replace(legit, scam_verdict="impersonation")) == NEXT_STEP["impersonation"]


@pytest.mark.parametrize("text", ["", "   ", "hello this is your bank, call 12345678", "好的", "鎴戞槸瀹㈡湇锛屾妸楠岃瘉鐮佸彂缁欐垜"])
def test_where_nothing_can_be_judged_nothing_is_made_of_it(shipped: Classifier, text: str) -> None:
    told = terminal(text, shipped.score(text), colour=False)
    assert told.startswith("结论：存疑\n说明：")
    assert "%" not in told
    assert "〔" not in told
    assert "完整的文字" in told.split("\n")[-1]


@pytest.mark.parametrize(("p", "shown"), [(0.0, "<0.1%"), (0.0004, "<0.1%"), (0.5, "50.0%"), (0.9996, ">99.9%"), (1.0, ">99.9%")])
def test_no_probability_is_said_to_be_certain(p: float, shown: str) -> None:
    assert f"冒充类诈骗概率：{shown}" in terminal("一二三四五", verdict(scam_score=p), colour=False)


@given(hostile)
def test_any_message_is_told_without_a_control_character(shipped: Classifier, text: str) -> None:
    told = terminal(text, shipped.score(text), colour=False)
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in told if c != "\n")
