"""Raw text -> folded text, and the way back: what a reader sees behind disguise, one folded character at a time.

Owns the order of the folding steps and the offset map. Knows nothing of words, tactics or scores.
Every step maps one character to one, or drops it, so the time is linear in the text whatever is in it, and no call to NFKC
(quadratic on floods of combining marks) is made at run time: its one-to-one readings lie in `data/variants.tsv`.

The order, each step on a whole batch of messages at once:
0. speakers   the labels of a transcript's speakers are cut out
1. table      case, full width, compatibility forms, traditional and Japanese characters, look-alike letters; drops what is invisible
2. order      what a right-to-left override turns round is turned back; what is written in columns is read downwards
3. links      a web address becomes the one character LINK (its words would be learned as names; that it is there is what counts)
4. digits     each run of digits or mask characters (0-9 * xx) becomes a single `0`, so that no number can be memorised
5. separators spaces and ornaments squeezed in between two Han characters are dropped
6. disguise   keywords written otherwise: pinyin, split characters, other characters of the same sound (see `disguise`)
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import disguise
from .grams import Keys, char_grams, distinct, stretches
from .sounds import sounds_of
from .turns import label_spans

LINK = "\ue001"
PAD = "\ue000"  # stands between the messages of a batch; three of them, so that no 4-gram touches two messages
PADS = 3
MAX_CHARS = 200_000  # code points of one message that are read; the rest is reported as not read

_DROP = 0x110000
_LINK, _PAD, _NEWLINE = ord(LINK), ord(PAD), ord("\n")
_OVERRIDE, _POP = 0x202E, 0x202C  # right-to-left override, and its end
_LINK_CHARS = "abcdefghijklmnopqrstuvwxyz0123456789:/.?&=_%#@~+-*"
# A short list of endings keeps "3.5" and "v2.0" from being links; path or protocol make any ending one.
# A host is tried only where one can begin, or long runs of letters would be tried at every letter (quadratic).
_LINK_SHAPE = re.compile(
    r"(?:https?:?/{1,2}|www\.|wap\.|m\.)[^\s]{2,}|"
    r"(?<![a-z0-9*_-])(?<![a-z0-9*_-]\.)[a-z0-9*_-]+(?:\.[a-z0-9*_-]+)*\.(?:com|cn|net|org|top|cc|tk|xyz|vip|club|shop|site|"
    r"c0m|info|me|io|co|ltd|link|app|win|ml|ga|cf|gq|pw|tv|hk|tw|biz|pro|online|store|icu|work|fun|mobi|asia|example|test|invalid)(?![a-z])(?:[:/?][^\s]*)?"
)
_ENDING = re.compile(r"(?:c[o0]m|cn|cc|net|top|xyz|vip|club|shop)(?![a-z])")
_HOST_LABEL, _LABEL_LENGTH = re.compile(r"[a-z0-9*_-]+"), 64  # of a host's name, and the characters it may have (RFC 1035) and one
_MONEY = "元万块"
_NUMERALS = 5  # numerals in a row that are taken for a number; shorter ones are words (一五一十, 三三两两)
_COLUMNS = 8  # lines of a text that may be written in columns
_LIKELIER, _BY_CHANCE = 1.5, 3  # so much more fluent: 88% of texts in two or four lines are read, 0.02% of texts cut into lines are taken for such
_ORNAMENTS = " ˊˋˇ˙ˉ·.-_~*/\\|+^★☆◆◇■□▲△●○◎※=`'\"丶丨☞♥❤♡✿❀♪"


@dataclass(frozen=True)
class Folded:
    """A batch of folded messages, joined with pads. All arrays are parallel to `codes`, one entry a folded character.

    codes   uint32 [n]: code points of the folded text
    begin   int32 [n]:  index in its own raw message of the first code point it stands for (-1 on pads)
    end     int32 [n]:  index after the last one, so a span is raw[begin[i]:end[j]] for folded characters i to j
    bounds  int64 [m + 1]: message k is codes[bounds[k]:bounds[k + 1] - PADS]
    repaired, truncated, labelled: bool [m]: a character was unreadable (lone surrogate, control) · only the first MAX_CHARS were read ·
            speakers' labels were cut out
    """

    codes: NDArray[np.uint32]
    begin: NDArray[np.int32]
    end: NDArray[np.int32]
    bounds: NDArray[np.int64]
    repaired: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    labelled: NDArray[np.bool_]

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

    @cached_property
    def grams(self) -> list[Keys]:
        """Keys of the 1- to 4-grams of characters at every position: entry k has `len(codes) - k` keys."""
        return char_grams(self.codes, 4)

    @cached_property
    def sounds(self) -> NDArray[np.uint32]:
        """uint32 [n]: the syllable of each character (see `sounds`)."""
        return sounds_of(self.codes)

    @cached_property
    def sound_grams(self) -> list[Keys]:
        """As `grams`, of syllables."""
        return char_grams(self.sounds, 4)

    def text(self, k: int) -> str:
        """The folded text of message k."""
        return self.joined[self.bounds[k] : self.bounds[k + 1] - PADS]

    def raw_span(self, start: int, stop: int) -> tuple[int, int]:
        """Folded characters [start, stop) of the batch -> the [start, end) in code points of their raw message that holds them all."""
        return int(self.begin[start:stop].min()), int(self.end[start:stop].max())

    def raw_spans(self, start: NDArray[np.int64], stop: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The same for many, none empty; parallel arrays."""
        return _extent(self.begin, self.end, start, stop)


