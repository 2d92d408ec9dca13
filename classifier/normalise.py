"""Raw text -> folded text, and the way back: what a reader sees behind disguise, one folded character at a time.

Owns the order of the folding steps and the offset map. Knows nothing of words, tactics or scores.
Every step maps one character to one, or drops it, so the time is linear in the text whatever is in it, and no call to NFKC
(quadratic on floods of combining marks) is made at run time: its one-to-one readings lie in `data/variants.tsv`.

The order, each step on a whole batch of messages at once:
0. speakers   the labels of a transcript's speakers are cut out
1. table      case, full width, compatibility forms, traditional and Japanese characters, look-alike letters; drops what is invisible
2. links      a web address becomes the one character LINK (its words would be learned as names; that it is there is what counts)
3. digits     each run of digits or mask characters (0-9 * xx) becomes a single `0`, so that no number can be memorised
4. separators spaces and ornaments squeezed in between two Han characters are dropped
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from .turns import label_spans

LINK = "\ue001"
PAD = "\ue000"  # stands between the messages of a batch; three of them, so that no 4-gram touches two messages
PADS = 3
MAX_CHARS = 200_000  # code points of one message that are read; the rest is reported as not read

_DROP = 0x110000
_LINK, _PAD, _NEWLINE = ord(LINK), ord(PAD), ord("\n")
_LINK_CHARS = "abcdefghijklmnopqrstuvwxyz0123456789:/.?&=_%#@~+-*"
# A short list of endings keeps "3.5" and "v2.0" from being links; path or protocol make any ending one.
_LINK_SHAPE = re.compile(
    r"(?:https?:?/{1,2}|www\.|wap\.|m\.)[^\s]{2,}|[a-z0-9*_-]+(?:\.[a-z0-9*_-]+)*\.(?:com|cn|net|org|top|cc|tk|xyz|vip|club|shop|site|"
    r"info|me|io|co|ltd|link|app|win|ml|ga|cf|gq|pw|tv|hk|tw|biz|pro|online|store|icu|work|fun|mobi|asia|example|test|invalid)(?![a-z])(?:[:/?][^\s]*)?"
)
_ORNAMENTS = " ·.-_~*/\\|+^★☆◆◇■□▲△●○◎※=`'\"丶丨☞♥❤♡✿❀♪"


@dataclass(frozen=True)
class Folded:
    """A batch of folded messages, joined with pads. All arrays are parallel to `codes`, one entry a folded character.

    codes   uint32 [n]: code points of the folded text
    begin   int32 [n]:  index in its own raw message of the first code point it stands for (-1 on pads)
    end     int32 [n]:  index after the last one, so a span is raw[begin[i]:end[j]] for folded characters i to j
    bounds  int64 [m + 1]: message k is codes[bounds[k]:bounds[k + 1] - PADS]
    repaired, truncated: bool [m]: a character was unreadable (lone surrogate, control) · only the first MAX_CHARS were read
    """

    codes: NDArray[np.uint32]
    begin: NDArray[np.int32]
    end: NDArray[np.int32]
    bounds: NDArray[np.int64]
    repaired: NDArray[np.bool_]
    truncated: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @cached_property
    def joined(self) -> str:
        """The whole batch as one string; its indices are those of `codes`."""
        return self.codes.tobytes().decode("utf-32-le")

    @cached_property
    def message_of(self) -> NDArray[np.int32]:
        """int32 [n]: the message each folded character (or the pads behind it) belongs to."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.bounds))

    def text(self, k: int) -> str:
        """The folded text of message k."""
        return self.joined[self.bounds[k] : self.bounds[k + 1] - PADS]

    def raw_span(self, start: int, stop: int) -> tuple[int, int]:
        """Folded characters [start, stop) of the batch -> [start, end) in code points of their raw message."""
        return int(self.begin[start]), int(self.end[stop - 1])


@lru_cache(maxsize=1)
def _table() -> NDArray[np.uint32]:
    """uint32 [0x110000]: what each code point is read as; _DROP where it is not read."""
    table = np.arange(0x110000, dtype=np.uint32)
    lines = (files("classifier") / "data/variants.tsv").read_text(encoding="utf-8").split("\n")
    for line in lines:
        if not line or line.startswith("# ") or line == "#":
            continue
        family, source, target = line.split("\t")
        if family == "drop":
            for span in source.split():
                first, _, last = span.partition("-")
                table[int(first, 16) : int(last or first, 16) + 1] = _DROP
        else:
            table[_codes(source)] = _codes(target)
    table[ord("\t")] = ord(" ")
    table[[0x85, 0x2028, 0x2029]] = _NEWLINE
    table[[_LINK, _PAD]] = _DROP
    return table


