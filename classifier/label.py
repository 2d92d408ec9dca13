"""Batch labelling: rows in, the same rows with their labels out, in their order, as a stream.

Owns the columns that are added and the counts. Knows formats only by the tables of readers and writers.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from .classify import STATUS, Classifier
from .errors import InputError
from .readers import open_source, recognise
from .records import TYPES, VERDICTS, Row
from .writers import WRITERS, Output

CHUNK = 1024  # rows scored at once; larger ones fall out of the processor's cache
COLUMNS = ("scam_score", "scam_verdict", "scam_type", "scam_tactics", "scam_status")


class Progress(Protocol):
    """Is told of rows as they are done."""

    def update(self, rows: int) -> object: ...


@dataclass
class Summary:
    """What was done: rows by verdict, and the rows that could not be scored."""

    rows: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    rejected: list[tuple[int, str]] = field(default_factory=list)


def label_rows(classifier: Classifier, rows: Iterable[Row], summary: Summary) -> Iterator[dict[str, Any]]:
    """Each row's columns with COLUMNS added. A row that cannot be scored has None for a score and says why in `scam_status`."""
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK)):
        scored = classifier.scan([row.text for row in chunk])
        for k, row in enumerate(chunk):
            summary.rows += 1
            if row.problem:
                summary.rejected.append((row.number, row.problem))
                added: tuple[Any, ...] = (None, None, None, None, f"rejected: {row.problem}")
            else:
                verdict = VERDICTS[scored.verdict[k]]
                summary.verdicts[verdict] += 1
                tactics = "、".join(scored.tactics[k])
                added = (round(float(scored.outcome[k, 0]), 6), verdict, TYPES[scored.type[k]], tactics, STATUS[scored.status[k]])
            yield {**row.columns, **dict(zip(COLUMNS, added, strict=True))}


def label_file(
    classifier: Classifier, source: str, output: str, text_column: str | None = None, force: bool = False, progress: Progress | None = None
) -> Summary:
    """Label one file. Raises ScamcallError where it cannot be read or written; nothing half-written is left then."""
    opened = open_source(source)
    if opened.path is not None and output != "-" and Path(output).exists() and Path(output).samefile(opened.path):
        raise InputError(f"{output}: is the input; name another file for the output")
    reader = recognise(opened)
    writer = Path(output).suffix.lstrip(".").lower()
    if writer not in WRITERS:
        writer = reader.name if reader.name in WRITERS else "csv"
    summary = Summary()
    with opened.stream, Output(output, writer, force) as out:
        for row in label_rows(classifier, reader.read(opened, text_column), summary):
            out.write(row)
            if progress is not None:
                progress.update(1)
    return summary
