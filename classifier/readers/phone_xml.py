"""Phones' messages in XML: SMS Backup & Restore (and Silence, old Signal), Windows Phone, and the NUS corpus.

Owns these three vocabularies. The XML itself is `markup`'s.
"""

from collections.abc import Callable, Iterator

from ..errors import InputError
from ..moments import filetime, iso
from ..records import Row
from .markup import events, root
from .rows import ANDROID, message
from .source import Source

_FROM = "137"  # PduHeaders.FROM, the sender among an MMS's addresses
_EXTRA = ("contact_name", "subject", "service_center", "read", "status", "date_sent")


def claims_root(name: str) -> Callable[[Source], bool]:
    """A document whose first element has this name."""
    return lambda source: root(source.head_text) == name


def read_backup(source: Source, column: str | None) -> Iterator[Row]:
    """`<sms>` and `<mms>` of an SMS Backup & Restore file, as they come."""
    number = 0
    mms: dict[str, str] | None = None
    texts: list[str] = []
    media, sender = False, ""
    for event in events(source):
        a = {k: "" if v in ("null", "(Unknown)") else v for k, v in event.attributes.items()}
        if event.text is None:
            if event.name == "sms":
                number += 1
                yield _backup_row(number, a.get("body", ""), a, a.get("address", ""), ANDROID.get(a.get("type", ""), "unknown"), "sms")
            elif event.name == "mms":
                mms, texts, media, sender = a, [], False, ""
            elif event.name == "part" and mms is not None:
                kind = a.get("ct", "")
                if kind == "text/plain":
                    texts.append(a.get("text", ""))
                media = media or (kind not in ("text/plain", "application/smil") and bool(kind))
            elif event.name == "addr" and a.get("type") == _FROM:
                sender = a.get("address", "")
        elif event.name == "mms" and mms is not None:
            number += 1
            direction = ANDROID.get(mms.get("msg_box", ""), "unknown")
            other = mms.get("address", "") if direction != "in" or sender in ("", "insert-address-token") else sender
            yield _backup_row(number, "\n".join(t for t in texts if t), mms, other, direction, "mms", media)
            mms = None


def _backup_row(number: int, text: str, a: dict[str, str], other: str, direction: str, channel: str, media: bool = False) -> Row:
    extra = {name: a.get(name, "") for name in _EXTRA} | {"subject": a.get("subject") or a.get("sub", "")}
    return message(number, text, other, direction, iso(a.get("date", "")), a.get("address", ""), channel, media, extra=extra)


def refuse_calls(source: Source, column: str | None) -> Iterator[Row]:
    """A call log has no words. Raises InputError."""
    raise InputError(f"{source.name}: a log of calls, not of what was said; choose the sms-….xml beside it")
    yield  # a reader is a generator


def read_windows_phone(source: Source, column: str | None) -> Iterator[Row]:
    """`<Message>` of an ArrayOfMessage."""
    number = 0
    found: dict[str, str] = {}
    for event in events(source):
        if event.text is None:
            found = {} if event.name == "Message" else found
        elif event.name == "string":  # in <Recepients>, as it is spelt there
            found.setdefault("Recipient", event.text.strip())
        elif event.name == "Message":
            number += 1
            incoming = found.get("IsIncoming", "").strip().lower()
            direction = {"true": "in", "false": "out"}.get(incoming, "unknown")
            other = found.get("Recipient" if direction == "out" else "Sender", "").strip()
            media = "AttachmentDataBase64String" in found
            time = filetime(found.get("LocalTimestamp", "").strip())
            yield message(number, found.get("Body", ""), other, direction, time, channel="mms" if media else "sms", media=media)
        else:
            found[event.name] = event.text


def read_nus(source: Source, column: str | None) -> Iterator[Row]:
    """`<message>` of the NUS corpus. Its authors gave what they had sent; as a corpus it is scored all the same."""
    number = 0
    text = sender = time = name = ""
    for event in events(source):
        if event.text is None:
            if event.name == "message":
                text, sender, time, name = "", "", "", event.attributes.get("id", "")
            elif event.name == "messageProfile":
                time = iso(event.attributes.get("time", ""))
        elif event.name == "text":
            text = event.text
        elif event.name == "srcNumber":
            sender = event.text
        elif event.name == "message":
            number += 1
            yield message(number, text, sender, "unknown", time, extra={"id": name})