def _extent(
    begin: NDArray[np.int32], end: NDArray[np.int32], start: NDArray[np.int64], stop: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The lowest begin and the highest end in each of some stretches [start, stop), none of them empty or at the end of all."""
    edges = np.column_stack([start, stop]).ravel()  # every second stretch is what lies between two of them
    return np.minimum.reduceat(begin, edges)[::2], np.maximum.reduceat(end, edges)[::2]


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


# Bits of what a character is.
_HAN, _IN_LINK, _DIGIT, _ORNAMENT, _DOT, _MASK, _POINT, _NEAR, _NUMERAL, _LIKE_DIGIT, _SPOKEN_DOT, _RARE = (1 << k for k in range(12))
_CANTONESE = "佢冇咁咗哋啩啫啱啲喎喐喺喼嗮嗰嘅嘢嘥噃噉噏噚嚟嚿惗抌掟揼揾搵攞瞓脷餸"  # in every day's use, not in GB 2312


@lru_cache(maxsize=1)
def _kinds() -> NDArray[np.uint16]:
    """uint16 [0x110000]: the bits of each folded character."""
    kinds = np.zeros(0x110000, dtype=np.uint16)
    kinds[0x3400:0xA000] = kinds[0x20000:0x32000] = _HAN | _NEAR | _RARE
    kinds[_codes(_common())] = _HAN | _NEAR
    members = ((_LINK_CHARS, _IN_LINK), ("0123456789", _DIGIT), (_ORNAMENTS, _ORNAMENT), ("./", _DOT), ("*x", _MASK), (",.", _POINT))
    disguised = (("零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖", _NUMERAL), ("lio", _LIKE_DIGIT), ("点。", _SPOKEN_DOT))
    for chars, bit in (*members, *disguised, (f"0{LINK}", _NEAR)):
        kinds[_codes(chars)] |= bit
    return kinds


def _common() -> str:
    """The 6,763 Chinese characters of GB 2312, in which modern texts are written when they are folded; and what Cantonese adds."""
    pairs = ((row, cell) for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF) if not (row == 0xD7 and cell > 0xF9))
    return b"".join(map(bytes, pairs)).decode("gb2312") + _CANTONESE


def is_han(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """bool, parallel to `codes`: a Chinese character?"""
    mask: NDArray[np.bool_] = (_kinds().take(codes) & _HAN) != 0
    return mask


def is_rare(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """bool, parallel to `codes`, which are folded: a Chinese character that texts of today hardly use?"""
    mask: NDArray[np.bool_] = (_kinds().take(codes) & _RARE) != 0
    return mask


class _Line(NamedTuple):
    """The batch between two steps: parallel arrays, the last two as in `Folded`."""

    codes: NDArray[np.uint32]
    kinds: NDArray[np.uint16]
    begin: NDArray[np.int32]
    end: NDArray[np.int32]

    def without(self, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> "_Line":
        """The line without the characters of the runs [start, stop), which do not overlap."""
        if not len(starts):
            return self
        keep = np.flatnonzero(~_within(starts, stops, len(self.codes)))
        return _Line(self.codes.take(keep), self.kinds.take(keep), self.begin.take(keep), self.end.take(keep))

    def read(self, starts: NDArray[np.int64], stops: NDArray[np.int64], codes: NDArray[np.uint32] | int) -> "_Line":
        """Each run [start, stop) becomes one character, standing for all the raw text of the run."""
        if not len(starts):
            return self
        self.codes[starts] = codes
        self.kinds[starts] = _kinds()[codes]
        longer = stops - starts > 1
        starts, stops = starts[longer], stops[longer]
        if len(starts):  # an override may turn round a part of a run: any of its characters may stand first
            self.begin[starts], self.end[starts] = _extent(self.begin, self.end, starts, stops)
        return self.without(starts + 1, stops)


def fold(texts: Sequence[str]) -> Folded:
    """Fold a batch of raw messages.

    >>> fold(["【京東】您的訂單１３８＊＊＊＊ 請 點 https://jd.example.com/a?b 退 款"]).text(0)
    '【京东】您的订单0请点\\ue001退款'
    """
    size = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    truncated = size > MAX_CHARS
    cut = [text[:MAX_CHARS] for text in texts] if truncated.any() else list(texts)
    raw = _codes((PAD * PADS).join([*cut, ""]))
    length = np.minimum(size, MAX_CHARS) + PADS
    ends = np.cumsum(length)
    starts = ends - length
    codes = _table().take(raw)
    for k in range(PADS):
        codes[ends - 1 - k] = _PAD

    def holding(found: NDArray[np.bool_]) -> list[int]:
        """The messages in which one of the characters that were found stands."""
        messages: list[int] = distinct(np.searchsorted(ends, np.flatnonzero(found), "right")).tolist()
        return messages

    unread = np.flatnonzero(codes == _DROP)
    bad = raw[unread]
    repaired = np.zeros(len(cut), dtype=bool)
    repaired[np.searchsorted(ends, unread[((bad >= 0xD800) & (bad < 0xE000)) | ((bad < 32) & (bad != 13)) | (bad == 0xFFFD)], "right")] = True

    labelled = np.zeros(len(cut), dtype=bool)
    for k in holding((raw == ord(":")) | (raw == ord("："))):
        for label in label_spans(cut[k]):
            labelled[k] = True
            codes[starts[k] + label.start : starts[k] + label.end] = _DROP

    order = _reading_order(raw)
    for k in holding((raw == ord(" ")) | (raw == _NEWLINE)):
        first, rows = _rows(cut[k])
        if rows and not labelled[k]:
            first += int(starts[k])
            mine = slice(first, first + sum(map(len, rows)) + len(rows) - 1)
            if (columns := _columns(codes[mine], rows)) is not None:
                order[mine] = first + columns
                codes[mine][columns[1 - len(rows) :]] = _DROP
    keep = order[codes.take(order) != _DROP]
    within = np.arange(len(raw), dtype=np.int32) - np.repeat(starts.astype(np.int32), length)  # index in its own message
    codes, begin = codes.take(keep), within.take(keep)
    line = _Line(codes, _kinds().take(codes), begin, begin + 1)
    for step in (_spaced_letters, _links, _digits, _separators):
        line = step(line)
    for undo in disguise.STEPS:
        line = line.read(*undo(line.codes))
    line.begin[line.codes == _PAD] = -1
    ends = np.flatnonzero(line.codes == _PAD)[PADS - 1 :: PADS] + 1
    return Folded(
        line.codes,
        line.begin,
        line.end,
        np.concatenate([[0], ends]).astype(np.int64),
        repaired,
        truncated,
        labelled,
    )


def _runs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts and ends (exclusive) of the runs of True."""
    padded = np.zeros(len(mask) + 2, dtype=bool)
    padded[1:-1] = mask
    edge = np.flatnonzero(padded[1:] != padded[:-1])
    return edge[::2], edge[1::2]


def _within(starts: NDArray[np.int64], stops: NDArray[np.int64], length: int) -> NDArray[np.bool_]:
    """bool [length]: what lies in the runs [start, stop), which do not overlap."""
    within = np.zeros(length, dtype=bool)
    within[stretches(starts, stops - starts)] = True
    return within


def _reading_order(raw: NDArray[np.uint32]) -> NDArray[np.int64]:
    """The order in which a person reads the characters: what stands behind a right-to-left override is shown turned round."""
    order = np.arange(len(raw))
    ends = np.flatnonzero((raw == _POP) | (raw == _NEWLINE) | (raw == _PAD))
    stop = 0
    for start in np.flatnonzero(raw == _OVERRIDE).tolist():
        if start >= stop:  # one within another changes nothing
            stop = int(ends[np.searchsorted(ends, start)])
            order[start:stop] = order[start:stop][::-1]
    return order


def _rows(text: str) -> tuple[int, list[str]]:
    """The lines of a text (or what spaces part, where it has but one) that may be columns: a few of one length; else empty. And where they
    begin: blank lines before and behind are none of them."""
    first, mark = 0, " "
    if "\n" in text:
        first = text.rfind("\n", 0, len(text) - len(text.lstrip())) + 1
        last = text.find("\n", len(text.rstrip()))
        text = text[first : last if last >= 0 else len(text)]
        mark = "\n" if "\n" in text else " "
    size = text.find(mark)
    second = text.find(mark, size + 1)
    if size < 2 or abs((second if second >= 0 else len(text)) - 2 * size - 1) > 1:  # nearly all texts
        return first, []
    rows = text.split(mark)
    return first, rows if len(rows) <= _COLUMNS and all(-1 <= len(row) - size <= 1 for row in rows) else []


def _columns(codes: NDArray[np.uint32], rows: Sequence[str]) -> NDArray[np.int64] | None:
    """The order in which a text written in columns is read, downwards from the left or from the right, and what parted the lines at its
    end. None where it is read by lines.

    Lines of one length may be columns or verse; they are read as more of their characters often stand together.
    """
    sizes = np.array([len(row) for row in rows])
    starts = np.cumsum(sizes + 1) - sizes - 1
    cells = starts + np.arange(sizes.max())[:, None]  # a line of this is a column of the text
    inside = cells < starts + sizes
    ways = cells[inside], cells[::-1][inside[::-1]]
    best = max(ways, key=lambda order: disguise.fluency(codes[order]))
    likelier = disguise.fluency(codes[best]) > _LIKELIER * disguise.fluency(codes) + _BY_CHANCE
    return np.concatenate([best, starts[1:] - 1]) if likelier else None


def _spaced_letters(line: _Line) -> _Line:
    """Letters and digits written one by one, as in `w w w . a b . c o m/x`, are drawn together."""
    letter = ((line.kinds & _IN_LINK) != 0) & (line.codes != ord("/")) & (line.codes != ord(":"))
    alone = letter.copy()
    alone[1:] &= ~letter[:-1]
    alone[:-1] &= ~letter[1:]
    inner = np.flatnonzero((line.codes[1:-1] == ord(" ")) & alone[:-2] & alone[2:]) + 1
    return line.without(inner, inner + 1)


def _links(line: _Line) -> _Line:
    _uncloak(line)
    dots = np.flatnonzero((line.kinds & _DOT) != 0)
    if not len(dots):
        return line
    starts, stops = _runs((line.kinds & _IN_LINK) != 0)
    maybe = (np.searchsorted(dots, stops) > np.searchsorted(dots, starts)) & (stops - starts >= 5)
    text = line.codes.tobytes().decode("utf-32-le")
    runs = zip(starts[maybe].tolist(), stops[maybe].tolist(), strict=True)
    found = np.array([hit.span() for run in runs for hit in _LINK_SHAPE.finditer(text, *run)], dtype=np.int64).reshape(-1, 2)
    return line.read(found[:, 0], found[:, 1], _LINK)


def _uncloak(line: _Line) -> None:
    """Dots written as a word or another stop, between letters of an address: `abc点example点com`."""
    inside = (line.kinds & _IN_LINK) != 0
    read: set[int] = set()
    for at in (np.flatnonzero(((line.kinds[1:-1] & _SPOKEN_DOT) != 0) & inside[:-2] & inside[2:]) + 1).tolist()[::-1]:
        behind = line.codes[at + 1 : at + 1 + _LABEL_LENGTH].tobytes().decode("utf-32-le")
        label = _HOST_LABEL.match(behind)
        if _ENDING.match(behind) or (label and at + 1 + label.end() in read):
            line.codes[at], line.kinds[at] = ord("."), _kinds()[ord(".")]
            read.add(at)


def _digits(line: _Line) -> _Line:
    """A run of digits, masks and letters like digits is a number where it has a digit, two masks side by side, or a unit of money behind."""
    digit, mask = (line.kinds & _DIGIT) != 0, (line.kinds & _MASK) != 0
    _add_numerals(line, digit)
    sure = digit.copy()
    sure[1:] |= mask[1:] & mask[:-1]
    like = _like_digits(line, sure)
    starts, stops = _runs(digit | mask | like)
    number = np.logical_or.reduceat(sure, starts) if len(starts) else starts.astype(bool)  # nothing sure is between the runs
    run = _within(starts[number], stops[number], len(digit))
    point = np.flatnonzero((line.kinds[1:-1] & _POINT) != 0) + 1
    run[point] |= digit[point - 1] & digit[point + 1]
    return line.read(*_runs(run), ord("0"))


def _add_numerals(line: _Line, digit: NDArray[np.bool_]) -> None:
    """Chinese numerals spelled one by one, as a telephone number is: 幺零零八六."""
    numeral = (line.kinds & _NUMERAL) != 0
    starts, stops = _runs(numeral | digit)
    long = stops - starts >= _NUMERALS
    for a, b in zip(starts[long].tolist(), stops[long].tolist(), strict=True):
        digit[a:b] = True


def _like_digits(line: _Line, sure: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Letters that look like digits and stand in no word: 1oo86. Before a unit of money two are `sure` to be meant so: oooo元."""
    like = (line.kinds & _LIKE_DIGIT) != 0
    starts, stops = _runs(like)
    beside = np.column_stack([np.maximum(starts - 1, 0), np.minimum(stops, len(like) - 1)])
    codes, kinds = line.codes[beside], line.kinds[beside]
    other = (codes >= ord("a")) & (codes <= ord("z")) & ((kinds & (_LIKE_DIGIT | _MASK)) == 0)
    money = (stops - starts > 1) & np.isin(codes[:, 1], _codes(_MONEY))
    alone = ~other.any(axis=1)
    sure[starts[alone & money]] = True
    return _within(starts[alone], stops[alone], len(like))


def _separators(line: _Line) -> _Line:
    starts, stops = _runs((line.kinds & _ORNAMENT) != 0)
    inner = (starts > 0) & (stops < len(line.kinds)) & (stops - starts <= 3)
    starts, stops = starts[inner], stops[inner]
    before, after = line.kinds[starts - 1], line.kinds[stops]
    squeezed = (before & after & _NEAR != 0) & ((before | after) & _HAN != 0)
    return line.without(starts[squeezed], stops[squeezed])
