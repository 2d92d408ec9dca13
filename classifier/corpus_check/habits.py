"""The habits of a corpus as a whole: its balance, its openings, its set phrases, its twins.

Owns what is counted and the bounds. Knows nothing of files; the shortcuts that only a fit would find are in `probes`.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from statistics import median

from ..corpus import CHANNELS, Example
from ..normalise import LINK, fold
from ..records import TYPES
from .report import Finding, Table, table

BANDS = ((0, 25), (26, 45), (46, 90), (91, 200), (201, 10**9))  # characters
FRAUD_SHARE = (0.35, 0.65)
GAP = 0.1  # between the sides' shares in a length band, or with a trait
OPENINGS = (2, 3, 4)  # characters, as the model reads them
OPENING_GROUPS = 10  # of those seen so often, fewer than one in a hundred stands on one side by chance
OPENING_OTHER = 0.1  # share of its groups that should stand on the other side
RUN = 8  # Chinese characters: longer than almost any name or idiom
RUN_GROUPS = 4  # groups from which a run is a habit
COMMON_RUNS = 0.01  # share of all runs; phrases of the trade (请问有什么可以帮您) make 0.001
PLAIN_WORDS = ("转账", "退款", "验证码", "征信", "客服")  # by which a scam is known at once
DISGUISED = "obf_"  # with this, writers begin the kind of a text written as spammers write
_SHOWN = 12
_PUNCTUATION = re.compile(r"[，。！？、；,.!?;…]")
_LONG_NUMBER = re.compile(r"[\d*xX]{7,}")

TRAITS: dict[str, Callable[[str, str], bool]] = {  # of a message's raw and folded text
    "no punctuation": lambda raw, read: not _PUNCTUATION.search(raw),
    "a link": lambda raw, read: LINK in read,
    "a long number": lambda raw, read: _LONG_NUMBER.search(raw) is not None,
    "a line break": lambda raw, read: "\n" in raw,
    "signature or greeting first": lambda raw, read: read.startswith(("[", "【", "您好", "你好", "尊敬的", "亲")),
    f"none of {' '.join(PLAIN_WORDS)}": lambda raw, read: not any(word in read for word in PLAIN_WORDS),
}


def counts(examples: Sequence[Example]) -> Table:
    """How many of which type and channel."""
    cells = Counter((e.type, e.channel) for e in examples)
    rows = [
        [kind, *(cells[kind, c] for c in CHANNELS), len(mine), len({e.group for e in mine}), int(median(len(e.text) for e in mine)), _disguised(mine)]
        for kind in TYPES
        if (mine := [e for e in examples if e.type == kind])
    ]
    total = ["all", *(sum(cells[t, c] for t in TYPES) for c in CHANNELS), len(examples), len({e.group for e in examples}), "", _disguised(examples)]
    return table("Texts by type and channel", ("type", *CHANNELS, "all", "groups", "median length", "disguised"), [*rows, total])


def _disguised(examples: Sequence[Example]) -> int:
    return sum(e.kind.startswith(DISGUISED) for e in examples)


def balance(examples: Sequence[Example]) -> tuple[Table, list[Finding]]:
    """Lengths and plain traits of the messages (not calls), fraud beside legit."""
    messages = [e for e in examples if e.channel != "call"]
    folded = fold([e.text for e in messages])
    read = [folded.text(k) for k in range(len(messages))]
    fraud = [e.type != "legit" for e in messages]
    size = [max(fraud.count(True), 1), max(fraud.count(False), 1)]

    def shares(has: Sequence[bool]) -> tuple[float, float]:
        return sum(h and f for h, f in zip(has, fraud, strict=True)) / size[0], sum(h and not f for h, f in zip(has, fraud, strict=True)) / size[1]

    names = [f"{a} to {b} characters" if b < 10**9 else f"over {a - 1} characters" for a, b in BANDS]
    lines = {name: shares([a <= len(e.text) <= b for e in messages]) for name, (a, b) in zip(names, BANDS, strict=True)}
    lines |= {name: shares([has(e.text, t) for e, t in zip(messages, read, strict=True)]) for name, has in TRAITS.items()}
    found = [Finding("balance", f"{name}: {f:.0%} of fraud, {g:.0%} of legit messages") for name, (f, g) in lines.items() if abs(f - g) > GAP]
    share = fraud.count(True) / max(len(messages), 1)
    if not FRAUD_SHARE[0] <= share <= FRAUD_SHARE[1]:
        found.append(Finding("balance", f"{share:.0%} of the messages are fraud; should be {FRAUD_SHARE[0]:.0%} to {FRAUD_SHARE[1]:.0%}"))
    lines["all (share of the messages)"] = share, 1 - share
    return table("Messages: share of each side", ("", "fraud", "legit"), [(name, f"{f:.1%}", f"{g:.1%}") for name, (f, g) in lines.items()]), found


def openings(examples: Sequence[Example]) -> Iterator[Finding]:
    """First words that one side uses and the other does not; of "骗子" and "骗子说" the shorter stands for both."""
    folded = fold([e.text for e in examples])
    groups: dict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for k, e in enumerate(examples):
        text = folded.text(k)
        for n in OPENINGS:
            if len(text) >= n:
                groups[text[:n]][e.type == "legit"].add(e.group)
    told: set[str] = set()
    for opening, (fraud, legit) in sorted(groups.items()):
        total = len(fraud) + len(legit)
        if total >= OPENING_GROUPS and min(len(fraud), len(legit)) < OPENING_OTHER * total and not any(opening.startswith(o) for o in told):
            told.add(opening)
            yield Finding("first words", f"{opening!r} opens texts of {len(fraud)} fraud and {len(legit)} legit groups")


def set_phrases(examples: Sequence[Example]) -> tuple[Table, list[Finding]]:
    """Runs of eight Chinese characters that several groups share: what a template leaves behind."""
    folded = fold([e.text for e in examples])
    groups: dict[str, set[str]] = defaultdict(set)
    sides: dict[str, Counter[bool]] = defaultdict(Counter)
    for k, e in enumerate(examples):
        text = re.sub("[^\u3400-\u9fff]", "", folded.text(k))
        for run in {text[i : i + RUN] for i in range(len(text) - RUN + 1)}:
            groups[run].add(e.group)
            sides[run][e.type == "legit"] += 1
    common = {run for run, g in groups.items() if len(g) >= RUN_GROUPS}
    share = sum(sides[run].total() for run in common) / max(sum(s.total() for s in sides.values()), 1)
    rows = sorted(common, key=lambda run: (-len(groups[run]), run))[:_SHOWN]
    title = f"Runs of {RUN} characters in {RUN_GROUPS} groups and more: {len(common)}, {share:.2%} of all runs; the commonest"
    found = [Finding("set phrases", f"{share:.2%} of all runs of {RUN} characters are common; should be under {COMMON_RUNS:.0%}")]
    return (
        table(title, ("run", "groups", "fraud", "legit"), [(run, len(groups[run]), sides[run][False], sides[run][True]) for run in rows]),
        found if share > COMMON_RUNS else [],
    )


def twins(examples: Sequence[Example]) -> tuple[Table, list[Finding]]:
    """Twins, and groups that should be: each set stands on both sides of the line between fraud and legit."""
    sets: dict[str, list[int]] = defaultdict(list)
    plain: dict[str, set[bool]] = defaultdict(set)
    for k, e in enumerate(examples):
        if e.twin:
            sets[e.group].append(k)
        else:
            plain[e.group].add(e.type == "legit")
    folded = fold([e.text for e in examples])
    one_sided = [group for group, members in sets.items() if len({examples[k].type == "legit" for k in members}) < 2]
    found = [Finding("twins", f"{group}: {'one text' if len(sets[group]) < 2 else 'all on one side'}") for group in one_sided]
    found += [Finding("twins", f"{group}: on both sides, but not marked as twins") for group, sides in plain.items() if len(sides) > 1]
    alike = [_shared_opening(examples, folded.text, sets[group]) for group in sets if group not in one_sided]
    fraud = [e for e in examples if e.type != "legit"]
    rows: list[tuple[str, object]] = [
        ("sets", len(sets)),
        ("sets across the line", len(alike)),
        ("… that share the first 4 characters", sum(n >= 4 for n in alike)),
        ("… that share the first 6 characters", sum(n >= 6 for n in alike)),
        ("texts in sets", sum(map(len, sets.values()))),
        ("share of fraud with a twin", f"{sum(e.twin for e in fraud) / max(len(fraud), 1):.1%}"),
    ]
    return table("Twins", ("", "number"), rows), found


def _shared_opening(examples: Sequence[Example], text: Callable[[int], str], members: Sequence[int]) -> int:
    """Characters that the closest fraud and legit text of a set have in common at their beginning."""
    fraud = [text(k) for k in members if examples[k].type != "legit"]
    legit = [text(k) for k in members if examples[k].type == "legit"]
    return max(sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False))) for a in fraud for b in legit)
