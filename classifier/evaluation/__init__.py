"""What the package is worth, measured on its corpus: each kind of measurement a room, and its line in EVALUATIONS.

Owns the list. A measurement takes the directory of a corpus and gives a section of Markdown; the same corpus gives the same text.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path


def _evaluation(room: str) -> Callable[[Path], str]:
    """Its room's `evaluate`, loaded only when it is called: rooms that train are slow to load, and the command line has this table at hand."""

    def run(directory: Path) -> str:
        section: str = import_module(f".{room}", __name__).evaluate(directory)
        return section

    return run


EVALUATIONS: dict[str, Callable[[Path], str]] = {
    "attacks": _evaluation("attacks"),
    "calibration": _evaluation("calibration"),
    "calls": _evaluation("calls"),
    "faithfulness": _evaluation("faithfulness"),
    "kinds": _evaluation("kinds"),
}

__all__ = ["EVALUATIONS"]
