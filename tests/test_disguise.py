"""Disguise: keywords are read whatever is written for them, and what is meant as it stands stays."""

import numpy as np
import pytest
from hypothesis import given
from strategies import hostile

from classifier.corpus import Example
from classifier.disguise import lexicon, spoken, written
from classifier.evaluation.attacks import disguise, measured
from classifier.evaluation.disguises import ATTACKS, Attack, padding
from classifier.normalise import fold


def read(text: str) -> str:
    return fold([text]).text(0)


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        ("加薇信", "加微信"),
        ("加V❤号", "加微信号"),
        ("绿泡泡联系", "微信联系"),
        ("加vx聊", "加微信聊"),
        ("zfb付", "支付宝付"),
        ("验正码", "验证码"),
        ("安圈帐沪", "安全账户"),
        ("打开评目共响", "打开屏幕共享"),
        ("入民法院", "人民法院"),
        ("公安局账尸", "公安局账户"),
        ("亻言用卡", "信用卡"),
        ("钅艮行卡", "银行卡"),
        ("把钱车专 贝长", "把钱转账"),
        ("zhuanzhang给我", "转账给我"),
        ("公an局", "公安局"),
        ("银hang卡", "银行卡"),
        ("支fu宝", "支付宝"),
        ("找服客", "找客服"),
        ("幺零零八六", "0"),
        ("1OO86", "0"),
        ("补oooo元", "补0元"),
    ],
)
def test_keywords_are_read_through_disguise(raw: str, meant: str) -> None:
    assert read(raw) == meant


@pytest.mark.parametrize(
    "text",
    [
        *("时间自由", "专章", "货款已付", "东京", "成都银行", "转战长沙", "女子好看", "口十分干", "威信", "卫星云图", "一五一十", "三三两两"),
        *("hello大家好", "app下载", "wifi密码", "can不can", "abcde好", "贷款和货款", "日月明", "我们公分他们", "很行的", "己方"),
    ],
)
def test_what_is_meant_as_it_stands_stays(text: str) -> None:
    assert read(text) == text


def test_words_of_the_lexicon_stay() -> None:
    words = list(lexicon())
    folded = fold(words)
    assert [folded.text(k) for k in range(len(folded))] == words


@pytest.mark.parametrize("step", [written, spoken])
@given(hostile)
def test_readings_lie_apart_and_inside(step, text: str) -> None:  # type: ignore[no-untyped-def]
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    found = step(codes)
    assert (found.start < found.stop).all()
    assert (found.stop[:-1] <= found.start[1:]).all()
    assert not len(found.start) or (found.start[0] >= 0 and found.stop[-1] <= len(codes))


def test_honest_texts_are_hardly_changed(corpus: list[Example], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ordinary texts few hold what is taken for disguise (slips of the pen among them), so that it costs no false alarms."""
    plain = [e.text for e in corpus if e.ordinary and not e.kind.startswith("obf") and not e.id.startswith("v1")][:2000]
    with_it = fold(plain)
    monkeypatch.setattr("classifier.disguise.STEPS", ())
    without = fold(plain)
    changed = [k for k in range(len(plain)) if with_it.text(k) != without.text(k)]
    assert len(changed) < 0.03 * len(plain)


# -- the attack suite itself


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.name)
def test_a_disguise_changes_texts_and_always_in_the_same_way(attack: Attack, texts: list[str]) -> None:
    some = [*texts[:120], "请在jd.example.com或400-000-0000核实，卡号6222021234567890，转账前先加微信，QQ也行"]
    changed = [disguise(attack, text, attack.strengths[1]) for text in some]
    assert changed != some
    assert changed == [disguise(attack, text, attack.strengths[1]) for text in some]


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.readings == "one" and a.name[:2] not in ("25", "10", "11")], ids=lambda a: a.name)
def test_what_has_one_reading_is_read_as_it_was(attack: Attack, texts: list[str]) -> None:
    plain = [text for text in texts[:200] if text.isprintable()]
    same = [read(disguise(attack, text, strength)) == read(text) for text in plain for strength in attack.strengths]
    assert np.mean(same) > 0.95


def test_padding_keeps_the_text_whole() -> None:
    around = [f"第{k}条平常的消息" for k in range(20)]
    padded = disguise(padding(around), "把验证码发给我", 3)
    assert "把验证码发给我" in padded.split("\n")
    assert len(padded.split("\n")) == 4


def test_disguise_costs_no_more_than_it_may(corpus: list[Example]) -> None:
    """Every family at two strengths, on fraud and on legit texts, by models that saw neither: recall lost, false alarms won (see `ASKED`)."""
    measures = measured(corpus)
    assert len(measures) == 2 * (len(ATTACKS) + 1)
    assert [(m.attack.name, m.strength) for m in measures if not m.kept] == []
