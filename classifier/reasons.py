"""What readers say of a file, in Chinese: why a row or all of it could not be read, and what they noted on the way.

Owns the renderings (`data/reasons.tsv`). Knows nothing of who says it, or of where it is shown.
"""

import re
from functools import lru_cache
from importlib.resources import files


@lru_cache
def _reasons() -> list[tuple[re.Pattern[str], str]]:
    """`data/reasons.tsv`: what a reader says, and its Chinese."""
    lines = (files("classifier") / "data/reasons.tsv").read_text(encoding="utf-8").splitlines()
    return [(re.compile(said), shown) for said, shown in (line.split("\t") for line in lines if line and not line.startswith("#"))]


def in_chinese(said: str, kind: bool = False) -> str:
    """What a reader says, in Chinese; with `kind` without its numbers; as it is where it is new.

    >>> in_chinese("2 fields where the first row has 4"), in_chinese("2 fields where the first row has 4", kind=True)
    ('这一行有 2 列，首行有 4 列', '这一行有 N 列，首行有 N 列')
    """
    for pattern, shown in _reasons():
        if found := pattern.search(said):
            return re.sub(r"\\\d", "N", shown) if kind else found.expand(shown)
    return said
