"""Cuts folded messages into passages: the strongest passage counts beside the whole, so that padding cannot dilute a request.

Owns where a passage ends. Knows nothing of features or scores.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .normalise import PADS, Folded

LENGTH = 60  # folded characters after which a passage ends at the next end of a sentence or turn; 50 finds as many, 80 finds 2% less
LONGEST = 100  # where none comes, it ends here
LINE = 16  # after which it ends at a line break, where lines are no turns of a call: what is put before or behind a message stands apart
_END = re.compile(r"[。!?;\n]+|,")


@dataclass(frozen=True)
class Passages:
    """The passages of the messages that have more than one; parallel arrays, in order of the text.

    begin, end  int64: folded characters [begin, end) of the batch
    message     int64: whose it is
    """

    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    message: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.begin)


def passages_of(folded: Folded) -> Passages:
    """Passages of a batch: they lie one behind the other and leave nothing out.

    >>> from classifier.normalise import fold
    >>> f = fold(["好的", "今天天气很好，我们去公园走走吧。" * 12])
    >>> passages_of(f).message.tolist()
    [1, 1, 1]
    """
    found: list[tuple[int, int, int]] = []
    size = np.diff(folded.bounds) - PADS
    several = size > LONGEST
    several[folded.message_of[folded.codes == ord("\n")]] = True
    for k in np.flatnonzero(several).tolist():
        start, last = int(folded.bounds[k]), int(folded.bounds[k + 1]) - PADS
        stops = []
        while start < last:
            start = stop_of(folded.joined, start, last, lines=not folded.labelled[k])
            stops.append(start)
        if len(stops) > 1:
            found += [(begin, end, k) for begin, end in pairwise([int(folded.bounds[k]), *stops])]
    return Passages(*np.array(found, dtype=np.int64).reshape(-1, 3).T)


def stop_of(text: str, start: int, last: int, lines: bool) -> int:
    """Where the passage that begins at `start` ends, in a text that ends at `last`; `lines`: a line break ends it sooner."""
    if lines:
        line = text.find("\n", start + LINE, min(start + LONGEST, last))
        if line >= 0 and last - line > LINE:
            return min(_stop(text, start, last), line + 1)
    return _stop(text, start, last)


def _stop(text: str, start: int, last: int) -> int:
    if last - start <= LONGEST:
        return last
    comma = 0
    for end in _END.finditer(text, start + LENGTH, min(start + LONGEST, last)):
        if end[0] != ",":
            return end.end()
        comma = comma or end.end()
    return comma or start + LONGEST
