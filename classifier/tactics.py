"""The tactics a reader would name: loads `data/tactics/*.toml` and finds them in folded text.

Owns the notation of the tactic files and the search. Knows nothing of features, scores or verdicts.
The search runs over the folded text of a whole batch, so neither a slip of the segmenter nor an inserted symbol hides a tactic.
Each phrase has an anchor, the first two to four characters of a literal it must contain; anchors are found for all phrases at
once by their n-gram keys, and only a phrase whose anchor stands in a message is tried there. Gaps are bounded (at most two of
ten characters), so trying takes linear time.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import grams
from .errors import InputError
from .normalise import PADS, Folded

STAGES = ("身份建立", "借口", "引流", "信用/借贷诱导", "转账", "威胁", "提醒")
GAP = 10  # characters between two parts of a pattern: about one clause of a Chinese sentence
MAX_GAPS = 2  # each gap multiplies the work at one position by GAP; two keep it at a hundred steps
_STOP = "。!?;\n"  # a gap never crosses the end of a sentence
_PART = re.compile(r"\[([^\[\]]*)\]|(…)|([^\[\]…]+)")
_NEGATION_REACH = 8  # characters before a hit in which a negation turns it round
_CLAUSE = ",。!?;:\n"


@dataclass(frozen=True)
class Tactic:
    """One tactic file. `side` is "fraud" or "legit"; `stage` one of STAGES; hits and misses are the file's own examples."""

    file: str
    name: str
    side: str
    stage: str
    explain: str
    source: str
    phrases: tuple[str, ...]
    patterns: tuple[str, ...]
    hits: tuple[str, ...]
    misses: tuple[str, ...]


@dataclass(frozen=True)
class Hits:
    """Tactics found in a batch, ordered by message and position; parallel arrays, one entry a hit.

    message, tactic  int64: which message of the batch, which tactic of the set
    negated          bool: a negation stands before it in its clause ("请勿…")
    start, stop      int64: folded characters [start, stop) of the batch
    """

    message: NDArray[np.int64]
    tactic: NDArray[np.int64]
    negated: NDArray[np.bool_]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]


@dataclass(frozen=True)
class _Phrase:
    tactic: int
    literal: str  # all of it, where it is a plain phrase; "" for a pattern
    expression: str  # as a regular expression; compiled when first tried
    anchors: tuple[tuple[str, ...], ...]  # of each part that must be there, how it can begin

    @cached_property
    def regex(self) -> re.Pattern[str]:
        return re.compile(self.expression)


def _compile(tactic: int, source: str) -> _Phrase:
    """One phrase or pattern of a file. Raises ValueError, saying why, where the notation is not kept."""
    expression, required = "", []
    gaps = source.count("…")
    if gaps > MAX_GAPS:
        raise ValueError(f"more than {MAX_GAPS} gaps")
    position = 0
    for part in _PART.finditer(source):
        if part.start() != position:
            raise ValueError("a bracket is not closed")
        position = part.end()
        choice, gap, text = part.groups()
        if gap:
            expression += f"[^{re.escape(_STOP)}]{{0,{GAP}}}"
        elif text:
            expression += re.escape(text)
            required.append((text,))
        else:
            words = choice.split("|")
            some = tuple(sorted(filter(None, words), key=len, reverse=True))
            expression += f"(?:{'|'.join(map(re.escape, some))}){'?' if '' in words else ''}"
            if "" not in words:
                required.append(some)
    if position != len(source):
        raise ValueError("a bracket is not closed")
    anchors = tuple(tuple({text[:4] for text in part}) for part in required if min(map(len, part)) >= 2)
    if not anchors:
        raise ValueError("no part of two characters that must be there")
    return _Phrase(tactic, source if gaps == 0 and "[" not in source else "", expression, anchors)


