"""Tables and shares as Markdown, for cards and measurements. Knows nothing of what they say."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; cells as they print."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def percent(share: float) -> str:
    """A share in per cent, to one decimal.

    >>> percent(0.1234)
    '12.3%'
    """
    return f"{100 * share:.1f}%"


def share(of: Sequence[bool] | NDArray[np.bool_]) -> str:
    """The share that is true, in per cent; a dash where there is nothing."""
    return percent(float(np.mean(of))) if len(of) else "–"
