"""Labelled data: reads records of messages and calls, and the groups that no split may divide.

Owns the record's schema and the folds. Knows nothing of features or models.
"""

import csv
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from .errors import InputError
from .readers import open_source
from .readers.objects import loads
from .readers.source import undecodable
from .records import TYPE_NAMES, TYPES
from .turns import transcript

_ABOUT = {"防诈提醒", "转述"}  # tactics a reader names in texts about fraud
CHANNELS = ("sms", "im", "letter", "call")


@dataclass(frozen=True)
class Example:
    """One labelled text. `group` holds near-copies and twins together: they never stand on two sides of a split.

    twin   shares its opening and vocabulary with a text on the other side of the line between fraud and legit

    about  speaks of fraud without committing it: a warning, a report, news
    turns  of a call: (speaker, text), speaker "" where there is none; `text` is then their transcript, a turn a line
    """

    id: str
    text: str
    type: str
    channel: str
    kind: str
    group: str
    twin: bool = False
    about: bool = False
    turns: tuple[tuple[str, str], ...] = ()
    alarm_turn: int | None = None

    @property
    def ordinary(self) -> bool:
        """Legit and neither written to resemble a scam nor about one: what most traffic is. False alarms are counted on these."""
        return self.type == "legit" and not self.twin and not self.about


def paths(directory: Path) -> list[Path]:
    """The files of a corpus, in order. Raises InputError where there are none."""
    found = sorted(directory.glob("*/*.jsonl"))
    if not found:
        raise InputError(f"{directory}: no corpus there; a directory with messages/*.jsonl or calls/*.jsonl is wanted")
    return found


def read(directory: Path) -> list[Example]:
    """All records below a corpus directory, in the order of file and line. Raises InputError naming file, line and fault."""
    return [example for path in paths(directory) for example in _read_file(path)]


def _read_file(path: Path) -> Iterator[Example]:
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                record = loads(line.decode("utf-8"))
                if not isinstance(record, dict):
                    raise ValueError("not a JSON object")
                yield example_of(record)
            except (ValueError, KeyError, TypeError, AttributeError) as e:
                raise InputError(f"{path}:{number}: not a corpus record: {_fault(e)}") from None


def _fault(error: Exception) -> str:
    """What is wrong with a record, in words of ours."""
    if isinstance(error, KeyError):
        return f"no {error.args[0]}"
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    return str(error) if isinstance(error, ValueError) else "a value of another type than its key wants"


def example_of(record: dict[str, object]) -> Example:
    """A record of a corpus file as an Example. Raises KeyError, TypeError or ValueError where it is none."""
    turns = tuple((str(t["speaker"]), str(t["text"])) for t in record.get("turns", []))  # type: ignore[attr-defined]
    if record["type"] not in TYPES:
        raise ValueError(f"type {record['type']!r} is none of {', '.join(TYPES)}")
    if record["channel"] not in CHANNELS:
        raise ValueError(f"channel {record['channel']!r} is none of {', '.join(CHANNELS)}")
    alarm = record.get("alarm_turn")
    text = transcript(turns) if turns else str(record["text"])
    return Example(
        id=str(record["id"]),
        text=text,
        type=str(record["type"]),
        channel=str(record["channel"]),
        kind=str(record["kind"]),
        group=str(record["group"]),
        twin=record.get("twin") is not None,
        about=bool(_ABOUT & set(record.get("tactics", []))),  # type: ignore[call-overload]
        turns=turns,
        alarm_turn=int(alarm) if isinstance(alarm, int) else None,
    )


_LABELS = {**{t: t for t in TYPES}, **{name: t for t, name in TYPE_NAMES.items()}, "0": "legit"}


def read_added(path: Path) -> list[Example]:
    """New samples from a CSV file with columns `text` and `label` (one of TYPES, or `0` for legit), each a group of its own; in any
    encoding that the readers find.

    Raises InputError naming the file, line and fault, LimitError above the size of one document.
    """
    out = []
    try:
        source = open_source(str(path))
        with source.stream:
            if source.magic:
                raise InputError(f"{path}: not CSV: a {source.magic} file; save it as CSV")
            text = source.whole()
        if broken := next((number for number, line in enumerate(text.split("\n"), 1) if undecodable(line)), 0):
            raise InputError(f"{path}:{broken}: bytes that are no characters in its encoding, {source.encoding}; save it as UTF-8")
        rows = csv.DictReader(StringIO(text, "\n"), strict=True)
        if not {"text", "label"} <= set(rows.fieldnames or ()):
            raise InputError(f"{path}: wants the columns text and label, has {', '.join(rows.fieldnames or ()) or 'none'}")
        for row in rows:
            label = _LABELS.get((row["label"] or "").strip())
            if label is None or not (row["text"] or "").strip():
                what = "empty text" if label else f"label {row['label']!r} is none of {', '.join(TYPES)}"
                raise InputError(f"{path}:{rows.line_num}: {what}")
            key = hashlib.sha256(row["text"].encode("utf-8", "replace")).hexdigest()[:16]
            out.append(Example(f"added-{key}", row["text"], label, "sms", "added", f"added-{key}"))
    except csv.Error as e:
        raise InputError(f"{path}: not CSV: {e}") from None
    except OSError as e:
        raise InputError(f"{path}: {e.strerror}") from None
    if not out:
        raise InputError(f"{path}: no rows")
    return out


def folds(groups: Sequence[str], count: int) -> list[int]:
    """The fold of each example, 0 to count - 1: by a hash of its group, so that adding data moves nothing else.

    >>> folds(["a", "b", "a"], 5)[0] == folds(["b", "a"], 5)[1]
    True
    """
    return [int.from_bytes(hashlib.sha256(g.encode()).digest()[:4], "big") % count for g in groups]


def digest(examples: Sequence[Example]) -> str:
    """SHA-256 of what a model learns from: types, groups and texts."""
    return hashlib.sha256("\n".join(f"{e.type}\t{e.group}\t{e.text}" for e in examples).encode("utf-8", "replace")).hexdigest()
