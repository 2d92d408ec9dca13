"""The ways in which a text is disguised: each takes a text and gives it disguised, at a strength, by chance that is always the same.

Owns the table ATTACKS, after the usual catalogues of evasion. Knows nothing of scores. For measuring only: what is undone is in `normalise`
and `disguise`, and where both use a table (sounds, parts, look-alikes, code words), what is measured is the use of it, not its reach.
"""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from ..sounds import syllables
from ..terms import dictionary

Disguise = Callable[[str, random.Random, float], str]
HAN = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Attack:
    """A family of disguise.

    readings  "one": undone without context · "several": read by sound, shape or a lexicon · "padding": other text around it
    strengths shares of the characters (or words) it is used on; of padding, how many ordinary messages stand around
    """

    name: str
    readings: str
    strengths: tuple[float, float]
    disguise: Disguise


def _table(name: str) -> list[list[str]]:
    text = (files("classifier") / "data" / name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.split("\n") if line and not line.startswith(("# ", "#\t"))]


def _each(text: str, chance: random.Random, share: float, change: Callable[[str], str]) -> str:
    """Each Chinese character changed with this chance."""
    return "".join(change(c) if HAN.match(c) and chance.random() < share else c for c in text)


def _common(c: str) -> bool:
    """Of the 3,755 characters of everyday writing (GB 2312, level 1)?"""
    code = c.encode("gb2312", "ignore")
    return len(code) == 2 and 0xB0 <= code[0] <= 0xD7


@lru_cache(maxsize=1)
def _alike() -> dict[str, tuple[str, list[str], list[str]]]:
    """Character -> (its syllable, common characters of that sound, rare ones)."""
    out = {}
    for syllable, chars in syllables().items():
        common, rare = [c for c in chars if _common(c)], [c for c in chars if not _common(c) and "\u4e00" <= c <= "\u9fa5"]
        out.update(dict.fromkeys(chars, (syllable, common, rare)))
    return out


@lru_cache(maxsize=1)
def _variants() -> dict[str, dict[str, list[str]]]:
    """Family of the folding table -> character -> what is read as it."""
    found: dict[str, dict[str, list[str]]] = {}
    for row in _table("variants.tsv"):
        if row[0] != "drop":
            for source, target in zip(row[1], row[2], strict=True):
                found.setdefault(row[0], {}).setdefault(target, []).append(source)
    return found


def _by_table(*families: str, han: bool = True) -> Disguise:
    def disguise(text: str, chance: random.Random, share: float) -> str:
        tables = [_variants().get(family, {}) for family in families]

        def change(c: str) -> str:
            options = [other for table in tables for other in table.get(c.lower(), [])]
            return chance.choice(options) if options else c

        if han:
            return _each(text, chance, share, change)
        return "".join(change(c) if c.isascii() and c.isalnum() and chance.random() < share else c for c in text)

    return disguise


def _insert(marks: Sequence[str]) -> Disguise:
    """A mark behind a Chinese character that another follows."""

    def disguise(text: str, chance: random.Random, share: float) -> str:
        return re.sub(r"([\u4e00-\u9fff])(?=[\u4e00-\u9fff])", lambda m: m[1] + (chance.choice(marks) if chance.random() < share else ""), text)

    return disguise


def _homophones(text: str, chance: random.Random, share: float) -> str:
    return _each(text, chance, share, lambda c: chance.choice(_alike()[c][1] or [c]) if c in _alike() else c)


def _rare(text: str, chance: random.Random, share: float) -> str:
    return _each(text, chance, share, lambda c: chance.choice(_alike()[c][2] or [c]) if c in _alike() else c)


def _mapped(mapping: Callable[[], Mapping[str, Sequence[str]]]) -> Disguise:
    def disguise(text: str, chance: random.Random, share: float) -> str:
        table = mapping()
        return _each(text, chance, share, lambda c: chance.choice(table[c]) if c in table else c)

    return disguise


@lru_cache(maxsize=1)
def _lookalikes() -> dict[str, str]:
    return dict(_table("lookalikes.tsv"))


@lru_cache(maxsize=1)
def _splits() -> dict[str, list[str]]:
    return {whole: [parts] for whole, parts in _table("parts.tsv")}


@lru_cache(maxsize=1)
def _words() -> re.Pattern[str]:
    """The words that a spammer would hide: those of the domain."""
    words = sorted((w for w in dictionary() if all(map(HAN.match, w)) and len(w) <= 4), key=len, reverse=True)
    return re.compile("|".join(words))


def _each_word(change: Callable[[str, random.Random], str]) -> Disguise:
    def disguise(text: str, chance: random.Random, share: float) -> str:
        return _words().sub(lambda m: change(m[0], chance) if chance.random() < share else m[0], text)

    return disguise


def _spelled(word: str, chance: random.Random) -> str:
    return "".join(_alike()[c][0] if c in _alike() else c for c in word)


def _half_spelled(word: str, chance: random.Random) -> str:
    k = chance.randrange(len(word))
    return word[:k] + _spelled(word[k], chance) + word[k + 1 :]


def _turned_round(word: str, chance: random.Random) -> str:
    return word[::-1]


@lru_cache(maxsize=1)
def _code_words() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for written, meant, _ in _table("codewords.tsv"):
        found.setdefault(meant, []).append(written)
    return found


def _codes(latin: bool) -> Disguise:
    def disguise(text: str, chance: random.Random, share: float) -> str:
        for meant, every in _code_words().items():
            some = [written for written in every if written.isascii() == latin]
            if some:
                text = re.sub(re.escape(meant), lambda m, some=some: chance.choice(some) if chance.random() < share else m[0], text)  # type: ignore[misc]
        return text

    return disguise


