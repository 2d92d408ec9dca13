"""Moments as exports write them, as ISO 8601.

Owns the notations. All moments are given in Chinese time, which has one zone and no summer time, so that they compare as text; one
that names no zone is taken as such. A day without an hour stays a day. What cannot be read is "": a bad time never costs a message.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8))
_SCALES = tuple((10**k, 10 ** (k + 9), 10 ** (k + 10)) for k in (0, 3, 6, 9))  # epoch in s, ms, µs, ns: each has 2001 to 2286 in ten more digits
_APPLE = datetime(2001, 1, 1, tzinfo=UTC)
_FILETIME = datetime(1601, 1, 1, tzinfo=UTC)
_MONTHS = {m: k for k, m in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)}
_MONTH = r"(?P<name>[A-Za-z]{3})[a-z]{0,6}\.?"
_CLOCK = (
    r"(?:[ T,　]{0,4}(?P<half>上午|下午|凌晨|早上|中午|晚上|[AP]M)?[ ]?(?P<H>\d{1,2})[:：.时点](?P<M>\d{1,2})"
    r"(?:[:：.分](?P<S>\d{1,2})秒?(?:[.,]\d{1,9})?)?分?[ ]?(?P<after>[AP]M)?[ ]?(?P<zone>Z|GMT|UTC|[+-]\d{2}:?\d{2})?)?"
)
_NOTATIONS = tuple(
    re.compile(day + _CLOCK, re.I)
    for day in (
        r"(?P<y>\d{4})[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?",
        r"(?P<d>\d{1,2})[-/.](?P<m>\d{1,2})[-/.](?P<y>\d{4})",
        rf"{_MONTH} (?P<d>\d{{1,2}}),? (?P<y>\d{{4}})",
        rf"(?:[A-Z][a-z]{{2}}, )?(?P<d>\d{{1,2}}) {_MONTH} (?P<y>\d{{4}})",
    )
)
_LATER = {"下午", "晚上", "中午", "pm"}
_EARLIER = {"上午", "凌晨", "早上", "am"}


def iso(value: object) -> str:
    """A moment, as text or a number since 1970 in s, ms, µs or ns, told by its size.

    >>> iso("2026年11月23日 下午3:05"), iso("2026/11/3 9:05:07"), iso(1795417507000)
    ('2026-11-23T15:05:00+08:00', '2026-11-03T09:05:07+08:00', '2026-11-23T15:05:07+08:00')
    >>> iso("23.11.2026 15:05"), iso("Nov 23, 2026  3:05:07 PM"), iso("2026-11-23"), iso("昨天")
    ('2026-11-23T15:05:00+08:00', '2026-11-23T15:05:07+08:00', '2026-11-23', '')
    """
    if isinstance(value, str):
        value = value.strip()
        if value[4:17:3] in ("-- ::", "--T::") and len(value) == 19 and _exists(value):  # as most are: it needs no more than its zone
            return f"{value[:10]}T{value[11:]}+08:00"
        if not value or len(value) > 40:
            return ""
        if not value.isdecimal():
            return _written(value)
        if len(value) in (8, 14) and value[:2] in ("19", "20"):
            return _written(f"{value[:8]}T{value[8:]}".removesuffix("T"))
        value = int(value)
    return _epoch(value) if isinstance(value, (int, float)) else ""


def _exists(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _epoch(value: float) -> str:
    for scale, low, high in _SCALES:
        if low <= value < high:
            return datetime.fromtimestamp(int(value // scale), CHINA).isoformat()
    return ""


def _written(value: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return _noted(value)
    if len(value) <= 10:
        return moment.date().isoformat()
    return _local(moment if moment.tzinfo else moment.replace(tzinfo=CHINA))


def _noted(value: str) -> str:
    match = next((m for m in (n.fullmatch(value) for n in _NOTATIONS) if m), None)
    if match is None:
        return ""
    part = match.groupdict()
    month = int(part["m"]) if part.get("m") else _MONTHS.get(part["name"].lower(), 0)
    day = int(part["d"])
    if month > 12 >= day:  # the month first, as in the United States
        month, day = day, month
    half = (part.get("half") or part.get("after") or "").lower()
    hour = int(part["H"] or 0)
    hour += 12 if half in _LATER and hour < 11 + (half != "中午") else -12 if half in _EARLIER and hour == 12 else 0
    try:
        moment = datetime(int(part["y"]), month, day, hour, int(part["M"] or 0), int(part["S"] or 0), tzinfo=_zone(part["zone"] or ""))
    except ValueError:
        return ""
    return _local(moment) if part["H"] else moment.date().isoformat()


def _local(moment: datetime) -> str:
    try:
        return moment.astimezone(CHINA).isoformat(timespec="seconds")
    except OverflowError:  # year 1 or 9999
        return ""


def _zone(name: str) -> timezone:
    if not name:
        return CHINA
    if name[0] not in "+-":
        return UTC
    minutes = int(name[1:3]) * 60 + int(name[-2:])
    return timezone(timedelta(minutes=minutes if name[0] == "+" else -minutes))


def apple(value: object) -> str:
    """A moment in seconds (before iOS 11) or nanoseconds since 2001.

    >>> apple(817110307), apple(817110307000000000)
    ('2026-11-23T15:05:07+08:00', '2026-11-23T15:05:07+08:00')
    """
    if not isinstance(value, (int, float)) or not 0 < value < 2**63:
        return ""
    return _since(_APPLE, value / 10**9 if value > 10**11 else value)


def filetime(value: str) -> str:
    """A moment in units of 100 ns since 1601.

    >>> filetime("134398911070000000")
    '2026-11-23T15:05:07+08:00'
    """
    return _since(_FILETIME, int(value) / 10**7) if value.isdecimal() and len(value) < 20 else ""


def _since(start: datetime, seconds: float) -> str:
    try:
        return (start + timedelta(seconds=int(seconds))).astimezone(CHINA).isoformat()
    except OverflowError:
        return ""
