"""Tables and shares as Markdown, for cards and measurements. Knows nothing of what they say."""

from collections.abc import Iterable, Sequence


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