def _codes(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def _member(chars: str) -> NDArray[np.bool_]:
    """bool [0x110000]: is this code point one of `chars`?"""
    mask = np.zeros(0x110000, dtype=bool)
    mask[_codes(chars)] = True
    return mask


@lru_cache(maxsize=1)
def _classes() -> dict[str, NDArray[np.bool_]]:
    han = np.zeros(0x110000, dtype=bool)
    han[0x3400:0xA000] = han[0x20000:0x32000] = True
    return {
        "han": han,
        "link": _member(_LINK_CHARS),
        "digit": _member("0123456789"),
        "ornament": _member(_ORNAMENTS),
    }


def is_han(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """bool, parallel to `codes`: a Chinese character?"""
    mask: NDArray[np.bool_] = _classes()["han"][codes]
    return mask


def fold(texts: Sequence[str]) -> Folded:
    """Fold a batch of raw messages.

    >>> fold(["【京東】您的訂單１３８＊＊＊＊ 請 點 https://jd.example.com/a?b 退 款"]).text(0)
    '【京东】您的订单0请点\\ue001退款'
    """
    cut = [t if len(t) <= MAX_CHARS else t[:MAX_CHARS] for t in texts]
    pads = PAD * PADS
    raw = _codes(pads.join(cut) + pads)
    length = np.fromiter(map(len, cut), dtype=np.int64, count=len(cut)) + PADS
    raw_bounds = np.concatenate([[0], np.cumsum(length)])
    message = np.repeat(np.arange(len(cut)), length)
    is_pad = np.zeros(len(raw), dtype=bool)
    for k in range(PADS):
        is_pad[raw_bounds[1:] - 1 - k] = True

    codes = _table()[raw]
    codes[is_pad] = _PAD
    bad = ((raw >= 0xD800) & (raw < 0xE000)) | ((raw < 32) & (raw != 9) & (raw != 10) & (raw != 13)) | (raw == 0xFFFD)
    repaired = np.zeros(len(cut), dtype=bool)
    repaired[message[bad]] = True

    for k, text in enumerate(cut):
        if ":" in text or "：" in text:
            for label in label_spans(text):
                codes[raw_bounds[k] + label.start : raw_bounds[k] + label.end] = _DROP

    keep = np.flatnonzero(codes != _DROP)
    codes, begin = codes[keep], keep - raw_bounds[message[keep]]
    end = begin + 1
    for step in (_links, _digits, _separators):
        codes, begin, end = step(codes, begin, end)
    begin[codes == _PAD] = -1
    ends = np.flatnonzero(codes == _PAD)[PADS - 1 :: PADS] + 1
    return Folded(
        codes.astype(np.uint32),
        begin.astype(np.int32),
        end.astype(np.int32),
        np.concatenate([[0], ends]).astype(np.int64),
        repaired,
        np.fromiter((len(t) > MAX_CHARS for t in texts), dtype=bool, count=len(cut)),
    )


_Arrays = tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64]]


def _runs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts and ends (exclusive) of the runs of True."""
    edge = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).view(np.int8)))
    return edge[::2], edge[1::2]


def _collapse(
    codes: NDArray[np.uint32], begin: NDArray[np.int64], end: NDArray[np.int64],
    starts: NDArray[np.int64], stops: NDArray[np.int64], to: int,
) -> _Arrays:  # fmt: skip
    """Each run [start, stop) becomes the one character `to`, standing for all the raw text of the run."""
    if not len(starts):
        return codes, begin, end
    codes, end = codes.copy(), end.copy()
    codes[starts] = to
    end[starts] = end[stops - 1]
    gone = np.zeros(len(codes) + 1, dtype=np.int8)
    np.add.at(gone, starts + 1, 1)
    np.add.at(gone, stops, -1)
    keep = np.cumsum(gone[:-1]) == 0
    return codes[keep], begin[keep], end[keep]


def _links(codes: NDArray[np.uint32], begin: NDArray[np.int64], end: NDArray[np.int64]) -> _Arrays:
    dots = (codes == ord(".")) | (codes == ord("/"))
    if not dots.any():
        return codes, begin, end
    starts, stops = _runs(_classes()["link"][codes])
    count = np.cumsum(np.concatenate([[0], dots]))
    maybe = (count[stops] > count[starts]) & (stops - starts >= 5)
    spans = []
    for a, b in zip(starts[maybe].tolist(), stops[maybe].tolist(), strict=True):
        for hit in _LINK_SHAPE.finditer(codes[a:b].tobytes().decode("utf-32-le")):
            spans.append((a + hit.start(), a + hit.end()))
    found = np.array(spans, dtype=np.int64).reshape(-1, 2)
    return _collapse(codes, begin, end, found[:, 0], found[:, 1], _LINK)


def _digits(codes: NDArray[np.uint32], begin: NDArray[np.int64], end: NDArray[np.int64]) -> _Arrays:
    digit = _classes()["digit"][codes]
    mask = codes == ord("*")
    x = codes == ord("x")
    hard = digit | mask | x
    beside = np.zeros(len(codes), dtype=bool)  # a mask character counts only beside another one or a digit
    beside[1:] |= hard[:-1]
    beside[:-1] |= hard[1:]
    run = digit | ((mask | x) & beside)
    point = (codes == ord(",")) | (codes == ord("."))
    run[1:-1] |= point[1:-1] & digit[:-2] & digit[2:]
    starts, stops = _runs(run)
    return _collapse(codes, begin, end, starts, stops, ord("0"))


def _separators(codes: NDArray[np.uint32], begin: NDArray[np.int64], end: NDArray[np.int64]) -> _Arrays:
    ornament = _classes()["ornament"][codes]
    starts, stops = _runs(ornament)
    inner = (starts > 0) & (stops < len(codes))
    starts, stops = starts[inner], stops[inner]
    near = is_han(codes) | (codes == ord("0")) | (codes == _LINK)
    han = is_han(codes)
    squeezed = near[starts - 1] & near[stops] & (han[starts - 1] | han[stops]) & (stops - starts <= 3)
    gone = np.zeros(len(codes) + 1, dtype=np.int8)
    np.add.at(gone, starts[squeezed], 1)
    np.add.at(gone, stops[squeezed], -1)
    keep = np.cumsum(gone[:-1]) == 0
    return codes[keep], begin[keep], end[keep]
