"""Which column holds what: names of columns, layouts of known tools, and the Row that a record becomes by them.

Names that anyone may give are data (`data/columns.toml`); what known tools write is the table LAYOUTS. Knows nothing of where
records come from.
"""

import json
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain, islice, starmap
from pathlib import Path
from typing import Any, TypeVar

from ..errors import InputError
from ..moments import iso
from ..records import Row
from .rows import ANDROID, ME, skipped
from .source import UNDECODABLE, Damaged, Source, undecodable

T = TypeVar("T")
Record = tuple[int, dict[str, Any], str]  # number, columns, problem
_SAMPLE = 200  # records looked at to find the columns
_NAME, _NAMES = 40, 30  # characters and columns that an error names
_LOST = 0.05  # share of texts with ?? above which characters were lost before the file came here


@dataclass(frozen=True)
class Layout:
    """What the columns of a table hold. Told by columns it has (`requires`) or, without a header, by what the first cell says (`first`).

    text, sender, recipient, time, direction, conversation
               names of columns: the first that is there; of parties the first that is not empty; `recipient` of what was sent
    header     the names we give where the file gives none
    codes      what the direction column says, where it is no word of `data/columns.toml`
    kind       the column of kinds of messages, of which `texts` are text and `events` notices of the service; others are media
    media      a column that is not empty where something is attached
    unwrap     the text may be a JSON object, and stands in that key
    otherwise  the direction where nothing says it
    """

    name: str = ""
    title: str = ""
    requires: Sequence[str] = ()
    first: str = ""
    header: Sequence[str] = ()
    text: Sequence[str] = ()
    sender: Sequence[str] = ()
    recipient: Sequence[str] = ()
    time: Sequence[str] = ()
    direction: Sequence[str] = ()
    conversation: Sequence[str] = ()
    codes: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    texts: Sequence[str] = ()
    events: Sequence[str] = ()
    media: str = ""
    unwrap: str = ""
    otherwise: str = "in"
    channel: str = "sms"

    def fits(self, names: Sequence[object]) -> bool:
        """Does a first row have what this layout is told by?"""
        folded = [fold(name) for name in names]
        if self.requires:
            return {fold(name) for name in self.requires} <= set(folded)
        return folded[:1] == [self.first] and len(folded) == len(self.header)


_IS_MINE = {"0": "in", "1": "out"}
LAYOUTS = (
    Layout(
        name="imazing",
        title="iMazing CSV",
        requires=("Chat Session", "Message Date", "Sender ID", "Type", "Text"),
        text=("Text",),
        sender=("Sender ID", "Sender Name"),
        time=("Message Date",),
        direction=("Type",),
        conversation=("Chat Session",),
        kind="Type",
        texts=("Incoming", "Outgoing"),
        events=("Notification",),
        media="Attachment",
        channel="im",
    ),
    Layout(
        name="nokia",
        title="Nokia Suite CSV",
        first="sms",
        header=("kind", "status", "from", "to", "folder", "date", "reserved", "text"),
        text=("text",),
        sender=("from",),
        recipient=("to",),
        time=("date",),
        direction=("status",),
    ),
    Layout(
        name="android-csv",
        title="CSV of an Android message table (address, date, type, body)",
        requires=("address", "date", "type", "body"),
        text=("body",),
        sender=("address",),
        time=("date",),
        direction=("type",),
        conversation=("thread_id",),
        codes=ANDROID,
    ),
    Layout(
        name="pywxdump",
        title="PyWxDump CSV (WeChat)",
        requires=("MsgSvrID", "type_name", "is_sender", "talker"),
        text=("msg", "content"),
        sender=("talker",),
        time=("CreateTime",),
        direction=("is_sender",),
        conversation=("room_name", "talker"),
        codes=_IS_MINE,
        kind="type_name",
        texts=("文本", "文字"),
        events=("系统消息", "系统通知", "拍一拍"),
        unwrap="msg",
        channel="im",
    ),
    Layout(
        name="wechatmsg",
        title="WeChatMsg (MemoTrace) CSV",
        requires=("localId", "TalkerId", "Type", "IsSender", "StrContent"),
        text=("StrContent",),
        sender=("Sender", "Remark", "NickName", "TalkerId"),
        time=("CreateTime", "StrTime"),
        direction=("IsSender",),
        conversation=("TalkerId",),
        codes=_IS_MINE,
        kind="Type",
        texts=("1",),
        events=("10000", "10002"),
        channel="im",
    ),
    Layout(
        name="chatlog",
        title="chatlog CSV (WeChat)",
        requires=("Time", "SenderName", "Sender", "TalkerName", "Talker", "Content"),
        text=("Content",),
        sender=("Sender", "SenderName"),
        time=("Time",),
        conversation=("Talker", "TalkerName"),
        otherwise="unknown",
        channel="im",
    ),
    Layout(
        name="twilio",
        title="Twilio message log CSV",
        requires=("From", "To", "Body", "SentDate", "Direction", "AccountSid"),
        text=("Body",),
        sender=("From",),
        recipient=("To",),
        time=("SentDate",),
        direction=("Direction",),
    ),
)


