"""The tactics a reader would name: loads `data/tactics/*.toml` and finds them in folded text.

Owns the notation of the tactic files and the search. Knows nothing of features, scores or verdicts.
The search runs over the folded text of a whole batch, so no inserted symbol hides a tactic. A pattern is a chain of parts, each one of
some texts; all texts of all files are found at once by their n-gram keys, then laid side by side, also all at once: no expression is
tried at any place, so nothing in a message can make the search slow.
"""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import grams
from .errors import InputError
from .normalise import PAD, Folded

STAGES = ("身份建立", "借口", "引流", "信用/借贷诱导", "转账", "威胁", "提醒")
GAP = 10  # characters between two parts of a pattern: about one clause of a Chinese sentence
MAX_GAPS = 2  # with more, what is meant is two tactics
MAX_TEXTS = 64  # of one part: choices beside each other multiply
_STOP = f"。!?;\n{PAD}"  # a gap never crosses the end of a sentence
_PIECE = re.compile(r"\[([^\[\]]*)\]|(…)|([^\[\]…]+)")
_NEGATION_REACH = 8  # characters before a hit in which a negation turns it round
_CLAUSE = f",:{_STOP}"

_FAR = np.iinfo(np.int64).max

Ints = NDArray[np.int64]


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
class _Chain:
    """A phrase or pattern: parts that follow each other within a sentence, each one of some texts, `gaps` characters between them at most."""

    tactic: int
    parts: tuple[tuple[str, ...], ...]
    gaps: tuple[int, ...]


def _chains(tactic: int, source: str) -> list[_Chain]:
    """The chains that one phrase or pattern of a file stands for. Raises ValueError, saying why, where the notation is not kept."""
    if source.count("…") > MAX_GAPS:
        raise ValueError(f"more than {MAX_GAPS} gaps")
    pieces: list[tuple[str, ...]] = []  # a gap is ("…",)
    position = 0
    for piece in _PIECE.finditer(source):
        if piece.start() != position:
            raise ValueError("a bracket is not closed")
        position = piece.end()
        choice, gap, text = piece.groups()
        pieces.append((gap or text,) if choice is None else tuple(choice.split("|")))
    if position != len(source):
        raise ValueError("a bracket is not closed")
    if not any(min(map(len, piece)) >= 2 for piece in pieces):
        raise ValueError("no part of two characters that must be there")
    while "" in pieces[0]:  # at the ends, what may be missing is not waited for
        pieces.pop(0)
    while "" in pieces[-1]:
        pieces.pop()
    there_or_not = ([tuple(filter(None, piece)), ()] if "" in piece else [piece] for piece in pieces)
    return [_chain(tactic, chosen) for chosen in product(*there_or_not)]


def _chain(tactic: int, pieces: Sequence[tuple[str, ...]]) -> _Chain:
    """Pieces beside each other are one part, as long as that is not too many texts."""
    parts: list[tuple[str, ...]] = []
    gaps: list[int] = []
    gap = 0
    for piece in pieces:
        if piece == ("…",):
            gap += GAP
        elif piece and parts and not gap and len(parts[-1]) * len(piece) <= MAX_TEXTS:
            parts[-1] = tuple(dict.fromkeys(a + b for a in parts[-1] for b in piece))
        elif piece:
            gaps += [gap] if parts else []
            parts.append(piece)
            gap = 0
    return _Chain(tactic, tuple(parts), tuple(gaps))


def _rarest(parts: Sequence[tuple[str, ...]]) -> int:
    """Which part is least likely to stand somewhere by chance: the longest, then that of the fewest texts."""
    return min(range(len(parts)), key=lambda k: (-min(map(len, parts[k])), len(parts[k])))


