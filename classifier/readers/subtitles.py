"""SRT and WebVTT: one file is one call.

Owns cues, voices and marks. A speaker is a WebVTT voice, or the label before a cue's words.
"""

import html
import re
from collections.abc import Iterator

from ..errors import InputError
from ..records import Row
from ..turns import label_spans
from .rows import Turn, call
from .source import Source

_TIMES = re.compile(r"\s*((?:\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{1,3})\s*-->\s*((?:\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{1,3})(?:\s.*)?")
_SRT = re.compile(r"\s*\d+[ \t]*\n\s*(?:\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{1,3}[ \t]*-->")
_VOICE = re.compile(r"<v(?:\.[^\s>]{1,80})?[ \t]+([^>\n]{1,80})>")
_MARK = re.compile(r"</?[a-zA-Z0-9.:][^<>\n]{0,80}>|</?[a-z]>|\{\\[^{}\n]{0,80}\}")
_ASIDE = ("NOTE", "STYLE", "REGION")


def claims_srt(source: Source) -> bool:
    """A number, and the times of a cue below it."""
    return _SRT.match(source.head_text[:4096].lstrip()) is not None


def claims_vtt(source: Source) -> bool:
    """WEBVTT, alone or with a title."""
    return re.match(r"WEBVTT(?:[ \t\n]|\Z)", source.head_text[:16]) is not None


def read(source: Source, column: str | None) -> Iterator[Row]:
    """The call. Raises InputError where there is no cue."""
    cues = list(_cues(source.whole().split("\n")))
    if not cues:
        raise InputError(f"{source.name}: no cue with times like 00:00:01.000 --> 00:00:02.000")
    turns = [turn for start, end, text in cues for turn in _voices(text, start, end)]
    if not any(turn.speaker for turn in turns):
        turns = _labelled(turns)
    kept = [turn for k, turn in enumerate(turns) if not k or turn[:2] != turns[k - 1][:2]]  # rolling captions say a line twice
    yield call(1, kept)


def _cues(lines: list[str]) -> Iterator[tuple[int, int, str]]:
    """(start, end, words) of each cue. A blank line ends one; where it is missing, the number above the next times does."""
    times: tuple[int, int] | None = None
    words: list[str] = []
    aside = False
    for line in [*lines, ""]:
        match = _TIMES.fullmatch(line) if "-->" in line else None
        if match or not line.strip():
            if match and words and words[-1].strip().isdigit():
                words.pop()
            if times and words:
                yield *times, "\n".join(words)
            times, words, aside = (_ms(match[1]), _ms(match[2])) if match else None, [], False
        elif times is None:
            aside = aside or line.startswith(_ASIDE)
        elif not aside:
            words.append(line)


def _ms(clock: str) -> int:
    whole, part = re.split("[.,]", clock)
    seconds = 0
    for number in whole.split(":"):
        seconds = seconds * 60 + int(number)
    return seconds * 1000 + int(part.ljust(3, "0"))


def _voices(text: str, start: int, end: int) -> Iterator[Turn]:
    pieces = _VOICE.split(text)
    for speaker, words in zip(["", *pieces[1::2]], pieces[0::2], strict=True):
        plain = html.unescape(_MARK.sub("", words)).strip()
        if plain:
            yield Turn(html.unescape(speaker).strip(), plain, start, end)


def _labelled(turns: list[Turn]) -> list[Turn]:
    """Turns with the labels that stand before their words taken as speakers."""
    lines = [" ".join(turn.text.split()) for turn in turns]
    starts: dict[int, int] = {}
    at = 0
    for k, line in enumerate(lines):
        starts[at] = k
        at += len(line) + 1
    out = [turn._replace(text=line) for turn, line in zip(turns, lines, strict=True)]
    for label in label_spans("\n".join(lines)):
        if (k := starts.get(label.start, -1)) >= 0:
            out[k] = out[k]._replace(speaker=label.name, text=lines[k][label.end - label.start :])
    return out
