"""The whole pass: clear cases, honest doubt, and a batch that is scored as its messages one by one."""

import json
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from strategies import ATTACKS, batches, hostile

from classifier import TYPES, VERDICTS, Classifier, Verdict
from classifier.classify import BEYOND_DOUBT, EVIDENCE_ITEMS, signs
from classifier.corpus import Example
from classifier.normalise import MAX_CHARS
from classifier.records import IMPERSONATION
from classifier.tactics import load_tactics

FRAUD = [
    ("您好，我是淘宝客服，您买的衣服甲醛超标，我们给您双倍赔偿，请您打开支付宝备用金把额度提出来，再转到理赔专员的账户。", "ecommerce"),
    ("您的快递在运输途中丢失，现在给您理赔，请加理赔专员QQ，扫码进入理赔中心填写银行卡号和验证码。", "ecommerce"),
    ("您好，这里是银监会，您名下有学生贷款账户没有注销，会影响您的征信，请下载会议软件打开屏幕共享，把各平台的额度借出来转到清算账户。", "credit"),
    ("我是市公安局王警官，你名下银行卡涉嫌洗钱案，现在对你进行资产清查，请把钱转到安全账户，不要告诉任何人，不要挂电话。", "authority"),
    ("爸，我手机摔坏了，这是我同学的号，老师让交培训费两万，你直接转到这个账户，我在上课不方便接电话。", "acquaintance"),
    ("【工商银行】您的手机银行将于今日失效，请立即登录 http://icbc.example.top/wap 更新身份信息并输入验证码，逾期冻结。", "institution"),
]
NEWS = "您订的蛋糕做好了，您看几点来取，我们晚上九点关门"
LEGIT = [
    "【菜鸟驿站】您的包裹已到菜鸟驿站，请凭取货码5-2-1033于今日21点前领取。",
    "明天中午一起吃饭吗？我订了楼下那家川菜馆，十二点见。",
    "【中国移动】尊敬的客户，您上月话费58.60元，当前余额23.40元，详情请登录中国移动APP查询。",
    "妈，我周五晚上的高铁，大概九点到家，不用等我吃饭。",
    "【12306】您已购买11月23日G102次列车车票，请携带有效身份证件乘车。",
]


@pytest.mark.parametrize(("text", "kind"), FRAUD)
def test_clear_fraud(shipped: Classifier, text: str, kind: str) -> None:
    verdict = shipped.score(text)
    assert verdict.scam_verdict == "impersonation"
    assert verdict.scam_type == kind
    assert verdict.tactics
    assert verdict.reason == ""


@pytest.mark.parametrize("text", LEGIT)
def test_clear_everyday_messages(shipped: Classifier, text: str) -> None:
    verdict = shipped.score(text)
    assert (verdict.scam_verdict, verdict.scam_type) == ("legit", "legit")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "太少"),
        (" \n\t ", "没有中文|太少"),
        ("😀🎉👍", "没有中文"),
        ("Please call your bank at once and read us the code", "没有中文"),
        ("https://a.example.com/x", "没有中文"),
        ("482913", "没有中文"),
        ("\x00\ud83d", "太少"),
        ("好的", "太少"),
        ("验证码", "太少"),
        (NEWS.encode().decode("gb18030", "replace"), "乱码"),
        (NEWS.encode().decode("gb18030", "replace") * 20_000, "乱码"),
        (NEWS.encode().decode("big5hkscs", "replace"), "乱码"),
        ("铦秃辰貮皦魈屆颳獩鐦煗蓺佲病夐賶岷踥樻鮅", "乱码"),
    ],
)
def test_too_little_to_tell_is_unsure_and_says_why(shipped: Classifier, text: str, reason: str) -> None:
    verdict = shipped.score(text)
    assert verdict.scam_verdict == "unsure"
    assert any(part in verdict.reason for part in reason.split("|"))


@pytest.mark.parametrize("text", [NEWS, "您嘅快遞到咗喇，佢喺門口等緊你", "佢喺度冇嘢做", "鱻滷麵館今日歇業一天", "喆堃、淼鑫，周六下午三点老地方见"])
def test_what_can_be_read_is_not_taken_for_garbled(shipped: Classifier, text: str) -> None:
    assert not shipped.score(text).reason


