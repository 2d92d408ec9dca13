"""What a check has to say: findings, each something to repair, and tables to read; as plain text.

Owns the form. Knows nothing of corpora.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Something to repair: `check` says which rule, `what` the ids or words it is about and what is wrong."""

    check: str
    what: str


@dataclass(frozen=True)
class Table:
    """Figures to read; the first column names the row."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Report:
    """The outcome of a check: clean where there are no findings."""

    tables: tuple[Table, ...]
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        listed = "\n".join(f"  {f.check}: {f.what}" for f in self.findings)
        last = f"{len(self.findings)} findings\n{listed}" if self.findings else "clean: no findings"
        return "\n\n".join([*map(_as_text, self.tables), last])


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A Table of any values."""
    return Table(title, tuple(header), tuple(tuple(map(str, row)) for row in rows))


def _as_text(t: Table) -> str:
    lines = [t.header, *t.rows]
    width = [max(_width(line[k]) for line in lines) for k in range(len(t.header))]
    body = "\n".join("  " + "  ".join(_padded(cell, width[k], left=k == 0) for k, cell in enumerate(line)).rstrip() for line in lines)
    return f"{t.title}\n{body}"


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _padded(text: str, width: int, left: bool) -> str:
    space = " " * (width - _width(text))
    return text + space if left else space + text
