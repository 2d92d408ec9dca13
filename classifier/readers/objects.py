"""JSON in files: lines, arrays, whole documents, and a sketch of what a file begins with.

Owns strictness (a key twice, NaN, depth, length) and reading an array element by element. Knows no format.
"""

import json
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from .source import HEAD, MAX_LINE, UNDECODABLE, Damaged, Source, undecodable

MAX_DEPTH = 32
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]|"', re.S)
_TEXTS = re.compile(r'\[\s*"(?:[^"\\]|\\.)*"\s*(?:,\s*["{]|\]\s*$)', re.S)  # an array that begins with a text
_OUTSIDE, _IN_TEXT = re.compile(r'[\[\]{}",]'), re.compile(r'["\\]')


def loads(text: str, depth: int = MAX_DEPTH) -> Any:
    """The value of a JSON text. Raises ValueError with the reason, never with the text."""
    if max(text.count("["), text.count("{")) > depth and _depth(text) > depth:
        raise ValueError(f"nested deeper than {depth}")
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as e:
        raise ValueError(f"not JSON: {e.msg}, character {e.pos + 1}") from None
    except RecursionError:
        raise ValueError(f"nested deeper than {depth}") from None
    except ValueError as e:
        if "set_int_max_str_digits" in str(e):  # advice for those who program
            raise ValueError(f"a number of more than {sys.get_int_max_str_digits()} digits") from None
        raise


def _depth(text: str) -> int:
    depth = deepest = 0
    for match in _STRUCTURE.finditer(text):
        if match[0] == '"':  # a text that does not end; to look for its end from each quote in it would take hours
            break
        depth += (match[0] in "[{") - (match[0] in "]}")
        deepest = max(deepest, depth)
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a key stands twice")
    return record


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON number")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)  # one for all: json.loads makes one for each text


def layout(source: Source) -> str:
    """How a file holds JSON: "lines" (an object a line), "object" or "array" (over many lines or very long), "" where it holds none."""
    text = source.head_text.lstrip()
    if not text.startswith(("{", "[")):
        return ""
    if text.startswith("["):
        texts = _TEXTS.match(text) and (len(source.head) >= HEAD or text.rstrip().endswith("]"))
        return "array" if texts or re.match(r"\[\s*[\[{\]]", text) else ""  # [系统] 您好 is a message
    if not re.match(r'\{\s*(?:["}]|$)', text):  # {您好} is a message
        return ""
    first, second = [*(line.strip() for line in text.split("\n", 2)[:2]), ""][:2]
    if goes_on(source):
        return "object"
    return "lines" if first.endswith("}") or re.match(r'\{\s*"', second) else "object"


def goes_on(source: Source) -> bool:
    """Does the first line go on beyond what was looked at? Whether it is a record or a whole document it does not show then."""
    return not source.head_text.endswith("\n") and len(source.head) >= HEAD


@lru_cache(maxsize=2)  # each reader asks for it
def sketch(source: Source) -> Any:
    """What a JSON file begins with: its first line, or as much of the document as was looked at, closed where it is cut. None if it is none."""
    kind = layout(source)
    text = source.head_text.lstrip()
    if kind == "lines":
        return next((record for record in map(_tolerant, text.split("\n", 3)[:3]) if record is not None), None)
    return _tolerant(text if len(source.head) < HEAD else _closed(text)) if kind else None


def _tolerant(text: str) -> Any:
    try:
        return loads(text)
    except ValueError:
        return None


def _closed(text: str) -> str:
    """JSON that is cut anywhere, made whole: the last value is dropped, or shortened if it is text."""
    open_: list[str] = []
    good, left = 0, ""
    for match in _STRUCTURE.finditer(text):
        mark = match[0]
        if mark == '"':  # a text that does not end: the last match, as all after it is in the text
            rest = re.sub(r"\\(?:u[0-9a-fA-F]{0,3})?$", "", text[match.start() :])
            if text[: match.start()].rstrip().endswith(":"):
                return f'{text[: match.start()]}{rest}"{"".join(reversed(open_))}'
            break
        if mark in "[{":
            open_.append("]" if mark == "[" else "}")
            good, left = match.end(), "".join(reversed(open_))
        elif mark in "]}" and open_:
            open_.pop()
            good, left = match.end(), "".join(reversed(open_))
        elif mark == ",":
            good, left = match.start(), "".join(reversed(open_))
    return text[:good] + left


def lines(source: Source) -> Iterator[tuple[int, dict[str, Any] | None, str, str]]:
    """(line number, object, problem, line) for each line that is not empty; the object is None where there is a problem."""
    for number, line, whole in source.lines():
        if not line.strip():
            continue
        record: Any = None
        problem = ""
        if not whole:
            problem = f"longer than {MAX_LINE} characters"
        elif undecodable(line):
            problem = UNDECODABLE
        else:
            try:
                record = loads(line)
            except ValueError as e:
                problem = str(e)
            else:
                problem = "" if isinstance(record, dict) else "not a JSON object"
        yield number, None if problem else record, problem, line


def elements(source: Source) -> Iterator[tuple[int, dict[str, Any] | None, str, str]]:
    """The same for the elements of an array, or of arrays one after the other, counted from 1; only one is held at a time.

    Raises Damaged where an array breaks off, or text stands outside of it.
    """
    for number, text in enumerate(_elements(source), 1):
        if len(text) > MAX_LINE:
            yield number, None, f"longer than {MAX_LINE} characters", text[:MAX_LINE]
            continue
        try:
            record = loads(text)
            record = {"text": record} if isinstance(record, str) else record  # an array of texts
            problem = "" if isinstance(record, dict) else "not a JSON object"
        except ValueError as e:
            record, problem = None, str(e)
        yield number, None if problem else record, problem, text


def _elements(source: Source) -> Iterator[str]:
    """The text of each; of one that is too long not all, but more than MAX_LINE characters."""
    parts: list[str] = []  # of the element that is being read
    size = depth = ahead = 0
    quoted = ended = False
    for chunk in source.chunks():
        start, at = 0, ahead
        while match := (_IN_TEXT if quoted else _OUTSIDE).search(chunk, at):
            mark, at = match[0], match.end()
            if depth == 0:
                if mark != "[" or chunk[start : match.start()].strip():
                    break
                parts, size, start, depth = [], 0, at, 1
            elif mark == '"':
                quoted = not quoted
            elif mark == "\\":
                at += 1
            elif mark in "[{":
                depth += 1
            elif depth > 1:
                depth -= mark != ","
            else:
                parts.append(chunk[start : match.start()])
                text = "".join(parts)
                if text.strip() or mark == ",":
                    yield text
                parts, size, start = [], 0, at
                depth, ended = (1, False) if mark == "," else (0, True)
        if depth == 0 and chunk[start:].strip():
            raise Damaged(f"{source.name}: text outside the JSON array")
        ahead = max(0, at - len(chunk))
        if size <= MAX_LINE:
            parts.append(chunk[start:])
            size += len(parts[-1])
    if depth or not ended:
        raise Damaged(f"{source.name}: the JSON array does not end")