class TacticSet:
    """A set of tactics, ready to be searched for. `tactics[i]` is what index i of a hit means."""

    def __init__(self, tactics: Iterable[Tactic], negations: Iterable[str]) -> None:
        self.tactics = tuple(tactics)
        self.keys = grams.of_texts([t.name for t in self.tactics])
        self.explain = {t.name: t.explain for t in self.tactics}
        self.stage = {t.name: t.stage for t in self.tactics}
        chains: list[_Chain] = []
        for k, tactic in enumerate(self.tactics):
            for source in (*tactic.phrases, *tactic.patterns):
                try:
                    chains += _chains(k, source)
                except ValueError as e:
                    raise InputError(f"{tactic.file}: {source!r}: {e}") from None
        self._tactic_of = np.array([chain.tactic for chain in chains], dtype=np.int64)
        steps = [(chain, step) for chain in range(len(chains)) for step in range(len(chains[chain].parts))]
        rarest = [_rarest(chain.parts) for chain in chains]
        of_text: dict[str, list[int]] = {text: [] for text in negations}
        self._negations = len(of_text)
        for k, (chain, step) in enumerate(steps):
            for text in chains[chain].parts[step]:
                of_text.setdefault(text, []).append(k)
        self._texts = grams.Literals(list(of_text))
        size = [len(chain.parts) for chain in chains]
        self._only = _Lists([[k for k in some if size[steps[k][0]] == 1] for some in of_text.values()])
        self._rare = _Lists([[k for k in some if size[steps[k][0]] > 1 and steps[k][1] == rarest[steps[k][0]]] for some in of_text.values()])
        self._steps = _Lists([[k for k in some if size[steps[k][0]] > 1] for some in of_text.values()])
        self._chain = np.array([chain for chain, _ in steps], dtype=np.int64)
        self._step = np.array([step for _, step in steps], dtype=np.int64)
        self._gap = np.array([(*chains[chain].gaps, 0)[step] for chain, step in steps], dtype=np.int64)
        self._size = np.array(size, dtype=np.int64)
        # A set of chains, roughly, in 64 bits: a step's own, and of each text those of several parts that it is in.
        self._bit = np.uint64(1) << (self._chain % 64).astype(np.uint64)
        self._bits = np.zeros(len(of_text), dtype=np.uint64)
        in_text, its_step = self._steps.of(np.arange(len(of_text)))
        np.bitwise_or.at(self._bits, in_text, self._bit[its_step])

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
        start, text = self._texts.find(folded.codes, folded.grams)
        stop = start + self._texts.size[text]
        entry, step = self._only.of(text)
        chain, first, last = self._complete(folded, text, start, stop)
        tactic = self._tactic_of[np.concatenate([self._chain[step], chain])]
        first, last = np.concatenate([start[entry], first]), np.concatenate([stop[entry], last])
        turns = np.flatnonzero(text < self._negations)
        negated = _negated(folded, first, start[turns], stop[turns])
        return _merged(folded.message_of[first].astype(np.int64), tactic, negated, first, last)

    def _complete(self, folded: Folded, text: Ints, start: Ints, stop: Ints) -> tuple[Ints, Ints, Ints]:
        """(chain, first character, after the last) of each chain of several parts that stand one after the other."""
        # A chain is looked at only in messages that hold its rarest part; most others are out before anything is laid side by side. A pair
        # of both is looked up by the low bits of its number: a few that share these are looked at in vain.
        chains, message = len(self._size), folded.message_of[start].astype(np.int64)
        entry, step = self._rare.of(text)
        low = (1 << (16 * len(entry)).bit_length()) - 1
        tried = np.zeros(low + 1, dtype=bool)
        tried[(message[entry] * chains + self._chain[step]) & low] = True
        able = np.zeros(len(folded), dtype=np.uint64)  # the chains that are tried in each message, by their `_bit`
        np.bitwise_or.at(able, message[entry], self._bit[step])
        some = np.flatnonzero((able[message] & self._bits[text]) != 0)
        entry, step = self._steps.of(text[some])
        entry = some[entry]
        owner = message[entry] * chains + self._chain[step]
        mine = np.flatnonzero(tried.take(owner & low))
        entry, step, place = entry[mine], step[mine], owner[mine]
        sentence = np.concatenate([[0], np.cumsum(_is_one_of(folded.codes, _STOP), dtype=np.int32)])
        # Backwards from the last parts: a part counts where the next one counts and follows near enough in the same sentence.
        first, last, chain, depth, size = start[entry], stop[entry], self._chain[step], self._step[step], len(sentence)
        end = last.copy()
        alive = depth == self._size[chain] - 1
        for level in range(int(depth.max(initial=0)) - 1, -1, -1):
            after = np.flatnonzero(alive & (depth == level + 1))
            after = after[np.argsort(place[after] * size + first[after], kind="stable")]
            line = place[after] * size + first[after]
            mine = np.flatnonzero((depth == level) & ~alive)
            if not len(after) or not len(mine):
                continue
            wanted = place[mine] * size + last[mine]
            next_one = np.searchsorted(line, wanted)
            near = np.flatnonzero(np.concatenate([line, [_FAR]])[next_one] - wanted <= self._gap[step[mine]])
            near = near[sentence[last[mine[near]]] == sentence[first[after[next_one[near]]]]]
            mine, next_one = mine[near], next_one[near]
            alive[mine] = True
            end[mine] = end[after[next_one]]
        found = np.flatnonzero(alive & (depth == 0))
        return chain[found], first[found], end[found]


