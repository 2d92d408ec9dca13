"""Folding: what is read behind disguise, and the way back to the raw text, on any string."""

import re
import sys
import tracemalloc
import unicodedata
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import ATTACKS, batches, hostile

from classifier.disguise import lexicon
from classifier.normalise import LINK, MAX_CHARS, PAD, PADS, Folded, fold, is_han

KEYWORDS = {c for word in lexicon() for c in word} | set("qq微信")  # what disguise is undone for


def folded(text: str) -> str:
    return fold([text]).text(0)


def spans(batch: Folded, k: int) -> list[tuple[int, int]]:
    """The raw span of each folded character of message k."""
    return [batch.raw_span(i, i + 1) for i in range(batch.bounds[k], batch.bounds[k + 1] - PADS)]


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("驗證碼", "验证码"),
        ("ＪＤ客服", "京东客服"),
        ("验\u200b证\u3164码", "验证码"),
        ("验 证 码", "验证码"),
        ("客·服", "客服"),
        ("验\u0336证\u0336码\u0336", "验证码"),
        ("𝟒𝟎𝟎热线", "0热线"),
        ("①③⑧", "0"),
        ("卡号6222****1234", "卡号0"),
        ("尾号xx88", "尾号0"),
        ("共1,000.50元", "共0元"),
        ("共1,000.50元,谢谢", "共0元,谢谢"),
        ("3.5折", "0折"),
        ("点jd.example.com/a?b办理", f"点{LINK}办理"),
        ("点 https://a.cn 办理", f"点{LINK}办理"),
        ("hello world", "hello world"),
        ("\u202e码证验", "验证码"),
        ("\u202e\u202e码证验", "验证码"),  # one within another turns nothing back, and a flood of them takes no longer
        ("嘿澳注\n一門册\n倍威送\n官尼就\n网斯了", "嘿一倍官网澳门威尼斯注册送就了"),  # columns, to be read downwards
        ("嘿澳注 一門册 倍威送 官尼就 网斯了", "嘿一倍官网澳门威尼斯注册送就了"),
        ("办系马冻户您\n理客上结已的\n吧服联请被账", "您的账户已被冻结请马上联系客服办理吧"),  # from the right
        ("床前明月光\n疑是地上霜\n举头望明月\n低头思故乡", "床前明月光\n疑是地上霜\n举头望明月\n低头思故乡"),
        ("收货人：王某\n收货地：京城", "收货人:王某\n收货地:京城"),
        ("点abc点example点net/jc核验", f"点{LINK}核验"),
        ("入口 m。xxx。top/rate", f"入口{LINK}"),
        ("点t . c n/xxxx评分", f"点{LINK}评分"),
        ("说明：t . c n/xxxx", f"说明:{LINK}"),
        ("上午九点app更新", "上午九点app更新"),
        ("0×I", "0"),  # a letter beside a mask, as beside a digit
        ("卡号1o*l*o", "卡号0"),
        ("oooo元", "0元"),
        ("wifi1 lol", "wifi0 lol"),
        ("Αlipay аlipay", "alipay alipay"),
        ("A：喂\nB：您好", "喂\n您好"),
        ("第一行\r\n第二行", "第一行\n第二行"),
        ("", ""),
        ("\ud83d\x00\u200b", ""),
    ],
)
def test_disguise_is_read_through(raw: str, read: str) -> None:
    assert folded(raw) == read


@pytest.mark.parametrize("edge", ["\n", "\n\n", "\r\n", "\n \n", "\n\t\n"])
@pytest.mark.parametrize(
    "columns", ["您钱全面\n好转账去\n请到户谢\n把安里谢", "您钱全面 好转账去 请到户谢 把安里谢", "您钱全面\r\n好转账去\r\n请到户谢\r\n把安里谢"]
)
def test_blank_lines_around_columns_change_nothing_in_them(edge: str, columns: str) -> None:
    inside = fold([columns])
    assert inside.text(0) == "您好请把钱转到安全账户里面去谢谢"
    for before, after in ((edge, ""), ("", edge), (edge, edge)):
        batch = fold(["您好", f"{before}{columns}{after}"])
        assert batch.text(1).strip() == inside.text(0)
        first = batch.text(1).index("您")
        assert spans(batch, 1)[first : first + 16] == [(a + len(before), b + len(before)) for a, b in spans(inside, 0)]


@given(batches)
def test_every_folded_character_maps_back_in_the_order_it_is_read(texts: list[str]) -> None:
    batch = fold(texts)
    assert len(batch) == len(texts)
    for k, text in enumerate(texts):
        mine = spans(batch, k)
        assert all(0 <= start < end <= len(text) for start, end in mine)
        if "\u202e" not in text:
            assert all(a[1] <= b[0] for a, b in pairwise(mine))


def numbered(batch: Folded, k: int, text: str) -> set[int]:
    """Where digits stand that no character of the folded message stands for."""
    held = {i for start, end in spans(batch, k) for i in range(start, end)}
    return {i for i, c in enumerate(text) if c in "0123456789"} - held


@given(st.lists(hostile | st.text(alphabet="1234567890\u202e\u202c码*.\n", max_size=20), max_size=5))
def test_no_digit_is_lost_from_the_spans(texts: list[str]) -> None:
    batch = fold(texts)
    for k, text in enumerate(texts):
        assert batch.labelled[k] or not numbered(batch, k, text)


def test_a_run_that_crosses_an_overrides_edge_keeps_all_it_stands_for() -> None:
    batch = fold(["您的号码12\u202e43", "您的号码\u202e43\u202c12", "点www.a\u202enc.\u202c查"])
    assert [spans(batch, k)[4 if k < 2 else 1] for k in range(3)] == [(4, 9), (5, 10), (1, 10)]