@pytest.mark.parametrize("text", [text for text, _ in FRAUD])
def test_rare_characters_added_to_it_do_not_hide_a_request(shipped: Classifier, text: str) -> None:
    verdict = shipped.score(f"{text}\n{'䶮䶵䶯' * len(text)}")
    assert (verdict.scam_verdict, verdict.reason) == ("impersonation", "")


def test_what_was_not_fully_read_is_never_called_legit(shipped: Classifier) -> None:
    long = "今天天气很好，我们去公园走走吧。" * (MAX_CHARS // 16 + 1)
    verdict = shipped.score(long)
    assert shipped.score(long[: MAX_CHARS - 1]).scam_verdict == "legit"
    assert (verdict.status, verdict.scam_verdict) == ("truncated", "unsure")
    assert "只读了开头" in verdict.reason


def test_unreadable_characters_are_reported(shipped: Classifier) -> None:
    assert shipped.score("您的快递\ud83d已到\x00菜鸟驿站").status == "repaired"
    assert shipped.score("您的快递😀已到\t菜鸟驿站\r\n").status == "ok"


def test_long_padding_does_not_hide_a_request(shipped: Classifier) -> None:
    padding = "今天天气很好，我们去公园走走吧，顺便买点菜回来做饭。" * 20
    verdict = shipped.score(padding + FRAUD[3][0] + padding)
    assert verdict.scam_verdict != "legit"


@pytest.mark.parametrize("text", [None, b"abc", 3, float("nan"), ["您好"]])
def test_what_is_no_text_is_named(shipped: Classifier, text: Any) -> None:
    with pytest.raises(TypeError, match=f"a text is a str, not {type(text).__name__}"):
        shipped.score(text)
    with pytest.raises(TypeError, match=f"a text is a str, not {type(text).__name__}"):
        shipped.score_batch(["您好", text])


@pytest.mark.parametrize(("texts", "said"), [("您好", "one text"), ((t for t in "您好"), "generator"), (None, "NoneType"), ({"您好"}, "set")])
def test_what_is_no_list_of_texts_is_named(shipped: Classifier, texts: Any, said: str) -> None:
    with pytest.raises(TypeError, match=f"a list of texts is wanted, not {said}"):
        shipped.score_batch(texts)


def test_arrays_are_lists_of_texts(shipped: Classifier) -> None:
    assert shipped.score_batch(np.array(LEGIT)) == shipped.score_batch(LEGIT) == shipped.score_batch(tuple(LEGIT))  # type: ignore[arg-type]


# -- any text


class Column(list[str]):
    """As a table's: an index in brackets is a row's name, which need not be its number."""

    def __getitem__(self, name: Any) -> Any:
        return Column(list(self)[name]) if isinstance(name, slice) else {"a": 0, "b": 1}[name]


def test_a_column_of_a_table_is_a_list_of_texts(shipped: Classifier) -> None:
    texts = ["客服：您好 请把验证码发给我", "好的，晚上见"]
    assert shipped.score_batch(Column(texts)) == shipped.score_batch(texts)


@given(batches)
def test_a_batch_is_scored_as_its_messages_one_by_one(shipped: Classifier, texts: list[str]) -> None:
    assert shipped.score_batch(texts, evidence=True) == [shipped.score(t) for t in texts]


def test_real_messages_are_scored_alike_alone_and_in_any_company(shipped: Classifier, texts: list[str]) -> None:
    together = dict(zip(texts, shipped.score_batch(texts, evidence=True), strict=True))
    shuffled = random.Random(2).sample(texts, len(texts))
    for size in (1, 7, 100):
        for i in range(0, 200, size):
            part = shuffled[i : i + size]
            assert shipped.score_batch(part, evidence=True) == [together[t] for t in part]


@given(hostile)
def test_a_verdict_of_any_text_is_sound(shipped: Classifier, text: str) -> None:
    verdict = shipped.score(text)
    assert 0 <= verdict.scam_score <= 1
    assert verdict.scam_verdict in VERDICTS
    assert tuple(verdict.probabilities) == TYPES
    assert sum(verdict.probabilities.values()) == pytest.approx(1)
    assert sum(verdict.probabilities[t] for t in IMPERSONATION) == pytest.approx(verdict.scam_score)
    allowed = {"impersonation": IMPERSONATION, "other_fraud": ("other_fraud",), "legit": ("legit",), "unsure": TYPES}
    assert verdict.scam_type in allowed[verdict.scam_verdict]
    known = {t.name for t in load_tactics().tactics if t.side == "fraud"}
    assert set(verdict.tactics) <= known
    assert len([e for e in verdict.evidence if not e.feature.startswith("tactic:")]) <= EVIDENCE_ITEMS
    for e in verdict.evidence:
        assert e.span is None or 0 <= e.span[0] < e.span[1] <= len(text)
    json.dumps(verdict.as_dict(), allow_nan=False).encode("utf-8")


@pytest.mark.parametrize("unit", ATTACKS, ids=lambda u: u.encode("unicode_escape").decode())
def test_the_longest_text_of_any_repetition_is_scored(shipped: Classifier, unit: str) -> None:
    shipped.score((unit * (50_000 // len(unit) + 1))[:50_000])


def test_no_messages(shipped: Classifier) -> None:
    assert shipped.score_batch([]) == []
    assert len(shipped.scan([])) == 0


def test_evidence_is_given_where_it_is_asked_for(shipped: Classifier) -> None:
    text = FRAUD[0][0]
    (without,) = shipped.score_batch([text])
    assert without.evidence == ()
    assert shipped.score(text).evidence
    assert without == Verdict(**{**shipped.score(text).__dict__, "evidence": ()})


def test_a_tactic_in_the_evidence_says_why_it_matters(shipped: Classifier) -> None:
    told = [e for text, _ in FRAUD for e in shipped.scan([text]).contributions(0)[1] if e.feature.removeprefix("tactic:") in load_tactics().explain]
    assert told
    assert all(e.explain for e in told)


def test_threads_share_a_classifier(shipped: Classifier, texts: list[str]) -> None:
    expected = shipped.score_batch(texts[:60])
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda t: shipped.score_batch([t])[0], texts[:60])) == expected


def test_scoring_loads_no_training_library() -> None:
    program = """
import sys, json
import classifier
classifier.load().score_batch(["我是客服，把验证码发给我，我帮您办理退款"] * 3, evidence=True)
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, encoding="utf-8", check=True)
    loaded = set(json.loads(done.stdout))
    assert not loaded & {"sklearn", "scipy", "pandas", "joblib", "tqdm", "xlsxwriter", "python_calamine", "pickle5", "torch"}


def test_importing_the_package_reads_no_file_but_code() -> None:
    program = """
import sys
import numpy
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
import classifier
print([path for path in opened if not path.endswith((".py", ".pyc"))])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "[]"


def test_a_tactic_that_is_named_is_shown_where_it_stands(shipped: Classifier, texts: list[str]) -> None:
    weighed = {shipped.model.names[row] for row in np.flatnonzero(shipped.model.tactics)}
    assert {f"tactic:{t.name}" for t in load_tactics().tactics} >= weighed > {"tactic:自称客服", "tactic:索要验证码"}
    shown = 0
    assert "自称客服" in shipped.score("我是小红书客服，你之前的订单质量有问题").tactics
    for text, verdict in zip(texts, shipped.score_batch(texts, evidence=True), strict=True):
        places = {e.feature: e.span for e in verdict.evidence}
        for tactic in verdict.tactics:
            if f"tactic:{tactic}" in weighed:
                start, stop = places[f"tactic:{tactic}"] or (0, 0)
                assert 0 <= start < stop <= len(text)
                shown += 1
    assert shown > 10


def test_strong_evidence_on_both_sides_is_unsure(shipped: Classifier, corpus: list[Example]) -> None:
    eager = Classifier(shipped.model.at(max_false_alarms=0.05))  # which doubts more of what it calls fraud, whatever it was trained on
    scored = eager.scan([e.text for e in corpus if not e.turns][:6000])
    told = signs(scored.tactic_set, scored.hits, len(scored))[:, 1]
    cut = eager.model.cutoffs
    called = (scored.outcome[:, 0] >= cut.impersonation) | (scored.outcome[:, 1] >= cut.other_fraud)
    doubted = told & called & (scored.outcome[:, 2] > 1 - BEYOND_DOUBT)
    assert doubted.any()
    for k in np.flatnonzero(doubted).tolist():
        assert scored.verdict_of(k).scam_verdict == "unsure"
        assert "两方面" in scored.verdict_of(k).reason
    assert not any("两方面" in scored.verdict_of(k).reason for k in np.flatnonzero(~doubted)[:500].tolist())
    sure = told & called & ~doubted
    assert all(scored.verdict_of(k).scam_verdict in ("impersonation", "other_fraud") for k in np.flatnonzero(sure).tolist())