@lru_cache
def _names() -> tuple[Layout, Mapping[str, str], frozenset[str]]:
    """The layout of a table of no known tool, what the words of a direction column mean, and all names of columns: `data/columns.toml`."""
    data = tomllib.loads((Path(__file__).parent.parent / "data" / "columns.toml").read_text("utf-8"))
    meanings = {fold(word): direction for direction, words in data["directions"].items() for word in words}
    return Layout(**data["names"]), meanings, frozenset(fold(name) for names in (*data["names"].values(), data["others"]["names"]) for name in names)


def fold(name: object) -> str:
    """A column's name as it is compared.

    >>> fold("\\ufeff Message Date")
    'messagedate'
    """
    return "".join(str(name).split()).strip("\ufeff\"'").lower()


def names_text(names: Iterable[object]) -> bool:
    """Is one of these the name of a text column?"""
    return any(fold(name) in _names()[0].text for name in names)


def names_any(names: Iterable[object]) -> bool:
    """Is one of these the name of any column that is known, be it of a sender, a time, a number or a label?"""
    return not _names()[2].isdisjoint(map(fold, names))


def layout_of(names: Sequence[object]) -> Layout | None:
    """The known layout that a first row has, if any."""
    return next((layout for layout in LAYOUTS if layout.fits(names)), None)


def listed(names: Sequence[str]) -> str:
    """Names of columns for a message to the user: one line, not too long, as a file may call its columns anything."""
    short = [" ".join(name.split())[:_NAME] for name in names[:_NAMES]]
    return ", ".join(short) + (f" and {len(names) - _NAMES} more" if len(names) > _NAMES else "") or "none"


def han(text: str) -> int:
    """How many Chinese characters."""
    return sum("\u3400" <= c <= "\u9fff" for c in text)


@dataclass(frozen=True)
class _Places:
    """The columns of one file, by their own names; () or None where it has none."""

    layout: Layout
    text: str | None
    sender: tuple[str, ...]
    recipient: tuple[str, ...]
    time: str | None
    direction: str | None
    conversation: str | None
    kind: str | None
    media: str | None
    cells: bool


def rows(records: Iterable[Record], source: Source, column: str | None, layout: Layout | None = None, cells: bool = True) -> Iterator[Row]:
    """Records as Rows. `column` is the text's as the user says. In `cells` a text that looks like a number may have become one, and
    bytes may stand that are no characters; else both were seen to before.

    Raises InputError where no column can be told to hold the text.
    """
    sample, all_records = sampled(records, _SAMPLE)
    good = [columns for _, columns, problem in sample if not problem]
    if not good:
        yield from (Row(number, "", columns, problem) for number, columns, problem in all_records)
        return
    yield from starmap(_maker(_places(good, source, column, layout, cells)), all_records)


def sampled(records: Iterable[T], count: int) -> tuple[list[T], Iterator[T]]:
    """The first records, and all of them. Where the file is damaged within the first, that is raised in its place, behind those before it."""
    iterator = iter(records)
    sample: list[T] = []
    try:
        for record in islice(iterator, count):
            sample.append(record)  # one by one: those before the damage are kept
    except Damaged as e:
        iterator = _raising(e)
    return sample, chain(sample, iterator)


def _raising(error: Damaged) -> Iterator[T]:
    raise error
    yield


def _places(sample: Sequence[dict[str, Any]], source: Source, column: str | None, layout: Layout | None, cells: bool) -> _Places:
    header = list(dict.fromkeys(name for columns in sample for name in columns))
    by_fold = {fold(name): name for name in reversed(header)}

    def first(names: Iterable[str]) -> str | None:
        return next((by_fold[fold(name)] for name in names if fold(name) in by_fold), None)

    generic, meanings, _ = _names()
    chosen = layout or layout_of(header) or generic
    if column is not None and column not in header:
        raise InputError(f"{source.name}: no column {column}; it has {listed(header)}")
    text = column or first(chosen.text) or _most_chinese(header, sample, source)
    direction = first(name for name in chosen.direction if by_fold.get(fold(name)) != text)
    if chosen is generic and direction is not None:
        words = {fold(columns.get(direction) or "") for columns in sample} - {""}
        direction = direction if words and words <= meanings.keys() else None
    places = _Places(
        layout=chosen,
        text=text,
        sender=tuple(name for name in map(by_fold.get, map(fold, chosen.sender)) if name is not None and name != text),
        recipient=tuple(name for name in map(by_fold.get, map(fold, chosen.recipient)) if name is not None),
        time=first(chosen.time),
        direction=direction,
        conversation=first(chosen.conversation),
        kind=first([chosen.kind]),
        media=first([chosen.media]),
        cells=cells,
    )
    chosen_names = {"text": text, "sender": next(iter(places.sender), None), "time": places.time, "direction": direction}
    source.taken.update({what: name for what, name in chosen_names.items() if name is not None})
    _warn(sample, places, source)
    return places


