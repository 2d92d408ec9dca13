"""A text that grows: after every line what it would get whole, at a cost that does not grow, and evidence that is the whole's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import hostile

from classifier import Classifier
from classifier.classify import Scored
from classifier.corpus import Example
from classifier.growing import EVIDENCE_ITEMS, MAX_LINE, GrowingText, Grown, grow
from classifier.passages import LONGEST
from classifier.records import Verdict

SPOILT = "您订的蛋糕做好了，您看几点来取".encode().decode("gb18030", "replace")
SPOKEN = (
    *("喂？", "您好，我是京东金融客服。", "您之前开通的校园贷账户需要注销，不然影响征信", "我没有开过啊", "嗯", "好", "好的好的", "。。。", "!?"),
    *(
        "请勿泄露验证码",
        "请您把钱转到安全账户，不要告诉任何人",
        "下载一个会议软件，打开屏幕共享",
        "客服：您好",
        "张三：在吗",
        "A：",
        "//您好",
        "  ",
        "1",
    ),
    *(
        "话" * 70,
        "话，" * 60,
        "a" * 90,
        "http://jd.example.com/a?b 点一下",
        "卡号是6222 0200 1234",
        "什么？什么？什么？",
        "\u200b",
        "\u200b" * 50 + "好",
        SPOILT,
    ),
)
lines_of_a_call = st.lists(st.sampled_from(SPOKEN) | hostile, max_size=40)


def as_text(lines: list[str]) -> str:
    """Lines under a label that is always seen, so that nothing in them is taken for one."""
    return "\n".join(f"A： {line.replace(chr(10), ' ')}" for line in lines)


def assert_alike(grown: Verdict, whole: Verdict) -> None:
    assert grown.probabilities == pytest.approx(whole.probabilities, abs=1e-9)
    assert grown.scam_score == pytest.approx(whole.scam_score, abs=1e-9)
    for key in ("scam_verdict", "scam_type", "status", "reason", "model", "schema_version"):
        assert getattr(grown, key) == getattr(whole, key), key


def assert_true_of(grown: Grown | None, scored: Scored, words: str, verdict: Verdict) -> None:
    assert grown is not None
    whole = {e.feature: e.contribution for e in scored.contributions(0, 1 if verdict.scam_verdict == "other_fraud" else 0)[1]}
    assert len(grown.evidence) <= EVIDENCE_ITEMS
    for e in grown.evidence:
        assert e.contribution == pytest.approx(whole[e.feature], abs=1e-6)
        assert e.span is not None
        assert 0 <= e.span[0] < e.span[1] <= len(words)


@given(lines_of_a_call)
def test_after_every_line_it_is_what_it_would_be_whole(shipped: Classifier, lines: list[str]) -> None:
    text, kept = GrowingText(shipped), list[str]()
    assert_alike(text.verdict, shipped.score(""))
    for words in lines:
        before = text.verdict
        grown = grow([text], words)
        if grown is None:
            assert text.verdict is before
            continue
        kept.append(words)
        scored = shipped.scan([as_text(kept)])
        assert_alike(text.verdict, scored.verdict_of(0))
        assert_true_of(grown, scored, words, text.verdict)


def test_so_it_is_on_the_calls_of_the_corpus(shipped: Classifier, corpus: list[Example]) -> None:
    long = 0
    for example in [e for e in corpus if e.turns][::25]:
        text, kept = GrowingText(shipped), list[str]()
        for _, words in example.turns:
            grown = grow([text], words)
            kept.append(words)
            scored = shipped.scan([as_text(kept)])
            assert_alike(text.verdict, scored.verdict_of(0))
            assert_true_of(grown, scored, words, text.verdict)
            long += len(as_text(kept)) > 3 * LONGEST
    assert long >= 50, "passages matter in many"


def test_a_tactic_is_joined_to_one_long_before(shipped: Classifier) -> None:
    small = [f"今天第{k}个人来我们这边吃饭" for k in range(300)]
    lines = ["您好，我是淘宝客服", *small, "请您把钱转到安全账户"]
    text = GrowingText(shipped)
    for words in lines:
        grow([text], words)
    assert_alike(text.verdict, shipped.score(as_text(lines)))


def test_texts_that_share_a_line_grow_as_they_would_alone(shipped: Classifier) -> None:
    both, one, alone, shared = (GrowingText(shipped) for _ in range(4))
    for k, words in enumerate(SPOKEN):
        first, second = grow([both, *([one] if k % 3 == 0 else [])], words), grow([shared], words)
        assert first == second
        if k % 3 == 0:
            grow([alone], words)
    assert both.verdict == shared.verdict
    assert one.verdict == alone.verdict
    assert one.verdict != both.verdict


@pytest.mark.parametrize("nothing", ["", " ", "\n", "\t", "\u200b\u3164", "\ufeff", "\u3000"])
def test_a_line_without_anything_to_read_changes_nothing(shipped: Classifier, nothing: str) -> None:
    text = GrowingText(shipped)
    grow([text], "您好，我是客服")
    before = text.verdict
    assert grow([text], nothing) is None
    assert text.verdict is before


def test_what_is_too_long_is_cut_said_so_and_never_called_legit(shipped: Classifier) -> None:
    text = GrowingText(shipped)
    grow([text], "今天天气很好。" * (MAX_LINE // 7 + 2))
    assert (text.verdict.status, text.verdict.scam_verdict) == ("truncated", "unsure")
    assert "只读了开头" in text.verdict.reason
    grow([text], "我是公安局的，你涉嫌洗钱，把钱转到安全账户，不要告诉任何人")
    assert text.verdict.scam_verdict == "impersonation", "what comes later is read all the same"


def test_invisible_floods_do_not_push_out_what_is_said(shipped: Classifier) -> None:
    text = GrowingText(shipped)
    for words in ("我是公安局的", "你涉嫌洗钱", "把钱转到安全账户", "不要告诉任何人"):
        grow([text], "\u200b" * MAX_LINE)
        grow([text], words + "\u200b" * (MAX_LINE - len(words)))
    assert text.verdict.scam_verdict == "impersonation"


class Counting(Classifier):
    """A classifier that counts the characters it reads."""

    read = 0

    def scan(self, texts):  # type: ignore[no-untyped-def]
        self.read += sum(map(len, texts))
        return super().scan(texts)


def test_the_ten_thousandth_line_costs_what_the_hundredth_did(shipped: Classifier) -> None:
    counting = Counting(shipped.model)
    text, cost = GrowingText(counting), []
    spoken = [words for words in SPOKEN if len(words) < 40]
    for k in range(10_000):
        counting.read = 0
        grow([text], f"{spoken[k % len(spoken)]}{k:05}")
        cost.append(counting.read)
    assert max(cost[1000:]) <= max(cost[:1000])
    assert sum(cost[-1000:]) <= 1.01 * sum(cost[:1000])