@given(hostile)
def test_kept_characters_stand_where_the_map_says(text: str) -> None:
    batch = fold([text])
    for i, (start, end) in enumerate(spans(batch, 0)):
        c = batch.joined[i]
        if c not in f"0{LINK}" and c not in KEYWORDS:  # these may stand for a run; any other for one character, and folding that alone gives it again
            assert end == start + 1
            assert folded(f"{text[start]}") == c


@given(batches)
def test_pads_stand_between_messages_and_nowhere_else(texts: list[str]) -> None:
    batch = fold(texts)
    pads = np.zeros(len(batch.codes), dtype=bool)
    for stop in batch.bounds[1:]:
        pads[stop - PADS : stop] = True
    assert ((batch.codes == ord(PAD)) == pads).all()
    assert (batch.begin[pads] == -1).all()
    assert batch.message_of.tolist() == [k for k in range(len(batch)) for _ in range(batch.bounds[k], batch.bounds[k + 1])]


@given(batches)
def test_a_batch_is_folded_as_its_messages_alone(texts: list[str]) -> None:
    batch = fold(texts)
    for k, text in enumerate(texts):
        alone = fold([text])
        assert alone.text(0) == batch.text(k)
        assert spans(alone, 0) == spans(batch, k)
        assert (alone.repaired[0], alone.truncated[0]) == (batch.repaired[k], batch.truncated[k])


@given(hostile)
def test_folding_a_folded_text_changes_nothing_more(text: str) -> None:
    """But for labels, which are cut out once and not to the bottom, and links, whose mark is read in no message."""
    once = folded(text.replace(":", "").replace("：", ""))
    again = folded(once)
    assert len(again) <= len(once)
    if not re.search(f"[{LINK}./ ]|0,0", once):  # what a masked number leaves may look like a link, or like a part of the next
        assert again == once


@given(hostile)
def test_a_folded_text_holds_nothing_invisible_and_can_be_written(text: str) -> None:
    once = folded(text)
    once.encode("utf-8")
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Mn") for c in once if c != "\n")


def lines_folded(chars: list[str]) -> list[str]:
    """Each character folded on a line of its own."""
    batch = fold(["\n".join(chars[i : i + 90_000]) for i in range(0, len(chars), 90_000)])
    return [line for k in range(len(batch)) for line in batch.text(k).split("\n")]


def test_the_table_leads_straight_to_its_end() -> None:
    read = sorted(set(lines_folded([chr(c) for c in range(0x110000)])) - {"", LINK})
    assert len(read) > 100_000
    assert lines_folded(read) == read


def test_no_digit_but_zero_is_ever_left() -> None:
    old_digits = [
        chr(c) for c in range(0x110000) if unicodedata.digit(chr(c), None) is not None and unicodedata.ucd_3_2_0.digit(chr(c), None) is not None
    ]
    assert len(old_digits) > 200
    batch = fold([f"号{c}" for c in old_digits])
    assert {batch.text(k) for k in range(len(batch))} == {"号0"}


@given(hostile)
def test_no_text_leaves_a_digit_but_zero(text: str) -> None:
    assert not set(folded(text)) & set("123456789")


@pytest.mark.parametrize("text", ["\ud800您好", "您\x00好", "您\x07好", "您\ufffd好"])
def test_unreadable_characters_are_reported(text: str) -> None:
    batch = fold([text, "您好\t\r\n"])
    assert batch.repaired.tolist() == [True, False]
    assert batch.text(0) == "您好"


def test_the_rest_of_a_very_long_text_is_reported_as_not_read() -> None:
    batch = fold(["好" * MAX_CHARS, "好" * MAX_CHARS + "验证码"])
    assert batch.truncated.tolist() == [False, True]
    assert batch.text(0) == batch.text(1)


def test_no_message_at_all() -> None:
    batch = fold([])
    assert len(batch) == 0
    assert batch.joined == ""


def test_han() -> None:
    assert is_han(np.array([ord(c) for c in "中a0\n𠮷。"], dtype=np.uint32)).tolist() == [True, False, False, False, True, False]


@pytest.mark.parametrize("unit", ATTACKS, ids=lambda u: u.encode("unicode_escape").decode())
def test_the_longest_text_of_any_repetition_is_folded(unit: str) -> None:
    """A step that is quadratic takes hours on these; the suite would never end."""
    text = (unit * (MAX_CHARS // len(unit)) + "/")[:MAX_CHARS]
    batch = fold([text, "/" + text])
    assert all(end <= MAX_CHARS for _, end in spans(batch, 0)[-1:])


@pytest.mark.parametrize("unit", ["请把钱转到安全账户，", "a.b.c.cn/d ", "1 2*3x ", "退\u0301\u0301\u0301款", "A：喂\n", "12:30 客服：您好\n"])
def test_work_grows_with_the_text_and_no_faster(unit: str) -> None:
    once, twice = (work(unit * n) for n in (2000, 4000))
    assert twice[0] <= 2.1 * once[0] + 100, "lines run"
    assert twice[1] <= 2.1 * once[1] + 100_000, "bytes held"


def work(text: str) -> tuple[int, int]:
    """(lines of Python run, bytes held at most) while a text is folded."""
    fold(["warm"])
    lines = 0

    def count(frame, event, arg):
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        fold([text])
    finally:
        sys.settrace(before)
    tracemalloc.start()
    try:
        fold([text])
        return lines, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