def _most_chinese(header: Sequence[str], sample: Sequence[dict[str, Any]], source: Source) -> str:
    counts = [sum(han(str(columns.get(name) or "")) for columns in sample) for name in header]
    best = max(range(len(header)), key=lambda k: counts[k], default=-1)
    if best < 0 or (len(header) > 1 and (counts[best] == 0 or sorted(counts)[-2] > 0.8 * counts[best])):
        if undecodable("".join(chain(header, (str(value) for columns in sample for value in columns.values())))):
            raise InputError(f"{source.name}: which column holds the text? it has {UNDECODABLE}")
        raise InputError(f"{source.name}: which column holds the text? name it with --text-column: {listed(header)}")
    if len(header) > 1:
        source.notes.append(
            f"no column is named as a text's; took {listed(header[best : best + 1])}, which holds the most Chinese (--text-column names another)"
        )
    return header[best]


def _warn(sample: Sequence[dict[str, Any]], places: _Places, source: Source) -> None:
    lost = sum("??" in str(columns.get(places.text or "")) for columns in sample)
    if lost > _LOST * len(sample):
        source.notes.append("many texts have ?? in them: characters were lost when this file was saved; save it as UTF-8 from its origin")
    if places.sender and any("E+" in str(columns.get(places.sender[0])) for columns in sample):
        source.notes.append(
            f"column {listed(places.sender[:1])} holds numbers like 1.38E+10: a spreadsheet has damaged them; senders cannot be told apart"
        )


def _maker(places: _Places) -> Callable[[int, dict[str, Any], str], Row]:
    """What makes a Row of a record of a file: as a closure, for it is called a million times over the same places."""
    layout, cells = places.layout, places.cells
    at_text, at_time, at_direction, at_conversation, at_kind = places.text, places.time, places.direction, places.conversation, places.kind
    at_sender, at_recipient, at_media, channel = places.sender, places.recipient or places.sender, places.media, layout.channel

    @lru_cache(maxsize=256)
    def meaning(word: str) -> str:
        return layout.codes.get(word) or _names()[1].get(word if layout.codes else fold(word)) or "unknown"

    def make(number: int, columns: dict[str, Any], problem: str) -> Row:
        if problem:
            return Row(number, "", columns, problem)
        if at_text not in columns:
            elsewhere = _elsewhere(columns, places)
            return _maker(elsewhere)(number, columns, "") if elsewhere.text is not None else Row(number, "", columns, "no field holds a text")
        text = columns[at_text]
        if not isinstance(text, str):
            if text is not None and not cells:
                return Row(number, "", columns, "the text is not a string")
            text = "" if text is None else str(text)
        if cells and undecodable(text):
            return Row(number, "", columns, UNDECODABLE)
        if layout.unwrap and text.startswith("{"):
            text = _unwrapped(text, layout.unwrap)
        direction = layout.otherwise
        if at_direction is not None:
            said = columns.get(at_direction)
            direction = meaning(str(said if layout.codes else said or ""))
        outgoing = direction in ("out", "draft")
        other = ""
        for name in at_recipient if outgoing else at_sender:
            if other := _string(columns.get(name)):
                break
        time = iso(columns.get(at_time)) if at_time is not None else ""
        conversation = _string(columns.get(at_conversation)) if at_conversation is not None else ""
        media = event = False
        if at_kind is not None and (kind := _string(columns.get(at_kind))):
            event = kind in layout.events
            media = bool(layout.texts) and kind not in layout.texts
            text = text if event or not media else ""
        media = media or (at_media is not None and bool(columns.get(at_media)))
        why = skipped(text, direction, media, event)
        return Row(number, text, columns, "", ME if outgoing else other, time, direction, conversation or other, channel, why)

    return make


def _elsewhere(columns: Mapping[str, Any], places: _Places) -> _Places:
    """The places with the text column of one record that lacks the file's: its own best named one."""
    folded = {fold(name): name for name in columns}
    return replace(places, text=next((folded[fold(name)] for name in places.layout.text if fold(name) in folded), None))


def _string(value: Any) -> str:
    return value.strip() if isinstance(value, str) else str(value) if isinstance(value, (int, float)) else ""


def _unwrapped(text: str, key: str) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value[key] if isinstance(value, dict) and isinstance(value.get(key), str) else text