@dataclass(frozen=True)
class _Lists:
    """Lists of numbers, one after the other in one array."""

    begin: Ints
    count: Ints
    values: Ints

    def __init__(self, lists: Sequence[Sequence[int]]) -> None:
        count = np.array([len(some) for some in lists], dtype=np.int64)
        object.__setattr__(self, "count", count)
        object.__setattr__(self, "begin", np.cumsum(count) - count)
        object.__setattr__(self, "values", np.array([value for some in lists for value in some], dtype=np.int64))

    def of(self, which: Ints) -> tuple[Ints, Ints]:
        """(entry, value): each value of each of these lists, with the entry of `which` it is of."""
        count = self.count.take(which)
        some = np.flatnonzero(count)  # most lists are empty
        count = count.take(some)
        return np.repeat(some, count), self.values.take(grams.stretches(self.begin.take(which.take(some)), count))


def _is_one_of(codes: NDArray[np.uint32], chars: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = codes == ord(chars[0])
    for c in chars[1:]:
        found |= codes == ord(c)
    return found


def _negated(folded: Folded, start: Ints, begin: Ints, end: Ints) -> NDArray[np.bool_]:
    """Does one of the negations [begin, end) stand before each of these places, in its clause and not far?"""
    if not len(begin):
        return np.zeros(len(start), dtype=bool)
    order = np.lexsort((begin, end))
    begin, end = begin[order], end[order]
    clause = np.concatenate([[0], np.cumsum(_is_one_of(folded.codes, _CLAUSE), dtype=np.int32)])
    last = np.searchsorted(end, start, "right") - 1
    near = (last >= 0) & (begin[last] >= start - _NEGATION_REACH)
    negated: NDArray[np.bool_] = near & (clause[end[last]] == clause[start])
    return negated


def _merged(message: Ints, tactic: Ints, negated: NDArray[np.bool_], start: Ints, stop: Ints) -> Hits:
    """Hits of one tactic in one message that overlap or touch become one."""
    owner = (message * (int(tactic.max(initial=0)) + 1) + tactic) * 2 + negated
    order = np.lexsort((start, owner))
    owner, message, tactic, negated, start, stop = owner[order], message[order], tactic[order], negated[order], start[order], stop[order]
    run = np.cumsum(np.diff(owner, prepend=-1) != 0)
    far = int(stop.max(initial=0)) + 1
    reach = np.maximum.accumulate(stop + run * far)  # within one owner only: the next one's begin beyond
    begin = np.flatnonzero(np.concatenate([[True], start[1:] + run[1:] * far > reach[:-1]])) if len(start) else run
    last = reach[np.concatenate([begin[1:], [len(start)]]) - 1] - run[begin] * far if len(begin) else run
    order = np.lexsort((tactic[begin], start[begin], message[begin]))
    begin = begin[order]
    return Hits(message[begin], tactic[begin], negated[begin], start[begin], last[order])


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
