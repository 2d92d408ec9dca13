"""Personal data in Chinese messages, masked: phones, identity and bank cards, accounts, addresses, links, mail, names, codes.

Owns the patterns. Knows nothing of files or scores. A mask has as many characters as what it hides, so every span of evidence stays
where it was. Service numbers (955xx, 400, 1069…) stay: they are nobody's, and are what an analyst groups by. It errs towards
masking; a text that was masked is still personal where its story is, so this lowers a risk and ends none.
"""

import re
from collections.abc import Callable
from typing import Any

from .moments import iso

_D = "[0-9０-９]"
_GAP = r"[ \-—－·.]?"  # what people put between groups of digits
_LETTER = "A-Za-z0-9_０-９"
# The hundred commonest family names cover some 85% of people (Ministry of Public Security, name report of 2020), and the double ones.
_FAMILY = (
    "(?:欧阳|司马|上官|诸葛|司徒|东方|皇甫|尉迟|公孙|慕容|"
    "[王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石"
    "姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文])"
)
_TITLE = "(?:先生|女士|小姐|同学|老师|阿姨|大哥|大姐|师傅|经理|警官|律师|医生|同志|您好|你好)"
_CARRIERS = "姓名|户名|收款人|收件人|持卡人|联系人|客户名|开户名"
# Words that are shaped like a name and are none: 高级经理, 金牌老师.
_NOT_NAMES = "高级|金牌|方便|常见|任何|白金|黄金|万能|钱包|文明|易购|顾客|马上|许多|何时|于是|曾经|康复|石油|江苏|高中|高校"


def _keep(head: int, tail: int) -> Callable[[str], str]:
    """Masks all but the first and last characters."""
    return lambda s: s[:head] + "*" * (len(s) - head - tail) + (s[-tail:] if tail else "")


def _link(s: str) -> str:
    """A link keeps its host: it is what tells one site from another; paths and queries name the person."""
    host = re.match(r"(?:https?://)?[^/?#]+", s)
    end = host.end() if host else 0
    return s[:end] + "".join(c if c in "/?" else "*" for c in s[end:])


def _digits(s: str) -> str:
    return re.sub(_D, "*", s)


_TAIL = r"[^\s一-鿿，。；！）】》]+"  # of a link: up to Chinese text
_MESSENGER = "微信|薇信|威信|扣扣|企鹅|v信|[加➕]v|(?<![a-z])(?:wechat|vx|qq|v(?=[:：]))"
_BIRTH = rf"(?:{_D}{{8}}{_GAP}{_D}{{3}}[0-9０-９XxＸｘ]|{_D}{{9}})"  # and what follows it on an identity card
_HOME = "(?:号楼|号|弄|栋|幢|座|楼|层|单元|室|房|组|户)"
# In this order: what is taken by one is gone for the next. The group is what is masked, or the whole where there is none.
_MASKS: tuple[tuple[str, re.Pattern[str], Callable[[str], str]], ...] = tuple(
    (name, re.compile(pattern), mask)
    for name, pattern, mask in (
        ("link", rf"(?:https?://|www\.){_TAIL}|(?<![@A-Za-z0-9_.-])(?:[a-zA-Z0-9-]{{1,63}}\.){{1,6}}[a-zA-Z]{{2,6}}/{_TAIL}", _link),
        ("mail", r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}(?=@[A-Za-z0-9-]{1,63}\.[A-Za-z0-9])", _keep(1, 0)),
        ("identity card", rf"(?<!{_D})(?:[1１][1-5１-５]|[2-9２-９]{_D}){_D}{{4}}{_GAP}{_BIRTH}(?!{_D})", _keep(3, 0)),
        ("bank card", rf"(?<!{_D})(?!(?:1069|1065|1068){_D})(?:{_D}{{4}}{_GAP}){{3,4}}{_D}{{1,7}}(?!{_D})", _keep(0, 4)),
        ("mobile", rf"(?<!{_D})[1１][3-9３-９]{_D}{_GAP}(?:{_D}{{4}}{_GAP}{_D}{{4}}|{_D}{{3}}{_GAP}{_D}{{5}}|{_D}{{8}})(?!{_D})", _keep(3, 2)),
        ("telephone", rf"(?<!{_D})0{_D}{{2,3}}[ \-—－]?[2-9]{_D}{{6,7}}(?!{_D})", _keep(3, 0)),
        ("spoken number", "[零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖两]{7,}|[①-⑨⓪❶-❾]{5,}", _keep(0, 0)),
        ("passport", rf"(?<![{_LETTER}])[EGHMCDPS][A-Za-z]?{_D}{{7,8}}(?!{_D})", _keep(1, 0)),
        ("number plate", rf"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·• ]?[A-Z0-9]{{5,6}}(?![{_LETTER}])", _keep(2, 0)),
        ("code", rf"(?:验证码|校验码|动态码|取件码|提取码|口令|密码)[^0-9０-９A-Za-z]{{0,8}}({_D}{{4,8}}|{_D}+(?:-{_D}+)+)", _digits),
        ("code before its name", rf"(?<!{_D})({_D}{{4,8}})(?=[^0-9０-９一-鿿]{{0,3}}(?:[（(]|是|为|您的)?.{{0,6}}(?:验证码|校验码|动态码))", _digits),
        ("account", rf"(?i:{_MESSENGER})(?:号码?|群)?[^{_LETTER}一-鿿]{{0,3}}[是为]?[:：]?\s*([{_LETTER}-]{{5,20}})", _keep(0, 0)),
        ("long number", rf"(?<!{_D})(?!(?:1069|1065|1068|400|800|955){_D}|(?:19|20)[0-9]{{2}}[01][0-9][0-3][0-9](?![0-9])){_D}{{8,}}", _keep(2, 0)),
        ("letters and digits", r"(?<![A-Za-z0-9])(?=[A-Z]*[0-9])[A-Z]{1,4}[0-9]{8,}(?![A-Za-z0-9])", _keep(2, 0)),
        ("address", rf"[一-鿿]{{1,8}}(?:路|街|道|巷|弄|小区|花园|公寓|大厦|新村|村)((?:{_D}+[-－]?{_HOME}?)+)", _digits),
        ("room", rf"{_D}+(?:栋|幢|号楼|单元){_D}*(?:单元)?{_D}*(?:室|房|号)?", _digits),
        ("name before a title", rf"(?!{_NOT_NAMES}){_FAMILY}([一-鿿]{{1,2}}?)(?={_TITLE})", _keep(0, 0)),
        ("name after its label", rf"(?:{_CARRIERS})(?:是|为)?[:：\s]*[一-鿿]([一-鿿·]{{1,3}})(?![一-鿿])", _keep(0, 0)),
        ("name after a greeting", rf"(?:尊敬的|亲爱的|我是|我叫)(?!{_NOT_NAMES}){_FAMILY}([一-鿿]{{1,2}})(?![一-鿿])", _keep(0, 0)),
    )
)  # fmt: skip
_MAYBE = re.compile(
    "[0-9０-９@①-⑨⓪❶-❾零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖两]|先生|女士|小姐|同学|老师|尊敬|亲爱|姓名|名|人|我[是叫]|信|www|://|\\w/|好"
)
_PERSON = re.compile(rf"{_FAMILY}[一-鿿]{{1,2}}")
_PERSON_COLUMNS = re.compile("姓名|联系人|发件人|收件人|昵称|备注名|contact|name|sender|from|to|talker|address|recipient|号码|手机|phone", re.I)
_MOMENT_COLUMNS = re.compile("date|time|时间|日期", re.I)
_LATEST = "2100"  # read as moments since 1970, the numbers of most bank cards are later


