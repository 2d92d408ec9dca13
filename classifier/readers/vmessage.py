"""vMessage (.vmg, .vmsg), in the dialects of MediaTek, OPPO and ZTE backups, Nokia, Samsung, and Windows Phone's transfer app.

Owns the dialects. A message without its end is ended by the next one's beginning.
"""

import base64
import binascii
import quopri
import re
from collections.abc import Iterator, Sequence

from ..moments import iso
from ..records import Row
from .rows import message
from .source import UNDECODABLE, Source, undecodable

_LINES = 20_000  # of one message; more is no message
_BOXES = {
    **dict.fromkeys(("INBOX", "DELIVER", "RECEIVED", "1"), "in"),
    **dict.fromkeys(("SENDBOX", "SENT", "SENTBOX", "OUTBOX", "SUBMIT", "2", "4"), "out"),
    **dict.fromkeys(("DRAFT", "DRAFTBOX", "DRAFTS", "3"), "draft"),
}
_BOX = ("X-BOX", "X-IRMC-BOX", "X-MESSAGE-TYPE")  # the last says DELIVER also of what was moved elsewhere: the first that is there counts
_DATE = ("DATE", "X-NOK-DT", "X-SS-DT")
_TEXT = ("SUBJECT", "TEXT", "X-BODY-CONTENTS", "BODY")
_PROPERTY = re.compile(r"([A-Z][A-Z0-9-]{1,30})((?:;[A-Z0-9=\-]{1,40}){0,6}):(.*)", re.I)
_QUOTED = re.compile("=[0-9A-Fa-f]{2}")
_PARSED_DATE = re.compile(r"(\d{4})\.(\d{1,2})\.(\d{1,2})\.(\d{1,2})\.(\d{1,2})\.(\d{1,2})")


def claims(source: Source) -> bool:
    """BEGIN:VMSG at the beginning."""
    return "BEGIN:VMSG" in source.head_text[:64].upper()


def read(source: Source, column: str | None) -> Iterator[Row]:
    """Messages as they come."""
    block: list[str] | None = None
    number = 0
    for _, line, whole in source.lines():
        mark = line.strip().upper()
        if mark in ("BEGIN:VMSG", "END:VMSG"):
            if block is not None:
                number += 1
                yield _message(number, block)
            block = [] if mark == "BEGIN:VMSG" else None
        elif block is not None:
            block.append(line if whole else "")
            if len(block) == _LINES:
                number += 1
                yield Row(number, "", {}, f"a message of more than {_LINES} lines")
                block = None
    if block is not None:
        yield _message(number + 1, block)


def _message(number: int, block: Sequence[str]) -> Row:
    properties, numbers, text = _parts(block)
    if undecodable(text):
        return Row(number, "", {"text": text}, UNDECODABLE)
    direction = next((_BOXES[properties[n].upper()] for n in _BOX if properties.get(n, "").upper() in _BOXES), "unknown")
    time = next((time for time in (iso(_date(properties.get(name, ""))) for name in _DATE) if time), "")
    other = properties.get("FROMTEL", "") or (numbers[-1 if direction == "out" else 0] if numbers else "")  # sender, then recipients
    return message(number, text, other, direction, time)


def _parts(block: Sequence[str]) -> tuple[dict[str, str], list[str], str]:
    """Properties by name, the first of each; telephone numbers in their order; the text."""
    properties: dict[str, str] = {}
    numbers: list[str] = []
    text: list[str] | None = None
    head = ""
    body = False
    for line in block:
        mark = line.strip().upper()
        if mark == "BEGIN:VBODY":
            body = True
        elif mark == "END:VBODY":
            body = False
        elif text is not None and body:
            text.append(line)
        else:
            found = _PROPERTY.fullmatch(line.strip())
            name = found[1].upper() if found else ""
            if found and name in _TEXT and body:
                head, text = found[2].upper(), [found[3] if found[3] == found[3].strip() else line.split(":", 1)[1]]
            elif found and (not body or name.startswith("X-") or name in _DATE):
                properties.setdefault(name, found[3].strip())
                if name == "TEL" and found[3].strip():
                    numbers.append(found[3].strip())
            elif body and line.strip():  # Nokia: the words follow the date, without a name
                head, text = "", [line]
    return properties, numbers, _decoded(head, text or [])


def _decoded(head: str, lines: Sequence[str]) -> str:
    if "BASE64" in head or "ENCODING=B" in head.split(";"):
        try:
            return _characters(base64.b64decode("".join(line.strip() for line in lines), validate=True), head)
        except (binascii.Error, ValueError):
            pass
    elif "QUOTED-PRINTABLE" in head:
        text = "\n".join(line.rstrip() if line.rstrip().endswith("=") else line for line in lines)
        if text.isascii() and _QUOTED.search(text):  # MediaTek's header says so above plain UTF-8 too
            plain = _characters(quopri.decodestring(text.encode("ascii")), head)
            if not plain.isascii() and "\ufffd" not in plain:  # what stays ASCII was a link with %3D-like =3D in it
                return plain.strip("\n")
    return "\n".join(line.replace("/END:VBODY", "END:VBODY") for line in lines).strip("\n")


def _characters(data: bytes, head: str) -> str:
    for encoding in ("utf-8", "gb18030"):
        if "UTF-16" not in head:
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                continue
    return data.decode("utf-16" if "UTF-16" in head else "utf-8", "replace")


def _date(value: str) -> str:
    match = _PARSED_DATE.fullmatch(value)  # 2013.4.3.23.5.9
    return "{}-{}-{} {}:{}:{}".format(*match.groups()) if match else value
