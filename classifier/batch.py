"""Texts in, labels out: the pure function that a batch is made of.

Owns the labels' columns and what stands in them. Knows nothing of rows, files or processes: it gives the same for a text in whatever
company, so it can run in any process and on any machine (`label`, `cluster`, a Spark job as in docs/spark.md).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .classify import STATUS, Classifier, Scored
from .model import Model
from .records import TYPES, VERDICTS, Labels

COLUMNS = Labels._fields[:-1]
EVIDENCE = Labels._fields[-1]


def label_texts(classifier: Classifier, texts: Sequence[str], evidence: bool = False) -> Labels:
    """Labels for texts, in their order.

    >>> from classifier import load
    >>> label_texts(load(), ["您的快递已到菜鸟驿站，取件码5-2-1033", "好的"]).scam_verdict
    ['legit', 'unsure']
    """
    parts = [_labels(scored, evidence) for scored in classifier.scans(texts)]
    if len(parts) == 1:
        return parts[0]
    columns: list[Any] = [[label for part in parts for label in part[k] or ()] for k in range(len(Labels._fields))]
    return Labels._make([*columns[:-1], columns[-1] if evidence else None])


def _labels(scored: Scored, evidence: bool) -> Labels:
    names = {tactics: "、".join(tactics) for tactics in set(scored.tactics)}
    return Labels(
        scored.outcome[:, 0].round(6).tolist(),
        [VERDICTS[v] for v in scored.verdict.tolist()],
        [TYPES[kind] for kind in scored.type.tolist()],
        [names[tactics] for tactics in scored.tactics],
        [STATUS[status] for status in scored.status.tolist()],
        _evidence(scored) if evidence else None,
    )


def _evidence(scored: Scored) -> list[list[dict[str, Any]] | None]:
    """The strongest reasons of what is not called legit: what nobody has to look at needs none, and it is most of an export."""
    messages = np.flatnonzero(scored.verdict != VERDICTS.index("legit"))
    found = scored.reasons(messages, scored.deciding[messages])
    somewhere = found.stop > found.start
    begin, end = (np.zeros(len(found.row), dtype=np.int64) for _ in range(2))
    begin[somewhere], end[somewhere] = scored.folded.raw_spans(found.start[somewhere], found.stop[somewhere])
    items = [
        {"feature": scored.model.names[row], "contribution": amount, "span": (first, last) if last else None}
        for row, amount, first, last in zip(found.row.tolist(), found.amount.round(4).tolist(), begin.tolist(), end.tolist(), strict=True)
    ]
    evidence: list[list[dict[str, Any]] | None] = [None] * len(scored)
    for message, (first, last) in zip(messages.tolist(), pairwise(found.bounds.tolist()), strict=True):
        evidence[message] = items[first:last]
    return evidence


_LARGEST = (32 << 20) - (1 << 13)  # bytes: just below what glibc still learns from (DEFAULT_MMAP_THRESHOLD_MAX)


def keep_memory() -> None:
    """Have the C library keep the memory that a batch's arrays give back, for those of the next.

    glibc hands it to the system after each batch and asks for it again: a tenth of all time. How much it keeps it learns from the largest
    block that was ever freed (mallopt(3), M_MMAP_THRESHOLD). So one is, that was never written to and so took no memory.
    """
    np.empty(_LARGEST, dtype=np.uint8)


_there: list[tuple[Classifier, bool]] = []  # in a worker process: what it labels with


def begin(model: Model, evidence: bool) -> None:
    """Make this process one that labels."""
    keep_memory()
    _there[:] = [(Classifier(model), evidence)]


def label_there(texts: list[str]) -> Labels:
    """Labels for texts, in a process that was begun."""
    classifier, evidence = _there[0]
    return label_texts(classifier, texts, evidence)
