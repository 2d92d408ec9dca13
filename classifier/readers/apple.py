"""Apple's Messages: `sms.db` of an iPhone, `chat.db` of a Mac, and what imessage-exporter makes of them as text.

Owns their columns and the text hidden in `attributedBody`. A database is only read: nothing is created beside it.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..moments import apple, iso
from ..records import Row
from .rows import message
from .source import Damaged, Source

_TABLES = {"message", "handle"}
_NEEDED = {"text", "handle_id", "date", "is_from_me"}
_OPTIONAL = ("attributedBody", "item_type", "associated_message_type", "cache_has_attachments", "service", "is_spam")
_LENGTH = 16 << 20  # bytes of one value
_STEPS = 1_000_000  # of SQLite's machine between two looks at the budget
_BUDGET = (10, 20)  # looks, and steps a byte of the file: a scan needs some 20 a row, a loop in a damaged tree any number
_ATTACHED = "\ufffc"


def claims_database(source: Source) -> bool:
    """Any SQLite file; which one it is, reading tells."""
    return source.magic == "sqlite"


def read_database(source: Source, column: str | None) -> Iterator[Row]:
    """Messages in the order of their row ids. Raises InputError where it is another or a locked database, Damaged where it breaks off."""
    path = source.file()
    if _holds(path.with_name(path.name + "-wal")):
        source.notes.append(f"{path.name}-wal is not read: the newest messages may be in it; close Messages, or copy the file after it was closed")
    try:
        yield from _messages(path, source)
    except (sqlite3.Error, UnicodeError, OverflowError, MemoryError) as e:  # UnicodeError: its message quotes the damaged schema
        raise Damaged(f"{source.name}: the database is damaged, encrypted or cut short ({type(e).__name__})") from None


def _holds(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _messages(path: Path, source: Source) -> Iterator[Row]:
    size = path.stat().st_size
    looks = count(1)
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
        db.text_factory = lambda b: b.decode("utf-8", "replace")
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LENGTH)
        db.set_progress_handler(lambda: next(looks) > _BUDGET[0] + size * _BUDGET[1] // _STEPS, _STEPS)
        for pragma in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON", "mmap_size = 0"):
            db.execute(f"PRAGMA {pragma}")
        found = {str(name) for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not found >= _TABLES:
            raise InputError(f"{source.name}: a database, but not of Messages: it lacks the tables {', '.join(sorted(_TABLES - found))}")
        columns = {str(row[1]) for row in db.execute("PRAGMA table_info(message)")}
        if not columns >= _NEEDED:
            raise InputError(f"{source.name}: its table message lacks {', '.join(sorted(_NEEDED - columns))}")
        handles = dict(db.execute("SELECT ROWID, id FROM handle"))
        chats = _chats(db) if {"chat", "chat_message_join"} <= found else {}
        fields = ("ROWID", *sorted(_NEEDED), *(c for c in _OPTIONAL if c in columns))
        read = 0
        for number, values in enumerate(db.execute(f"SELECT {', '.join(fields)} FROM message"), 1):
            read += sum(len(v) for v in values if isinstance(v, (str, bytes)))
            if read > 4 * size:
                raise Damaged(f"{source.name}: the database holds more than its size: it is damaged")
            yield _message(number, dict(zip(fields, values, strict=True)), handles, chats)


def _chats(db: sqlite3.Connection) -> dict[Any, str]:
    names = {k: str(v) for k, v in db.execute("SELECT ROWID, chat_identifier FROM chat")}
    return {m: names[c] for m, c in db.execute("SELECT message_id, chat_id FROM chat_message_join") if c in names}


def _message(number: int, m: dict[str, Any], handles: dict[Any, Any], chats: dict[Any, str]) -> Row:
    raw = m["text"] if isinstance(m["text"], str) and m["text"] else attributed_text(m.get("attributedBody"))
    text = raw.replace(_ATTACHED, "").strip()
    event = bool(m.get("item_type")) or bool(m.get("associated_message_type"))
    media = _ATTACHED in raw or bool(m.get("cache_has_attachments"))
    service = str(m.get("service") or "")
    channel = "im" if service.lower().startswith("imessage") else "sms"
    extra = {"id": m["ROWID"], "service": service, "is_spam": bool(m.get("is_spam"))}
    other = str(handles.get(m["handle_id"]) or "")
    conversation = chats.get(m["ROWID"], "")
    direction = "out" if m["is_from_me"] else "in"
    return message(number, text, other or conversation, direction, apple(m["date"]), conversation, channel, media, event, extra)


def attributed_text(body: object) -> str:
    r"""The text in a typedstream: after the class NSString, `\x01+`, a length (one byte, or \x81 and two, or \x82 and four), UTF-8.

    >>> attributed_text(b"\x04\x0bstreamtyped\x84\x84\x08NSString\x01\x94\x84\x01+\x06" + "您好".encode() + b"\x86")
    '您好'
    """
    if not isinstance(body, bytes):
        return ""
    at = body.find(b"NSString")
    at = body.find(b"\x01+", at) + 2 if at >= 0 else 1
    if at < 2 or at >= len(body):
        return ""
    width = {0x81: 2, 0x82: 4}.get(body[at], 0)
    length = int.from_bytes(body[at + 1 : at + 1 + width], "little") if width else body[at]
    start = at + 1 + width
    return body[start : start + length].decode("utf-8", "replace")


_HEAD = re.compile(r"([A-Z][a-z]{2} \d{1,2}, \d{4} {1,2}\d{1,2}:\d{2}:\d{2} [AP]M)(?: \([^()]{0,80}\))?(?: ([^ (].{0,300}))?[ \t]*")
_FILES = (".jpg", ".jpeg", ".png", ".gif", ".heic", ".webp", ".mov", ".mp4", ".caf", ".m4a", ".amr", ".mp3", ".pdf", ".vcf")


def claims_text(source: Source) -> bool:
    """Begins with a moment as imessage-exporter writes it, alone on its line."""
    return _HEAD.fullmatch(source.head_text.lstrip("\n").split("\n", 1)[0]) is not None


def read_text(source: Source, column: str | None) -> Iterator[Row]:
    """Blocks of moment, sender and words. What is indented is a reply that stands again as a block of its own."""
    conversation = source.path.stem if source.path else ""
    block: list[str] = []
    number = 0
    for _, line, _ in source.lines():
        if _HEAD.fullmatch(line):
            if block:
                number += 1
                yield _block(number, block, conversation)
            block = [line]
        elif block and not line.startswith("    "):
            block.append(line)
            if len(block) > 10_000:
                raise Damaged(f"{source.name}: a message of more than 10000 lines")
        elif not block and line.strip():
            raise InputError(f"{source.name}: does not begin with a moment like Nov 23, 2026  3:05:07 PM")
    if block:
        yield _block(number + 1, block, conversation)


def _block(number: int, block: list[str], conversation: str) -> Row:
    moment = _HEAD.fullmatch(block[0])
    time, event = (iso(moment[1]), moment[2] or "") if moment else ("", "")
    if event:  # "You named the conversation …", on the line of the moment
        return message(number, event, "", "unknown", time, conversation, "im", event=True)
    sender = block[1].strip() if len(block) > 1 else ""
    body = block[2:]
    if "Reactions:" in body:
        body = body[: body.index("Reactions:")]
    words = [line for line in body if not _attachment(line)]
    direction = "out" if sender == "Me" else "in"
    other = conversation if direction == "out" else sender
    return message(number, "\n".join(words).strip(), other, direction, time, conversation, "im", media=len(words) < len(body))


def _attachment(line: str) -> bool:
    line = line.strip()
    return line == "Attachment missing!" or ("ttachments" in line and line.lower().endswith(_FILES))
