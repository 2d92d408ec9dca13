"""What all readers make: a Row of one message, a Row of one call.

Owns the rules that hold for every format: who is the other party, what is not scored and why, how a call becomes one text.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..records import Row
from ..turns import is_role, label_spans, transcript

ME = "me"
# What Android's tables of messages say of direction, as do the exports made from them; outbox, failed and queued were sent by the owner.
# https://www.synctech.com.au/sms-backup-restore/fields-in-xml-backup-files/
ANDROID = {"1": "in", "2": "out", "3": "draft", "4": "out", "5": "out", "6": "out"}


class Turn(NamedTuple):
    """What one speaker says at a stretch; times in milliseconds from the beginning, None where the file gives none."""

    speaker: str
    text: str
    start_ms: int | None = None
    end_ms: int | None = None


def skipped(text: str, direction: str, media: bool = False, event: bool = False) -> str:
    """Why a message is not scored, one of SKIPPED; "" where it is.

    >>> skipped("您好", "in"), skipped("您好", "out"), skipped(" ", "in", media=True)
    ('', 'sent', 'media only')
    """
    if event:
        return "service event"
    if direction in ("out", "draft"):
        return "sent" if direction == "out" else "draft"
    if text and not text.isspace():
        return ""
    return "media only" if media else "empty"


def message(
    number: int,
    text: str,
    other: str,
    direction: str = "in",
    time: str = "",
    conversation: str = "",
    channel: str = "sms",
    media: bool = False,
    event: bool = False,
    extra: Mapping[str, Any] | None = None,
) -> Row:
    """A Row of a format whose fields are no columns of the user's: its columns are ours, and `extra`. `other` is the other party."""
    sender, conversation = (ME if direction in ("out", "draft") else other), conversation or other
    columns = {
        "text": text,
        "sender": sender,
        "time": time,
        "direction": direction,
        "conversation": conversation,
        "channel": channel,
        **(extra or {}),
    }
    return Row(number, text, columns, "", sender, time, direction, conversation, channel, skipped(text, direction, media, event))


def call(number: int, turns: Iterable[Turn], about: Mapping[str, Any] | None = None) -> Row:
    """A Row of one call: its text is the transcript, a turn a line; `about` is what else the file says of it."""
    kept = [turn._replace(text=" ".join(turn.text.split())) for turn in turns]
    kept = [turn for turn in kept if turn.text]
    text = transcript(zip(_labels([turn.speaker for turn in kept], kept), (turn.text for turn in kept), strict=True))
    columns = {k: v for k, v in (about or {}).items() if k not in ("text", "turns")}
    columns |= {"text": text, "turns": [turn._asdict() for turn in kept]}
    return Row(number, text, columns, "", direction="unknown", channel="call", skipped=skipped(text, "unknown"))


def turns_of(row: Row) -> list[tuple[str, str]]:
    """(speaker, words) of each turn of a call's row; empty where it is no call's. A speaker's bare number is written 说话人N."""
    turns = row.columns.get("turns")
    if row.channel != "call" or not isinstance(turns, list):
        return []
    return [(_named(str(turn["speaker"])), str(turn["text"])) for turn in turns]


def _named(speaker: str) -> str:
    return f"说话人{speaker}" if speaker.isascii() and speaker.isdigit() else speaker.strip()


def _labels(speakers: Sequence[str], turns: Sequence[Turn]) -> list[str]:
    """Speakers as `turns.label_spans` knows them, so that no name is scored as words: a number, or a name it would not see, becomes 说话人N."""
    names = [_named(s) for s in speakers]
    if len(label_spans(transcript(zip(names, (turn.text for turn in turns), strict=True)))) >= sum(map(bool, names)):
        return names
    order = {name: k for k, name in enumerate(dict.fromkeys(n for n in names if n and not is_role(n)), 1)}
    return [f"说话人{order[name]}" if name in order else name for name in names]


__all__ = ["ANDROID", "ME", "Turn", "call", "message", "skipped", "turns_of"]
