"""Calls as plain text: `客服：您好`, a turn a line; or the speaker and the time on a line of their own, and the words below.

Owns what makes a text a call. The labels are those of `turns`. One file is one call.
"""

import re
from codecs import getincrementaldecoder
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

from ..records import Row
from ..turns import is_role, label_spans, split_label
from . import objects
from .layouts import names_text
from .rows import Turn, call
from .source import MAX_LINE, Source

_SHARE = 0.6  # of the lines must be labelled; the others go on with the turn above
_SHORT = 65_536  # characters looked at
_CLOCK = r"(?:\d{1,2}:)?\d{1,2}:\d{2}"
_OWN_LINE = re.compile(
    rf"[ \t]*(?:[\[(【]?{_CLOCK}[\])】]?[ \t]+(?P<late>[^\s:：]{{1,12}}(?: \d{{1,3}})?)|"
    rf"(?P<early>[^\s:：]{{1,12}}(?: \d{{1,3}})?)[ \t]+[\[(【]?{_CLOCK}[\])】]?)[ \t]*[:：]?"
)
# Headings of messages, which recur from message to message as a speaker does.
_HEADING = re.compile(
    ".*(?:提示|提醒|通知|公告|客户|用户|会员|业主|家长|市民|顾客|您好|你好|先生|女士|网址|链接|电话|时间|地址|金额|备注|注意|http|https)"
)


def claims(source: Source) -> bool:
    """Most lines begin with a label, and two speakers take turns."""
    text = source.head_text[:_SHORT]
    if text.lstrip()[:1] in ("", "{") or objects.layout(source) or names_text(re.split("[,;\t]", text.lstrip().split("\n", 1)[0])):
        return False
    lines = [line for line in text.split("\n") if line.strip()]
    own = Counter((m["late"] or m["early"]) for m in map(_own_line, lines) if m)
    if len(own) > 1 and 2 * own.total() >= _SHARE * len(lines) and own.most_common(1)[0][1] > 1:
        return True
    names = Counter(label.name for label in label_spans(text))
    if len(lines) < 2 or names.total() < max(2, _SHARE * len(lines)) or len(names) < 2:
        return False
    if all(is_role(name) for name in names):
        return True
    return all(count > 1 for count in names.values()) and not any(_HEADING.fullmatch(name) and not is_role(name) for name in names)


def _own_line(line: str) -> re.Match[str] | None:
    match = _OWN_LINE.fullmatch(line) if len(line) < 60 else None
    return match if match and (is_role(match["late"] or match["early"]) or not line.rstrip().endswith((":", "："))) else None


def read(source: Source, column: str | None) -> Iterator[Row]:
    """The call."""
    text = source.whole()
    lines = text.split("\n")
    own = [_own_line(line) for line in lines]
    turns = _below(lines, own) if sum(1 for m in own if m) > 1 else _beside(text)
    row = call(1, turns)
    if row.text:
        yield row


def follow(stream: BinaryIO) -> Iterator[tuple[str, str]]:
    """(speaker, words) of each line, as soon as it is there; lines without words are left out, what a line has beyond MAX_LINE bytes too."""
    while line := stream.readline(MAX_LINE):
        rest = line
        while len(rest) == MAX_LINE and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE)
        speaker, words = split_label(_decoded(line).strip().lstrip("\ufeff"))
        if words:
            yield speaker, words


def _decoded(line: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        with suppress(UnicodeDecodeError):
            return getincrementaldecoder(encoding)().decode(line, line.endswith(b"\n"))  # a line that was cut may end within a character
    return line.decode("utf-8", "replace")


def _below(lines: list[str], own: list[re.Match[str] | None]) -> Iterator[Turn]:
    speaker = ""
    words: list[str] = []
    for line, match in zip([*lines, ""], [*own, None], strict=True):
        if match:
            yield Turn(speaker, "\n".join(words))
            speaker, words = (match["late"] or match["early"]).replace(" ", ""), []
        else:
            words.append(line)
    yield Turn(speaker, "\n".join(words))


def _beside(text: str) -> Iterator[Turn]:
    labels = label_spans(text)
    starts = [label.start for label in labels] + [len(text)]
    if text[: starts[0]].strip():
        yield Turn("", text[: starts[0]])
    for label, end in zip(labels, starts[1:], strict=True):
        yield Turn(label.name, text[label.end : end])
