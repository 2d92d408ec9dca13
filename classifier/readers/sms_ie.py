"""sms-ie: messages of Android as JSON lines, in a ZIP container or alone, or (version 1) as one array.

Owns its fields, which are the columns of Android's own tables.
"""

from collections.abc import Iterator
from typing import Any

from ..moments import iso
from ..records import Row
from . import objects
from .containers import members, unpacked
from .rows import ANDROID, message
from .source import Damaged, Source

_MEMBER = "messages.ndjson"
_EXTRA = ("_id", "__display_name", "service_center", "read", "sub_id")


def claims(source: Source) -> bool:
    """A container with the member, or JSON whose first record has Android's columns."""
    if source.magic:
        return _MEMBER in members(source)
    record: Any = objects.sketch(source)
    record = record[0] if isinstance(record, list) and record else record
    return isinstance(record, dict) and {"_id", "thread_id", "date"} <= record.keys() and bool({"body", "__parts"} & record.keys())


def read(source: Source, column: str | None) -> Iterator[Row]:
    """Records as they come."""
    if source.magic == "zip":
        if _MEMBER not in members(source):
            raise Damaged(f"{source.name}: holds no {_MEMBER}")
        source = unpacked(source, _MEMBER)
    pieces = objects.elements(source) if objects.layout(source) == "array" else objects.lines(source)
    for number, record, problem, raw in pieces:
        yield Row(number, "", {"text": raw}, problem) if record is None else _row(number, record)


def _row(number: int, record: dict[str, Any]) -> Row:
    extra = {name: _text(record.get(name)) for name in _EXTRA}
    thread = _text(record.get("thread_id"))
    if "body" in record and "__parts" not in record:
        direction = ANDROID.get(_text(record.get("type")), "unknown")
        time = iso(_text(record.get("date")))
        return message(number, _text(record.get("body")), _text(record.get("address")), direction, time, thread, extra=extra)
    parts = [p for p in _list(record.get("__parts")) if isinstance(p, dict)]
    text = "\n".join(t for t in (_text(p.get("text")) for p in parts if p.get("ct") == "text/plain") if t)
    media = any(p.get("ct") not in ("text/plain", "application/smil") for p in parts)
    direction = ANDROID.get(_text(record.get("msg_box")), "unknown")
    address = record.get("__sender_address") if direction == "in" else next(iter(_list(record.get("__recipient_addresses"))), None)
    other = _text(address.get("address")) if isinstance(address, dict) else ""
    return message(number, text, other, direction, iso(_text(record.get("date"))), thread, "mms", media, extra=extra)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
