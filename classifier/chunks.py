"""Rows -> chunks of rows that are scored at once: which of them are scored, and which parts of one message are scored together.

Owns the size of a chunk and the rule for parts. Knows nothing of verdicts or files. Where a chunk begins depends only on the rows
since the beginning of the one before, so a run that goes on at a chunk's beginning meets the same chunks.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .classify import BATCH, BATCH_CHARS
from .records import Labels, Row

CHUNK, CHUNK_CHARS = BATCH, BATCH_CHARS  # rows, and characters of theirs: what is scored at once; also bounds the answer to Ctrl-C
_HELD = 64  # rows by which a chunk may grow so that the parts of a message stay together

_WINDOW = timedelta(minutes=10)
_MARK = re.compile(r"\s*[\[(（【]\s*(\d{1,2})\s*/\s*(\d{1,2})\s*[\])）】]\s*")
_MARK_LENGTH = 12  # characters at the end of a text in which a mark may stand
_FULL = (67, 70)  # characters that a part of a long SMS, or a whole one, holds in UCS-2 (3GPP TS 23.040)
_SENTENCE_ENDS = '。！？!?…】]）)”"'


@dataclass(frozen=True)
class Chunk:
    """Rows that are scored together, and what is scored of them.

    texts   what is scored, each once
    which   of each row the index of its text; -1 where it is not scored
    joined  the rows that were joined with others
    """

    rows: list[Row]
    texts: list[str]
    which: list[int]
    joined: frozenset[int]

    def labels(self, scored: Labels) -> Labels:
        """The labels of the rows, from those of the texts."""
        if len(self.texts) == len(self.rows) and not self.joined:
            return scored
        labels = Labels(*(None if column is None else self._spread(column) for column in scored))  # type: ignore[arg-type]
        status = labels.scam_status
        for k, at in enumerate(self.which):
            if at < 0:
                status[k] = _why_not(self.rows[k])
        for k in self.joined:
            status[k] = "joined" if status[k] == "ok" else f"joined, {status[k]}"
        return labels

    def _spread(self, column: Sequence[Any]) -> list[Any]:
        return [column[at] if at >= 0 else None for at in self.which]

    def text(self, k: int) -> str:
        """What was scored of a row; "" where it was not."""
        return self.texts[self.which[k]] if self.which[k] >= 0 else ""


def _why_not(row: Row) -> str:
    return f"rejected: {row.problem}" if row.problem else f"skipped: {row.skipped}"


def chunks(rows: Iterable[Row]) -> Iterator[Chunk]:
    """The rows in chunks; where one begins depends only on the rows since the beginning of the one before."""
    chunk: list[Row] = []
    size = 0
    for row in rows:
        if size >= CHUNK_CHARS or (len(chunk) >= CHUNK and (len(chunk) >= CHUNK + _HELD or not _beside(chunk[-1], row))):
            yield _prepare(chunk)
            chunk, size = [], 0
        chunk.append(row)
        size += len(row.text)
    if chunk:
        yield _prepare(chunk)


def _prepare(rows: list[Row]) -> Chunk:
    """What is scored of some rows: each by itself, the parts of a long message together."""
    scored = [k for k, row in enumerate(rows) if not row.problem and not row.skipped]
    texts = [rows[k].text for k in scored]
    which = [-1] * len(rows)
    for at, k in enumerate(scored):
        which[k] = at
    groups = _parts(rows)
    for group in groups:
        first = which[group[0]]
        texts[first] = "".join(_MARK.sub("", rows[k].text, count=1) for k in group)
        for k in group[1:]:
            texts[which[k]] = ""  # scored with the first; an empty text costs next to nothing
            which[k] = first
    return Chunk(rows, texts, which, frozenset(k for group in groups for k in group))


def _beside(one: Row, other: Row) -> bool:
    """Are these of one sender, in one conversation, within ten minutes?"""
    if not (one.sender and one.sender == other.sender and one.conversation == other.conversation):
        return False
    a, b = _moment(one.time), _moment(other.time)
    return a is not None and b is not None and abs(a - b) <= _WINDOW


def _moment(time: str) -> datetime | None:
    try:
        return datetime.fromisoformat(time).replace(tzinfo=None) if len(time) > 10 else None
    except ValueError:
        return None


def _parts(rows: Sequence[Row]) -> list[list[int]]:
    """The rows that are parts of one message, in its order: numbered (1/3), or cut off where an SMS is full and gone on with.

    Exports run forwards or backwards in time; parts are taken in the order of the clock.
    """
    texts = [row.text for row in rows]
    maybe = [k for k, text in enumerate(texts) if len(text) in _FULL or ("/" in text and _slash_at_an_end(text))]
    asked = {(rows[k].conversation, rows[k].sender) for k in maybe}
    if not asked:
        return []
    able = [
        k for k, row in enumerate(rows) if (row.conversation, row.sender) in asked and row.sender and row.time and not row.problem and not row.skipped
    ]
    if len(able) < 2:
        return []
    if rows[able[0]].time > rows[able[-1]].time:
        able.reverse()
    latest: dict[tuple[str, str], list[int]] = {}
    groups = []
    for k in able:
        row = rows[k]
        group = latest.get((row.conversation, row.sender))
        if group and _goes_on([rows[part] for part in group], row) and _beside(rows[group[0]], row):
            group.append(k)
            if len(group) == 2:
                groups.append(group)
        else:
            latest[row.conversation, row.sender] = [k]
    return [sorted(group, key=lambda k: _mark_of(rows[k])[0]) for group in groups]


def _slash_at_an_end(text: str) -> bool:
    return "/" in text[:_MARK_LENGTH] or "/" in text[-_MARK_LENGTH:]


def _goes_on(parts: Sequence[Row], row: Row) -> bool:
    """Is a row the next part of a message of which there are these? A number that is there already is of another message."""
    before = parts[-1]
    if _mark_of(before)[0]:
        number, of = _mark_of(row)
        return all(of == that and number != one for one, that in map(_mark_of, parts))
    return len(before.text) in _FULL and before.text[-1] not in _SENTENCE_ENDS and not row.text.startswith("【")  # a signature begins an SMS


def _mark_of(row: Row) -> tuple[int, int]:
    """(number, of how many) of a part that says so at its beginning or end; (0, 0) of any other."""
    found = _MARK.match(row.text) or _MARK.search(row.text, max(0, len(row.text) - _MARK_LENGTH))
    if found and 1 <= int(found[1]) <= int(found[2]) > 1 and (found.start() == 0 or found.end() == len(row.text)):
        return int(found[1]), int(found[2])
    return 0, 0
