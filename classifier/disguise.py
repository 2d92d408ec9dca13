"""What is written in place of a keyword, so that no filter should know it: finds it in folded characters and says what is meant.

Owns the lexicon of words worth hiding and the ways in which they are hidden that have several readings: other characters of the same
sound, look-alikes, characters split in two, pinyin, initials, code words, words turned round (families 12 to 18 and 26 of the usual
catalogues). A reading counts only where a word of the lexicon comes of it; anything else stays as it is written. Knows nothing of
offsets: what it finds is given as runs of characters and the one character that each is read as.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import grams, sounds

Ints = NDArray[np.int64]
Codes = NDArray[np.uint32]

_LONGEST = 4  # characters of a word of the lexicon
_LATIN = 24  # letters of a run that is tried as pinyin; longer ones are no word of four syllables
_RADICALS = set("亻扌氵讠钅忄纟衤礻冫辶彳阝攵厶刂丩冖")  # never stand alone in writing: with one, the two parts are one character
_RARE_ENOUGH = 2  # of a word's characters must not be look-alikes where it has more


class Readings(NamedTuple):
    """Runs [start, stop) of characters, in order and apart, each read as the one character `code`; parallel arrays."""

    start: Ints
    stop: Ints
    code: Codes


def _lines(name: str) -> Iterator[list[str]]:
    text = (files("classifier") / "data" / name).read_text(encoding="utf-8")
    return (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))


@dataclass(frozen=True)
class Word:
    """A word of the lexicon: how it sounds (syllable codes, both ways where a character has two), and what sounds alike but is meant."""

    text: str
    sounds: tuple[tuple[int, ...], ...]
    alike: tuple[str, ...]


@lru_cache(maxsize=1)
def lexicon() -> dict[str, Word]:
    """The words that disguise is undone for, from `data/lexicon.tsv`."""
    words = {}
    for text, reading, alike in _lines("lexicon.tsv"):
        own = tuple(sounds.sounds_of(_codes(text)).tolist())
        other = tuple(map(sounds.code, reading.split()))
        words[text] = Word(text, (own, other) if other else (own,), tuple(alike.split()))
    return words


def _codes(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4")


# -- what is written otherwise: a text in place of another


class _Sought(NamedTuple):
    """Texts that are looked for all at once: of every kind some, one kind behind the other.

    parts      characters split in two, and the whole of each
    rewritten  look-alikes, words turned round, code words, and what each is read as
    texts      as they are written: parts, what is rewritten, then the words of the lexicon themselves
    """

    parts: list[tuple[str, str]]
    rewritten: list[tuple[str, str]]
    texts: grams.Literals


@lru_cache(maxsize=1)
def _sought() -> _Sought:
    real = {alike for word in lexicon().values() for alike in word.alike} | set(lexicon())
    alike = {right: (right, *wrong) for right, wrong in _lines("lookalikes.tsv")}
    found: dict[str, str] = {}
    for text in lexicon():
        for other in map("".join, product(*(alike.get(c, (c,)) for c in text))):
            if sum(a != b for a, b in zip(text, other, strict=True)) <= max(1, len(text) - _RARE_ENOUGH):
                found.setdefault(other, text)
        found.setdefault(text[::-1], text)
    attested = set(_attested())
    kept = {a: b for a, b in found.items() if a not in real and a not in attested}
    kept |= {written: meant for written, meant, _ in _lines("codewords.tsv") if not written.isascii()}
    parts = {part: whole for whole, part in _lines("parts.tsv")}
    kept = {a: b for a, b in kept.items() if a not in parts}
    plain = [text for text in lexicon() if text not in kept and text not in parts]
    return _Sought(list(parts.items()), list(kept.items()), grams.Literals([*parts, *kept, *plain]))


def _attested() -> list[str]:
    """Texts that look like a word of the lexicon, or like one turned round, and are meant as they stand."""
    return [text for (text,) in _lines("attested.tsv")]


@lru_cache(maxsize=1)
def _initials() -> dict[str, str]:
    return {written: meant for written, meant, _ in _lines("codewords.tsv") if written.isascii()}


# -- the sound of words


@lru_cache(maxsize=1)
def _by_sound() -> dict[tuple[int, ...], str]:
    return {sound: word.text for word in reversed(lexicon().values()) for sound in word.sounds}


@lru_cache(maxsize=1)
def _spoken() -> tuple[tuple[int, grams.Index, Codes, grams.Index], ...]:
    """By length: how the words sound, the characters of each, and the texts of that length that are meant as they stand."""
    out = []
    for length in range(_LONGEST, 1, -1):
        pairs = [(sound, text) for sound, text in _by_sound().items() if len(text) == length]
        keys = grams.char_grams(np.array([c for sound, _ in pairs for c in sound], dtype=np.uint32), _LONGEST)[length - 1][::length]
        meant = [*(text for _, text in pairs), *(alike for word in lexicon().values() for alike in word.alike if len(alike) == length)]
        out.append((length, grams.Index(keys), _codes("".join(text for _, text in pairs)).reshape(-1, length), grams.Index(grams.of_equal(meant))))
    return tuple(out)


@lru_cache(maxsize=1)
def _syllables() -> dict[str, int]:
    return {syllable: sounds.code(syllable) for syllable in sounds.syllables()}


@lru_cache(maxsize=4096)
def _spelled(letters: str) -> tuple[tuple[str, int], ...] | None:
    """Letters as syllables (how written, code), as few as possible; None where they are no pinyin."""
    best: list[tuple[tuple[str, int], ...] | None] = [()] + [None] * len(letters)
    for stop in range(1, len(letters) + 1):
        for start in range(max(0, stop - 6), stop):
            before, code = best[start], _syllables().get(letters[start:stop])
            if before is not None and code is not None and (best[stop] is None or len(before) + 1 < len(best[stop] or ())):
                best[stop] = (*before, (letters[start:stop], code))
    return best[-1]


# -- the two steps


def written(codes: Codes) -> Readings:
    """Readings of what is written otherwise: pinyin and initials beside Chinese characters, split characters, look-alikes, code words.

    >>> text = "加薇信，zhuan账到入民法院"
    >>> [(text[a:b], chr(c)) for a, b, c in zip(*written(np.frombuffer(text.encode("utf-32-le"), dtype="<u4")))]
    [('薇', '微'), ('信', '信'), ('zhuan', '转'), ('入', '人'), ('民', '民'), ('法', '法'), ('院', '院')]
    """
    parts, rewritten, texts = _sought()
    at, which = texts.find(codes, grams.char_grams(codes, _LONGEST))
    split, words = which < len(parts), which >= len(parts) + len(rewritten)
    found = [*_latin(codes), *_split(codes, at[split], which[split])]
    as_written = _covered(len(codes), at[words], texts.size[which[words]])
    some = np.flatnonzero(~split & ~words)
    for start, k in zip(at[some].tolist(), which[some].tolist(), strict=True):
        source, target = rewritten[k - len(parts)]
        stop = start + len(source)
        if not _breaks(source, target, as_written[start:stop].tolist()) and not _inside_latin(codes, start, stop):
            found.append((start, stop, target))
    return _apart(found)


def spoken(codes: Codes) -> Readings:
    """Readings of characters in place of others of the same sound, where the word of the lexicon is the only one of that sound."""
    heard = grams.char_grams(sounds.sounds_of(codes), _LONGEST)
    found: list[tuple[int, int, str]] = []
    as_written = np.zeros(len(codes), dtype=bool)  # stands in a word of the lexicon, or in what is meant as it stands
    for length, sound, words, meant in _spoken():
        at, row = sound.find(heard[length - 1])
        other = np.ones(len(at), dtype=bool)
        other[meant.find(grams.at_places(codes, at, length))[0]] = False
        as_written[(at[~other][:, None] + np.arange(length)).ravel()] = True
        found += [
            (start, start + length, "".join(map(chr, words[k].tolist()))) for start, k in zip(at[other].tolist(), row[other].tolist(), strict=True)
        ]
    likely = [(a, b, text) for a, b, text in found if not as_written[a:b].any()]
    # A character that belongs to its neighbour outside is no disguise: 时间自由 has no 兼职 in it, whatever 间自 sounds like.
    edges = np.array([(a, b - 1, ord(text[0]), ord(text[-1])) for a, b, text in likely], dtype=np.int64).reshape(-1, 4)
    before = (codes[edges[:, 0]] != edges[:, 2]) & _is_pair(codes, edges[:, 0] - 1)
    behind = (codes[edges[:, 1]] != edges[:, 3]) & _is_pair(codes, edges[:, 1])
    return _apart(likely[k] for k in np.flatnonzero(~(before | behind)).tolist())


def _is_pair(codes: Codes, at: Ints) -> NDArray[np.bool_]:
    """Do the characters at these places and behind them often stand so?"""
    known = np.zeros(len(at), dtype=bool)
    inside = np.flatnonzero((at >= 0) & (at < len(codes) - 1))
    known[inside[_pairs().find(grams.at_places(codes, at[inside], 2))[0]]] = True
    return known


@lru_cache(maxsize=1)
def _pairs() -> grams.Index:
    return grams.Index(grams.of_equal([first + second for first, seconds in _lines("pairs.tsv") for second in seconds]))


def fluency(codes: Codes) -> int:
    """How many characters stand before one that they often stand before: what tells a right order of them from a wrong one."""
    return int(_is_pair(codes, np.arange(len(codes))).sum())


def _breaks(source: str, target: str, as_written: list[bool]) -> bool:
    """Would this reading change a character that is in a word as it stands?"""
    return any(kept and target[k : k + 1] != c for k, (c, kept) in enumerate(zip(source, as_written, strict=True)))


def _covered(length: int, start: Ints, size: Ints) -> NDArray[np.bool_]:
    """bool [length]: which characters stand in one of the spans?"""
    edges = np.bincount(start, minlength=length + 1) - np.bincount(start + size, minlength=length + 1)
    covered: NDArray[np.bool_] = np.cumsum(edges)[:length] > 0
    return covered


def _apart(found: Iterable[tuple[int, int, str]]) -> Readings:
    """Of readings that overlap the longest, of equals the first; each cut into one run a character, the last one taking what is left."""
    taken: set[int] = set()
    runs: list[tuple[int, int, int]] = []
    for start, stop, text in sorted(found, key=lambda f: (f[0] - f[1], f[0])):
        if taken.isdisjoint(range(start, stop)):
            taken.update(range(start, stop))
            last = len(text) - 1
            runs += [(start + k, start + k + 1 if k < last else stop, ord(c)) for k, c in enumerate(text)]
    table = np.array(sorted(runs), dtype=np.int64).reshape(-1, 3)
    return Readings(table[:, 0], table[:, 1], table[:, 2].astype(np.uint32))


def _is_latin(codes: Codes) -> NDArray[np.bool_]:
    latin: NDArray[np.bool_] = (codes >= ord("a")) & (codes <= ord("z"))
    return latin


def _is_han(codes: Codes) -> NDArray[np.bool_]:
    han: NDArray[np.bool_] = (codes >= 0x3400) & (codes < 0xA000)
    return han


def _inside_latin(codes: Codes, start: int, stop: int) -> bool:
    """Would a letter at an end go on beyond it?"""

    def goes_on(inner: int, outer: int) -> bool:
        return 0 <= outer < len(codes) and bool(_is_latin(codes[[inner, outer]]).all())

    return goes_on(start, start - 1) or goes_on(stop - 1, stop)


def _latin(codes: Codes) -> Iterator[tuple[int, int, str]]:
    """Initials and pinyin, in runs of letters beside Chinese characters."""
    edge = np.flatnonzero(np.diff(_is_latin(codes).astype(np.int8), prepend=np.int8(0), append=np.int8(0)) != 0)
    starts, stops = edge[::2], edge[1::2]
    beside = _is_han(codes[np.maximum(starts - 1, 0)]) | _is_han(codes[np.minimum(stops, len(codes) - 1)])
    some = np.flatnonzero(beside & (stops - starts > 1) & (stops - starts <= _LATIN))
    heard, text = sounds.sounds_of(codes), codes.tobytes().decode("utf-32-le", "surrogatepass")
    for start, stop in zip(starts[some].tolist(), stops[some].tolist(), strict=True):
        letters = text[start:stop]
        if letters in _initials():
            yield start, stop, _initials()[letters]
        elif (syllables := _spelled(letters)) and _may_begin(heard, start, stop, syllables):
            yield from _pinyin(codes, heard, start, stop, syllables)


@lru_cache(maxsize=1)
def _neighbours() -> set[tuple[int, int]]:
    """The sounds that follow each other in words of the lexicon."""
    return {pair for word in lexicon().values() for sound in word.sounds for pair in pairwise(sound)}


def _may_begin(heard: Codes, start: int, stop: int, syllables: tuple[tuple[str, int], ...]) -> bool:
    """Is the first syllable beside another one as in a word? Most are not, and need no closer look."""
    first = syllables[0][1]
    second = syllables[1][1] if len(syllables) > 1 else int(heard[stop]) if stop < len(heard) else 0
    return (first, second) in _neighbours() or (start > 0 and (int(heard[start - 1]), first) in _neighbours())


def _pinyin(codes: Codes, sound: Codes, start: int, stop: int, syllables: tuple[tuple[str, int], ...]) -> Iterator[tuple[int, int, str]]:
    """The syllables as characters, where with those beside them they are words of the lexicon; every syllable in one, or none."""
    before, after = slice(max(start - _LONGEST + 1, 0), start), slice(stop, stop + _LONGEST - 1)
    heard = [*sound[before].tolist(), *(code for _, code in syllables), *sound[after].tolist()]
    units = [*codes[before].tolist(), *(0 for _ in syllables), *codes[after].tolist()]
    first = before.stop - before.start
    last = first + len(syllables)
    read: dict[int, str] = {}

    def cover(at: int, done: int) -> bool:
        """Words from unit `at` on, that leave no syllable from `done` on without."""
        if done >= last:
            return True
        for begin in range(max(at, done - _LONGEST + 1), done + 1):
            for end in range(len(units), done, -1):
                word = _by_sound().get(tuple(heard[begin:end])) if 2 <= end - begin <= _LONGEST else None
                beside = word is not None and all(first <= k < last or units[k] == ord(word[k - begin]) for k in range(begin, end))
                if word is not None and beside and cover(end, max(end, done)):
                    read.update({k: word[k - begin] for k in range(begin, end) if first <= k < last})
                    return True
        return False

    if cover(0, first):
        for k, (letters, _) in enumerate(syllables, first):
            yield start, start + len(letters), read[k]
            start += len(letters)


def _split(codes: Codes, at: Ints, which: Ints) -> Iterator[tuple[int, int, str]]:
    """Characters written in two parts, given where such parts stand: those with a radical, and others where a word of the lexicon comes of it."""
    parts = _sought().parts
    pairs: dict[int, int] = {}
    for start, k in sorted(zip(at.tolist(), which.tolist(), strict=True)):
        if start - 1 not in pairs:
            pairs[start] = k
    wholes = {start: parts[k][1] for start, k in pairs.items()}
    for start, k in pairs.items():
        if not _RADICALS.isdisjoint(parts[k][0]) or _makes_word(codes, start, wholes):
            yield start, start + 2, wholes[start]


def _makes_word(codes: Codes, start: int, wholes: dict[int, str]) -> bool:
    """Is the pair at `start`, read as one character, in a word with what stands beside it? `wholes` says what pairs are read as."""
    left, right = "", ""
    at = start
    while len(left) < _LONGEST - 1 and at > 0:
        at -= 2 if at - 2 in wholes else 1
        left = (wholes.get(at) or chr(codes[at])) + left
    at = start + 2
    while len(right) < _LONGEST - 1 and at < len(codes):
        right += wholes.get(at) or chr(codes[at])
        at += 2 if at in wholes else 1
    text, middle = left + wholes[start] + right, len(left)
    spans = ((a, b) for a in range(middle + 1) for b in range(middle + 1, len(text) + 1) if 2 <= b - a <= _LONGEST)
    return any(text[a:b] in lexicon() for a, b in spans)


STEPS: tuple[Callable[[Codes], Readings], ...] = (written, spoken)