def redact(text: str) -> str:
    """A text with personal data masked; as long as it was.

    >>> redact("尊敬的王小明先生，您尾号6222021234567890123的卡已冻结，请致电13812345678，官方热线95588")
    '尊敬的王**先生，您尾号***************0123的卡已冻结，请致电138******78，官方热线95588'
    """
    if not _MAYBE.search(text):
        return text
    for _, pattern, mask in _MASKS:
        text = pattern.sub(lambda m, mask=mask: _masked(m, mask), text)  # type: ignore[misc]
    return text


def _masked(match: re.Match[str], mask: Callable[[str], str]) -> str:
    whole, group = match[0], match.re.groups
    if not group:
        return mask(whole)
    start, end = match.start(1) - match.start(), match.end(1) - match.start()
    return whole[:start] + mask(match[1]) + whole[end:]


def redact_person(text: str) -> str:
    """A sender, with what is someone's number or name masked; the name of an institution or a service number stays.

    >>> [redact_person(s) for s in ("王小明", "中国银行", "95588", "+8613812345678")]
    ['王**', '中国银行', '95588', '+86138******78']
    """
    if _PERSON.fullmatch(text.strip()):
        return text[:1] + "*" * (len(text) - 1)
    prefix = re.match(r"(?:\+|00)86[- ]?|86(?=1[3-9])", text)
    kept = prefix.end() if prefix else 0
    return text[:kept] + redact(text[kept:])


def redact_columns(columns: dict[str, Any]) -> dict[str, Any]:
    """The columns of a row, each value masked; a column that by its name holds persons is masked as such. Numbers that must be masked
    become text. A moment stays, however many digits it has, where the column's name speaks of time."""
    return {name: _value(value, _mask_of(name)) for name, value in columns.items()}


def _mask_of(column: str) -> Callable[[str], str]:
    mask = redact_person if _PERSON_COLUMNS.search(column) else redact
    return (lambda text: text if "" < iso(text) < _LATEST else mask(text)) if _MOMENT_COLUMNS.search(column) else mask


def _value(value: Any, mask: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return redact_columns(value)
    if isinstance(value, (list, tuple)):
        return [_value(v, mask) for v in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 63:  # as a column of numbers with gaps in it has them
        whole = _value(int(value), mask)
        return whole if isinstance(whole, str) else value
    if isinstance(value, int) and not isinstance(value, bool):
        text = mask(str(value))
        return value if text == str(value) else text
    return value
