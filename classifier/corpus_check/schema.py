"""What a record must be: reads the files of a corpus line by line and says of each what is wrong with it.

Owns the record's fields and their bounds. Knows nothing of what texts say or of one record beside another, but for its id.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..corpus import CHANNELS, paths
from ..errors import InputError
from ..records import TYPES
from ..tactics import load_tactics

YEARS = range(2016, 2027)
TURNS = range(1, 21)  # what the corpus is made of: from a first sentence to two minutes
_KIND = re.compile(r"[a-z0-9_]+")


@dataclass(frozen=True)
class Record:
    """A line of a corpus file. `where` is file:line, `fields` the JSON object ({} where it is none), `faults` what is wrong with it."""

    where: str
    fields: dict[str, Any]
    faults: tuple[str, ...]


def records(directory: Path) -> Iterator[Record]:
    """All lines of a corpus, in the order of file and line. Raises InputError where there is no corpus or a file cannot be read."""
    seen: dict[str, str] = {}
    for path in paths(directory):
        try:
            content = path.read_bytes()
        except OSError as e:
            raise InputError(f"{path}: {e.strerror}") from None
        for number, line in enumerate(content.split(b"\n"), 1):
            if line:
                where = f"{path.parent.name}/{path.name}:{number}"
                yield _record(where, line, seen)


def _record(where: str, line: bytes, seen: dict[str, str]) -> Record:
    try:
        fields = json.loads(line)
    except ValueError:  # UnicodeDecodeError is one
        return Record(where, {}, ("not JSON in UTF-8",))
    if not isinstance(fields, dict):
        return Record(where, {}, ("not a JSON object",))
    found = faults(fields)
    known = seen.setdefault(str(fields.get("id")), where)
    return Record(where, fields, (*found, f"its id stands at {known} already") if known != where else found)


def faults(fields: dict[str, Any]) -> tuple[str, ...]:
    """What is wrong with one record, empty where nothing is.

    >>> faults({"id": "a", "text": "晚上回家吃饭", "type": "legit", "channel": "fax", "kind": "chat", "group": "a", "twin": None,
    ...         "tactics": [], "year": 2024, "batch": "a1", "notes": ""})
    ('channel is none of sms, im, letter, call',)
    """
    call = fields.get("channel") == "call"
    wanted = {*_FIELDS, *(("turns", "alarm_turn") if call else ("text",))}
    if set(fields) != wanted:
        odd = [f"lacks {name}" for name in sorted(wanted - set(fields))] + [f"has {name}" for name in sorted(set(fields) - wanted)]
        return (f"fields: {', '.join(odd)}",)
    found = [f"{name} {rule}" for name, (holds, rule) in _FIELDS.items() if not holds(fields[name])]
    if fields["twin"] not in (None, fields["group"]):
        found.append("twin is neither null nor its group")
    return (*found, *(_call_faults(fields) if call else () if _is_text(fields["text"]) else ("text is empty or unreadable",)))


def _call_faults(fields: dict[str, Any]) -> list[str]:
    turns, alarm, found = fields["turns"], fields["alarm_turn"], []
    if not isinstance(turns, list) or not all(isinstance(t, dict) and set(t) == {"speaker", "text"} for t in turns):
        return ["turns are not a list of speaker and text"]
    if len(turns) not in TURNS:
        found.append(f"{len(turns)} turns; should be {TURNS.start} to {TURNS.stop - 1}")
    if not all(isinstance(t["speaker"], str) and _is_text(t["text"]) for t in turns):
        found.append("a turn is empty or unreadable")
    if fields["type"] == "legit" and alarm is not None:
        found.append("alarm_turn on a legit call")
    if fields["type"] != "legit" and not (type(alarm) is int and 1 <= alarm <= len(turns)):
        found.append(f"alarm_turn is not one of its {len(turns)} turns")
    return found


def _is_text(value: object) -> bool:
    """Something to read, without replacement characters, lone surrogates or controls other than line breaks."""
    return isinstance(value, str) and bool(value.strip()) and not re.search("[\x00-\x09\x0b-\x1f\ud800-\udfff\ufffd]", value)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _are_tactics(value: object) -> bool:
    return isinstance(value, list) and all(t in load_tactics().explain for t in value) and len(set(value)) == len(value)


_FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "id": (_is_name, "is empty"),
    "type": (lambda v: v in TYPES, f"is none of {', '.join(TYPES)}"),
    "channel": (lambda v: v in CHANNELS, f"is none of {', '.join(CHANNELS)}"),
    "kind": (lambda v: isinstance(v, str) and _KIND.fullmatch(v) is not None, "is not a snake_case word"),
    "group": (_is_name, "is empty"),
    "twin": (lambda v: v is None or _is_name(v), "is empty"),
    "tactics": (_are_tactics, "names one that no tactic file has, or one twice"),
    "year": (lambda v: type(v) is int and v in YEARS, f"is not {YEARS.start} to {YEARS.stop - 1}"),
    "batch": (_is_name, "is empty"),
    "notes": (lambda v: isinstance(v, str), "is not text"),
}