def _digits(text: str, chance: random.Random, share: float) -> str:
    """Telephone numbers in Chinese numerals."""
    names = dict(zip("0123456789", ("零〇", "一幺壹", "二贰", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖"), strict=True))
    return re.sub(r"[0-9]{5,}", lambda m: "".join(chance.choice(names[d]) for d in m[0]) if chance.random() < share else m[0], text)


def _letters(text: str, chance: random.Random, share: float) -> str:
    """Digits as letters that look like them."""
    table = {"0": "oO", "1": "lI"}
    return re.sub(r"(?<=[0-9])[01](?=[0-9])", lambda m: chance.choice(table[m[0]]) if chance.random() < share else m[0], text)


def _override(text: str, chance: random.Random, share: float) -> str:
    """A clause written backwards behind a right-to-left override, so that it is shown forwards."""
    return re.sub(r"[\u4e00-\u9fff]{2,}", lambda m: f"\u202e{m[0][::-1]}\u202c" if chance.random() < share else m[0], text)


def _cloak(text: str, chance: random.Random, share: float) -> str:
    """The dots of an address written as words or spaced out."""

    def hide(m: re.Match[str]) -> str:
        if chance.random() >= share:
            return m[0]
        return chance.choice([m[0].replace(".", "点"), m[0].replace(".", "。"), m[0].replace(".com", ".c0m"), " ".join(m[0])])

    return re.sub(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|cn|cc|net|top|xyz)(?![a-z])", hide, text)


_EMOJI = {"钱": "💰", "卡": "💳", "红": "🧧", "包": "📦", "电": "☎", "礼": "🎁", "车": "🚗", "加": "➕", "警": "👮", "房": "🏠", "链": "🔗"}


def _columns(text: str, chance: random.Random, width: float) -> str:
    """Written in columns, to be read downwards from the right, as old books are."""
    size = int(width)
    lines = [text[k : k + size] for k in range(0, len(text), size)]
    return "\n".join("".join(column) for column in zip(*(line.ljust(size) for line in lines), strict=True))


ATTACKS: tuple[Attack, ...] = (
    Attack("1 invisible characters", "one", (0.3, 0.8), _insert(["\u200b", "\u200d", "\u2060", "\ufeff", "\u3164", "\u00ad", "\U000e0041"])),
    Attack("2 spaces and marks", "one", (0.3, 0.8), _insert([" ", "·", ".", "-", "*", "_", "~", "★", "|"])),
    Attack("3 characters as marks", "one", (0.2, 0.5), _insert(["丶", "丨"])),
    Attack("4 traditional", "one", (0.3, 1.0), _by_table("traditional")),
    Attack("5 Japanese and variants", "one", (0.3, 1.0), _by_table("japanese")),
    Attack("6 compatibility forms", "one", (0.3, 1.0), _by_table("compatibility_han")),
    Attack("7 full width", "one", (0.5, 1.0), lambda t, c, s: "".join(chr(ord(x) + 0xFEE0) if "!" <= x <= "~" and c.random() < s else x for x in t)),
    Attack("8 mathematical and circled", "one", (0.5, 1.0), _by_table("compatibility", "circled_digit", han=False)),
    Attack("9 enclosed and small letters", "one", (0.5, 1.0), _by_table("enclosed_letter", "small_capital", han=False)),
    Attack("10 numerals for digits", "one", (0.5, 1.0), _digits),
    Attack("11 letters for digits", "one", (0.3, 0.8), _letters),
    Attack("20 Cyrillic and Greek", "one", (0.5, 1.0), _by_table("look_alike_letter", han=False)),
    Attack("21 stacked marks", "one", (0.3, 0.8), _insert(["\u0336", "\u0335\u0301", "\u0332", "\u0302\u0303\u0304"])),
    Attack("22 right to left", "one", (0.3, 0.8), _override),
    Attack("25 cloaked addresses", "one", (0.5, 1.0), _cloak),
    Attack("12 homophones", "several", (0.2, 0.4), _homophones),
    Attack("13 rare characters of the sound", "several", (0.2, 0.4), _rare),
    Attack("14 look-alikes", "several", (0.2, 0.4), _mapped(_lookalikes)),
    Attack("15 split characters", "several", (0.2, 0.4), _mapped(_splits)),
    Attack("16 pinyin for words", "several", (0.3, 0.8), _each_word(_spelled)),
    Attack("17 initials", "several", (0.5, 1.0), _codes(latin=True)),
    Attack("18 half pinyin", "several", (0.3, 0.8), _each_word(_half_spelled)),
    Attack("19 emoji for words", "several", (0.3, 1.0), _mapped(lambda: _EMOJI)),
    Attack("22 words turned round", "several", (0.3, 0.8), _each_word(_turned_round)),
    Attack("23 columns", "several", (2, 4), _columns),
    Attack("26 code words", "several", (0.5, 1.0), _codes(latin=False)),
)


def padding(around: Sequence[str]) -> Attack:
    """Family 24: the text among ordinary messages, three or ten of them, before and behind."""

    def disguise(text: str, chance: random.Random, count: float) -> str:
        others = chance.sample(list(around), int(count))
        k = chance.randrange(len(others) + 1)
        return "\n".join([*others[:k], text, *others[k:]])

    return Attack("24 padding", "padding", (3, 10), disguise)


__all__ = ["ATTACKS", "Attack", "padding"]
