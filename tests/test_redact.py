"""Masking of personal data: what goes, what stays, and that it never moves a span."""

import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.redact import redact, redact_columns, redact_person

# (text, what must be gone from it)
PERSONAL = [
    ("请联系13812345678", "12345678"),
    ("请联系138 1234 5678", "1234 56"),
    ("请联系１３８１２３４５６７８", "２３４５６"),
    ("+8613912345678来电", "912345"),
    ("打0755-26543210找我", "26543210"),
    ("身份证110101199003071234", "199003071234"),
    ("身份证11010119900307123X已核验", "19900307123X"),
    ("卡号6222021234567890123转账", "62220212345678"),
    ("卡号6222 0212 3456 7890 123", "0212 3456"),
    ("微信号：wxid_abc123", "wxid_abc123"),
    ("加V：abcd1234详聊", "abcd1234"),
    ("QQ群 123456789", "123456789"),
    ("发到zhang.san@example.com", "hang.san"),
    ("点 https://a.example.com/u/138?id=77 查看", "138?id=77"),
    ("点a.example.cn/u8f3查看", "u8f3"),
    ("验证码是834921，勿泄露", "834921"),
    ("834921（登录验证码）", "834921"),
    ("取件码5-2-1033", "5-2-1033"),
    ("一三八一二三四五六七八", "三八一二"),
    ("①③⑧①②③④⑤⑥⑦⑧", "①③⑧"),
    ("住南京西路123号5栋201室", "201"),
    ("护照E12345678", "2345678"),
    ("车牌京A12345违章", "12345"),
    ("运单SF1234567890123", "567890123"),
    ("尊敬的王小明先生", "小明"),
    ("亲爱的李雷，您好", "雷"),
    ("户名：韩梅梅", "梅梅"),
    ("我是赵六，你的班主任", "六"),
]
PUBLIC = [
    "请拨打官方热线95588或4008123123",
    "来自106912345678的通知",
    "110报警，96110咨询",
    "转账5000元，共计12,345.67元",
    "2026年3月15日12:30前办理",
    "我是客服小李的同事，请配合",
    "高级经理您好",
    "金牌老师带您操作",
    "This is available everywhere",
]


@pytest.mark.parametrize(("text", "gone"), PERSONAL)
def test_personal_data_is_masked(text: str, gone: str) -> None:
    masked = redact(text)
    assert gone not in masked
    assert "*" in masked


@pytest.mark.parametrize("text", PUBLIC)
def test_what_is_nobodys_stays(text: str) -> None:
    assert redact(text) == text


def test_a_link_keeps_its_host() -> None:
    assert redact("点https://www.xhs-kf.example.com/abc/def").startswith("点https://www.xhs-kf.example.com/")


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("0123456789-@:/.王先生微信号路栋验证码是")), max_size=80))
def test_a_mask_is_as_long_as_what_it_hides(text: str) -> None:
    masked = redact(text)
    assert len(masked) == len(text)
    assert all(a == b or b == "*" for a, b in zip(text, masked, strict=True))
    assert len(redact_person(text)) == len(text)


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.sampled_from(["", "电话", "：", " ", "（", "call "]),
    st.sampled_from(["", "。", ") ", "元", "转"]),
)
def test_no_mobile_number_survives_anywhere(number: str, before: str, after: str) -> None:
    assert number not in redact(f"{before}{number}{after}")
    assert number[3:9] not in redact(f"{before}{number}{after}")


@pytest.mark.parametrize(
    "unit", ["1", "一", "a.", "138 ", "路1", "微信", "A1", "1-", "验证码", "王", "栋1", "http://", "a-", "１", "a@", "姓名 ", "验证码("]
)
def test_time_is_linear_whatever_comes(unit: str) -> None:
    def seconds(size: int) -> float:
        begin = time.process_time()
        redact(unit * (size // len(unit)))
        return time.process_time() - begin

    # No limit on the clock: eight times the text may take at most forty times as long, where a quadratic pattern takes sixty-four.
    small = max(min(seconds(4_000) for _ in range(3)), 1e-3)
    assert seconds(32_000) < 40 * small


def test_columns_are_masked_by_what_they_hold() -> None:
    columns = {"id": 7, "date": 1488870000000, "address": "+8613812345678", "contact_name": "王小明", "手机": 13812345678, "n": None}
    columns |= {"turns": [{"speaker": "王小明", "text": "打13812345678"}], "score": 0.5, "ok": True}
    assert redact_columns(columns) == {
        "id": 7,
        "date": 1488870000000,
        "address": "+86138******78",
        "contact_name": "王**",
        "手机": "138******78",
        "n": None,
        "turns": [{"speaker": "王小明", "text": "打138******78"}],
        "score": 0.5,
        "ok": True,
    }


@pytest.mark.parametrize("name", ["candidate_phone", "update_note", "sentiment", "contact_time", "时间", "candidate_date"])
def test_a_name_that_speaks_of_time_hides_no_one(name: str) -> None:
    mobile = "138******78"
    values = {"13812345678": mobile, 13812345678: mobile, 6222021234567890123: "***************0123", "打13812345678": f"打{mobile}"}
    for value, masked in values.items():
        assert redact_columns({name: value, "n": 1}) == {name: masked, "n": 1}
    assert redact_columns({name: [13812345678, {name: "13812345678"}]}) == {name: [mobile, {name: mobile}]}


def test_a_person_is_masked_in_a_column_that_speaks_of_time_too() -> None:
    assert redact_columns({"contact_time": "王小明", "sender_date": "中国银行"}) == {"contact_time": "王**", "sender_date": "中国银行"}


@pytest.mark.parametrize(
    "moment", [1488870000000, "1488870000000", 1488870000, "20261123150507", "2026-11-23 15:05:07", "2026年11月23日 下午3:05", "2026-11-23", None, ""]
)
@pytest.mark.parametrize("name", ["date", "createTime", "时间", "contact_time"])
def test_a_moment_stays_where_it_is_called_one(name: str, moment: object) -> None:
    assert redact_columns({name: moment}) == {name: moment}


@given(st.text(alphabet=sorted(set(string.ascii_letters + " ,。您好") - set("qvQV")), max_size=40))
def test_plain_words_stay(text: str) -> None:
    assert redact(text) == text


def test_a_whole_number_with_a_point_is_masked_too() -> None:
    assert redact_columns({"phone": 13812345678.0, "sum": 12.5, "none": float("nan")})["phone"] == redact_columns({"phone": 13812345678})["phone"]
    assert redact_columns({"phone": 13812345678.0})["phone"] != 13812345678
    assert [str(v) for v in redact_columns({"sum": 12.5, "all": 12.0, "much": 1e300, "inf": float("inf")}).values()] == [
        "12.5",
        "12.0",
        "1e+300",
        "inf",
    ]
