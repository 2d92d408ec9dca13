"""Personal data that looks real: numbers and addresses that could be somebody's.

Owns the shapes. Never returns the number itself, only what it looks like. Masked ones (138****0000, 尾号0427) are what a corpus should hold.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date

_HAN_DIGITS = dict(zip("〇零一二三四五六七八九幺两壹贰叁肆伍陆柒捌玖", "00123456789" + "12" + "123456789", strict=True))
_GAP = "[ -]?"
_PHONE = re.compile(rf"(?<!\d)1[3-9]\d(?:{_GAP}\d{{4}}){{2}}(?!\d)")
_IDENTITY = re.compile(r"(?<![\d*])[1-9]\d{5}(?:19|20)\d{9}[\dXx](?![\d*])")
_CARD = re.compile(rf"(?<![\d*])(?:62|4\d|5[1-5]|95)\d\d(?:{_GAP}\d{{4}}){{3}}(?:{_GAP}\d{{1,3}})?(?![\d*])")
_EMAIL = re.compile(r"(?<![\w.*+-])[\w.+-]+@((?:[a-z0-9-]+\.)+[a-z]{2,})(?!\*)", re.I | re.A)
_RESERVED = re.compile(r"(?:.*\.)?(?:example\.(?:com|net|org|cn)|example|test|invalid|localhost)", re.I)  # RFC 2606; example.cn by CNNIC
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999


def personal_data(text: str) -> list[str]:
    """What in a text looks like real personal data, each kind once; digits may be full-width, circled or Chinese.

    >>> personal_data("请联系①③⑧12345678办理"), personal_data("尾号0427，电话138****5678，a@example.com")
    (['phone'], [])
    """
    digits = "".join(_digit(c) for c in text)
    return [name for name, (shape, real) in _SHAPES.items() if any(real(m) for m in shape.finditer(digits))]


def _digit(c: str) -> str:
    value = unicodedata.digit(c, None)
    return _HAN_DIGITS.get(c, c) if value is None else str(value)


def _is_identity(match: re.Match[str]) -> bool:
    """A date of birth that exists and the check character of GB 11643."""
    number = match[0]
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return "10X98765432"[sum(w * int(d) for w, d in zip(_WEIGHTS, number, strict=False)) % 11] == number[17].upper()


def _is_card(match: re.Match[str]) -> bool:
    """Luhn's check digit (ISO/IEC 7812-1)."""
    digits = [int(d) for d in match[0] if d.isdigit()][::-1]
    return sum(d if k % 2 == 0 else sum(divmod(2 * d, 10)) for k, d in enumerate(digits)) % 10 == 0


_SHAPES: dict[str, tuple[re.Pattern[str], Callable[[re.Match[str]], bool]]] = {
    "phone": (_PHONE, lambda m: True),
    "identity number": (_IDENTITY, _is_identity),
    "bank card": (_CARD, _is_card),
    "e-mail address": (_EMAIL, lambda m: not _RESERVED.fullmatch(m[1])),
}
