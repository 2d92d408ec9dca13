"""Is a corpus fit to learn from? Reads all of it, says what is wrong with which record, and what a model could learn from it by mistake.

    schema -> personal -> copies -> habits -> probes -> report

Owns the order and which findings there are. A record with a fault of form is reported and left out of all that follows.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..corpus import Example, example_of
from . import habits
from .copies import pairs
from .personal import personal_data
from .probes import probe
from .report import Finding, Report
from .schema import records

SAME = 0.9  # share of the longer text's runs from which two texts say the same, so that two labels contradict each other


def check(directory: Path) -> Report:
    """Check a corpus directory. Raises InputError where there is no corpus there, or scikit-learn is not installed."""
    lines = list(records(directory))
    examples = [example_of(line.fields) for line in lines if not line.faults]
    balance, odd_balance = habits.balance(examples)
    phrases, odd_phrases = habits.set_phrases(examples)
    twins, odd_twins = habits.twins(examples)
    probes, shortcuts = probe(examples)
    found = [
        *(Finding("schema", f"{line.where} {line.fields.get('id', '')}: {fault}") for line in lines for fault in line.faults),
        *(Finding("personal data", f"{e.id}: what looks like a real {what}") for e in examples for what in personal_data(e.text)),
        *_copies(examples),
        *odd_twins,
        *odd_balance,
        *habits.openings(examples),
        *odd_phrases,
        *shortcuts,
    ]
    return Report((habits.counts(examples), balance, twins, phrases, probes), tuple(found))


def _copies(examples: Sequence[Example]) -> Iterator[Finding]:
    """Near-copies that a split could divide, and texts that say the same under two labels."""
    for pair in pairs([e.text for e in examples]):
        a, b = examples[pair.a], examples[pair.b]
        differ = f" ({a.type} and {b.type})" if a.type != b.type else ""
        if differ and pair.longer >= SAME:
            yield Finding("label conflict", f"{a.id} and {b.id}{differ} say the same")
        elif a.group != b.group:
            yield Finding("near-copy", f"{a.id} and {b.id}{differ} share {pair.shorter:.0%} of the shorter's five-character runs, but no group")


__all__ = ["Finding", "Report", "check"]
