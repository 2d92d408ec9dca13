"""Cuts folded messages into passages: the strongest passage counts beside the whole, so that padding cannot dilute a request.

Owns where a passage ends. Knows nothing of features or scores.
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .normalise import PADS, Folded

LENGTH = 60  # folded characters after which a passage ends at the next end of a sentence or turn; 50 finds as many, 80 finds 2% less
LONGEST = 100  # where none comes, it ends here
_END = re.compile(r"[。!?;\n]+|,")


@dataclass(frozen=True)
class Passages:
    """The passages of the messages that have more than one.

    of       int64, one entry a folded character of the batch: its passage, -1 in messages of a single one and on pads
    message  int64, one entry a passage: its message; in order
    """

    of: NDArray[np.int64]
    message: NDArray[np.int64]


def passages_of(folded: Folded) -> Passages:
    """Passages of a batch: they lie one behind the other and leave nothing out.

    >>> from classifier.normalise import fold
    >>> f = fold(["好的", "今天天气很好，我们去公园走走吧。" * 12])
    >>> passages_of(f).message.tolist()
    [1, 1, 1]
    """
    of = np.full(len(folded.codes), -1, dtype=np.int64)
    message: list[int] = []
    size = np.diff(folded.bounds) - PADS
    for k in np.flatnonzero(size > LONGEST).tolist():
        start, last = int(folded.bounds[k]), int(folded.bounds[k + 1]) - PADS
        while start < last:
            stop = stop_of(folded.joined, start, last)
            of[start:stop] = len(message)
            message.append(k)
            start = stop
    return Passages(of, np.array(message, dtype=np.int64))


def stop_of(text: str, start: int, last: int) -> int:
    """Where a passage of text[:last] that begins at `start` ends: settled by its first LONGEST characters, unless there are no more."""
    if last - start <= LONGEST:
        return last
    comma = 0
    for end in _END.finditer(text, start + LENGTH, min(start + LONGEST, last)):
        if end[0] != ",":
            return end.end()
        comma = comma or end.end()
    return comma or start + LONGEST