class TacticSet:
    """A set of tactics, ready to be searched for. `tactics[i]` is what index i of a hit means."""

    def __init__(self, tactics: Iterable[Tactic], negations: Iterable[str]) -> None:
        self.tactics = tuple(tactics)
        self.keys = grams.of_texts([t.name for t in self.tactics])
        self.explain = {t.name: t.explain for t in self.tactics}
        self.stage = {t.name: t.stage for t in self.tactics}
        self._phrases: list[_Phrase] = []
        for k, tactic in enumerate(self.tactics):
            for source in (*tactic.phrases, *tactic.patterns):
                try:
                    self._phrases.append(_compile(k, source))
                except ValueError as e:
                    raise InputError(f"{tactic.file}: {source!r}: {e}") from None
        self._negation = re.compile(f"(?:{'|'.join(map(re.escape, negations))})[^{_CLAUSE}]*$")
        anchors: dict[str, list[int]] = {}
        parts = [(k, part) for k, phrase in enumerate(self._phrases) for part in phrase.anchors]
        for k, (_, part) in enumerate(parts):
            for anchor in part:
                anchors.setdefault(anchor, []).append(k)
        self._phrase_of_part = np.array([k for k, _ in parts], dtype=np.int64)
        self._needed = np.bincount(self._phrase_of_part, minlength=len(self._phrases))
        self._literal = np.array([len(phrase.literal) for phrase in self._phrases], dtype=np.int64)
        self._tables = tuple(_anchor_table(n, anchors) for n in (2, 3, 4))
        self._begins = _bitmap(_keys_of([anchor[:2] for anchor in anchors]))

    def index(self, name: str) -> int:
        """The index of the tactic of this name. Raises ValueError where there is none."""
        return [t.name for t in self.tactics].index(name)

    def find(self, folded: Folded) -> Hits:
        """All tactics in a folded batch.

        >>> from classifier.normalise import fold
        >>> f = fold(["请把钱转到安全账户", "警方绝不会要求你转到安全账户"])
        >>> s = load_tactics()
        >>> h = s.find(f)
        >>> [(int(m), bool(n)) for m, t, n in zip(h.message, h.tactic, h.negated) if s.tactics[t].name == "安全账户"]
        [(0, False), (1, True)]
        """
        found: list[tuple[int, int, bool, int, int]] = []
        joined, bounds = folded.joined, folded.bounds.tolist()
        position, part = self._anchored(folded)
        phrase = self._phrase_of_part[part]
        message = folded.message_of[position].astype(np.int64)

        phrases = self._phrases
        plain = self._literal[phrase] > 0
        for at, k, m in zip(position[plain].tolist(), phrase[plain].tolist(), message[plain].tolist(), strict=True):
            literal = phrases[k].literal
            if len(literal) <= 4 or joined.startswith(literal, at):
                found.append(self._hit(joined, bounds, m, phrases[k].tactic, at, at + len(literal)))

        # A pattern is tried only in messages that hold an anchor of each of its parts.
        pairs = grams.distinct(message[~plain] * len(self._phrase_of_part) + part[~plain])
        owner = (pairs // len(self._phrase_of_part)) * len(self._phrases) + self._phrase_of_part[pairs % len(self._phrase_of_part)]
        begin = np.flatnonzero(np.diff(owner, prepend=-1))
        count = np.diff(begin, append=len(owner))
        candidates = owner[begin]
        candidates = candidates[count == self._needed[candidates % len(self._phrases)]]
        for m, k in zip((candidates // len(self._phrases)).tolist(), (candidates % len(self._phrases)).tolist(), strict=True):
            for match in phrases[k].regex.finditer(joined, bounds[m], bounds[m + 1] - PADS):
                found.append(self._hit(joined, bounds, m, phrases[k].tactic, match.start(), match.end()))
        return _merge(found)

    def _hit(self, joined: str, bounds: list[int], message: int, tactic: int, start: int, stop: int) -> tuple[int, int, bool, int, int]:
        before = joined[max(bounds[message], start - _NEGATION_REACH) : start]
        return message, tactic, self._negation.search(before) is not None, start, stop

    def _anchored(self, folded: Folded) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(position in the batch, part of a phrase that has an anchor there)."""
        if len(folded.codes) < 2:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        at = np.flatnonzero(self._begins[_bitmap_slots(folded.grams[1])])
        positions, parts = [], []
        for every, table in zip(folded.grams[1:], self._tables, strict=True):
            at = at[: np.searchsorted(at, len(every))]
            maybe = at[table.bitmap[_bitmap_slots(every[at])]]
            if len(table.keys) and len(maybe):
                keys = every[maybe]
                slot = np.minimum(np.searchsorted(table.keys, keys), len(table.keys) - 1)
                hit = np.flatnonzero(table.keys[slot] == keys)
                count = table.count[slot[hit]]
                positions.append(np.repeat(maybe[hit], count))
                begin = np.repeat(table.begin[slot[hit]] - np.concatenate([[0], np.cumsum(count)[:-1]]), count)
                parts.append(table.parts[begin + np.arange(len(begin))])
        none = np.zeros(0, dtype=np.int64)
        return np.concatenate([none, *positions]), np.concatenate([none, *parts])


@dataclass(frozen=True)
class _AnchorTable:
    """Anchors of one length, sorted by key: anchor i belongs to parts[begin[i] : begin[i] + count[i]]; `bitmap` has most others out first."""

    bitmap: NDArray[np.bool_]
    keys: grams.Keys
    begin: NDArray[np.int64]
    count: NDArray[np.int64]
    parts: NDArray[np.int64]


_BITMAP_BITS = 16


def _bitmap_slots(keys: grams.Keys) -> NDArray[np.int64]:
    return (keys >> np.uint64(64 - _BITMAP_BITS)).astype(np.int64)


def _bitmap(keys: grams.Keys) -> NDArray[np.bool_]:
    bitmap = np.zeros(1 << _BITMAP_BITS, dtype=bool)
    bitmap[_bitmap_slots(keys)] = True
    return bitmap


def _keys_of(texts: Sequence[str]) -> grams.Keys:
    """The n-gram keys of texts that all have the same length n."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le"), dtype="<u4").reshape(len(texts), -1)
    keys = grams.first(codes[:, 0])
    for column in range(1, codes.shape[1]):
        keys = grams.join(keys, grams.first(codes[:, column]))
    return keys


def _anchor_table(n: int, anchors: Mapping[str, list[int]]) -> _AnchorTable:
    texts = [a for a in anchors if len(a) == n]
    keys = _keys_of(texts) if texts else np.zeros(0, dtype=np.uint64)
    order = np.argsort(keys)
    rows = [anchors[texts[k]] for k in order.tolist()]
    count = np.array([len(parts) for parts in rows], dtype=np.int64)
    every = [part for parts in rows for part in parts]
    return _AnchorTable(_bitmap(keys), keys[order], np.cumsum(count) - count, count, np.array(every, dtype=np.int64))


def _merge(found: list[tuple[int, int, bool, int, int]]) -> Hits:
    """Overlapping hits of one tactic in one message become one."""
    merged: list[list[int]] = []
    for message, tactic, negated, start, stop in sorted(found):
        last = merged[-1] if merged else None
        if last and last[:3] == [message, tactic, negated] and start <= last[4]:
            last[4] = max(last[4], stop)
        else:
            merged.append([message, tactic, int(negated), start, stop])
    table = np.array(sorted(merged, key=lambda h: (h[0], h[3], h[1])), dtype=np.int64).reshape(-1, 5)
    return Hits(table[:, 0], table[:, 1], table[:, 2].astype(bool), table[:, 3], table[:, 4])


def parse_tactic(text: str, where: str) -> Tactic:
    """A tactic from the text of its file. Raises InputError naming the file where it is no TOML, or a field is missing or wrong."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise InputError(f"{where}: not TOML: {e}") from None
    fields = {name: kind for name, kind in Tactic.__annotations__.items() if name != "file"}
    if set(data) != set(fields):
        raise InputError(f"{where}: fields should be {', '.join(fields)}; differ in {', '.join(sorted(set(data) ^ set(fields)))}")
    for name, kind in fields.items():
        parts = [data[name]] if kind is str else data[name]
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            raise InputError(f"{where}: {name} should be {'a string' if kind is str else 'a list of strings'}")
    if data["side"] not in ("fraud", "legit") or data["stage"] not in STAGES:
        raise InputError(f"{where}: side is fraud or legit, stage one of {' '.join(STAGES)}")
    values: dict[str, Any] = {name: value if isinstance(value, str) else tuple(value) for name, value in data.items()}
    return Tactic(where, **values)


@lru_cache(maxsize=1)
def load_tactics() -> TacticSet:
    """The tactics that come with the package, ordered by file name."""
    data = files("classifier") / "data"
    paths = sorted((p for p in (data / "tactics").iterdir() if p.name.endswith(".toml")), key=lambda p: p.name)
    tactics = [parse_tactic(p.read_text(encoding="utf-8"), p.name) for p in paths]
    negations = [w for w in (data / "negations.txt").read_text(encoding="utf-8").split("\n") if w and not w.startswith("#")]
    return TacticSet(tactics, negations)
