"""What is done to a sample to break its reader: bytes turned and cut, pieces of other samples put in, and what its format is made of (JSON
values, quoted fields, tags, lines, the inside of a container) replaced by what has broken readers before. A mutation is a pure function of
its sample and some small numbers, so whoever draws the numbers (hypothesis, a fuzzer) can shrink or guide them.
"""

import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

SCALE = 1 << 16  # the numbers of a step lie below it; a place in the data is a share of it
SPLICES = (  # what has broken readers before
    *(b"\0", b"\n", b"\r", b'"', b"'", b"<", b">", b"{", b"[", b"]", b"}", b",", b":", b"", b"\xff", b"\x80", b"\xf0\x9f\x98", b"\xef\xbb\xbf"),
    *(b"&#55357;", b"&#0;", b"&amp;", b"<!DOCTYPE a>", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"=E4", b"=\n", b"BEGIN:VMSG\n", b"END:VMSG\n"),
    *("客服：".encode(), "您好".encode("gb18030"), "您好".encode("utf-16-le"), b"\\ud83d", b"\\u0000", b"\x1f\x8b", b"PK\x03\x04", b"\r\r\n", b'""'),
    *(b"null", b"NaN", b"1e999", b"-1", b"9" * 30, b"9" * 400, b"[" * 100, b"{" * 40, b'"' * 3, b"," * 50, b"\t", b";", b"|", b"00:00:01,000 --> "),
    *(
        b"99:99:99.999",
        b"WEBVTT\n\n",
        b"2026-02-30 25:61:61",
        b"1" * 13,
        b"%s",
        b"\x85",
        b"\xe2\x80\xa8",
        b"-" * 30,
        b"\x00\x00\x00\x01",
        b"\x81\xff\xff",
    ),
)
VALUES: tuple[Any, ...] = (  # in the place of a JSON value
    *(
        None,
        True,
        False,
        0,
        -1,
        1.5,
        -0.0,
        1e308,
        2**31,
        2**63,
        2**70,
        10**400,
        "",
        " ",
        "\0",
        "\ud83d",
        "您好",
        "客服：您好",
        "\n\n",
        "9" * 30,
        "1e5",
    ),
    *(
        [],
        {},
        [[]],
        [None],
        [{}],
        {"": None},
        {"text": None},
        {"a": {"b": [1]}},
        ["a", 1, None],
        [[1, 2], [3]],
        {"text": "您好", "role": 5},
        "{",
        '{"a":1}',
    ),
)
_ATOM = re.compile(rb'"(?:[^"\\\n]|\\.){0,400}"|[\w.+-]{1,200}|[\x80-\xff]{1,300}|\s+|.', re.S)
_FRESH = 400  # pieces looked at; a mutation of a long file need not see all of it

Step = tuple[int, int, int, int]


def _place(data: bytes, share: int) -> int:
    return share * (len(data) + 1) // SCALE


def _stretch(data: bytes, share: int, size: int) -> tuple[int, int]:
    at = _place(data, share)
    return at, min(len(data), at + (0, 1, 2, 3, 8, 16, 64, 256, 1024, 1 << 20)[size % 10])


def cut(data: bytes, others: Sequence[bytes], a: int, b: int, c: int) -> bytes:
    """A stretch is gone."""
    at, end = _stretch(data, a, b)
    return data[:at] + data[end:]


def end(data: bytes, others: Sequence[bytes], a: int, b: int, c: int) -> bytes:
    """All after a place is gone."""
    return data[: _place(data, a)]


def repeat(data: bytes, others: Sequence[bytes], a: int, b: int, c: int) -> bytes:
    """A stretch stands there many times."""
    at, end = _stretch(data, a, b)
    return data[:at] + data[at:end] * (2 + c % 40 if end - at < 1024 else 2) + data[end:]


def turn(data: bytes, others: Sequence[bytes], a: int, b: int, c: int) -> bytes:
    """One byte is another, or one of its bits."""
    at = min(_place(data, a), len(data) - 1)
    return data[:at] + bytes([b % 256 if c % 2 else data[at] ^ (1 << b % 8)]) + data[at + 1 :] if data else data


def overwrite(data: bytes, others: Sequence[bytes], a: int, b: int, c: int) -> bytes:
    """Something that has broken readers stands in the place of a stretch."""
    at, end = _stretch(data, a, b)
    return data[:at] + SPLICES[c % len(SPLICES)] + data[end:]


def splice(data: bytes, others: Sequence[bytes], a: int, b: int, c: int) -> bytes:
    """A piece of another sample stands there."""
    other = others[c % len(others)]
    start, end = _stretch(other, b, c // len(others))
    at = _place(data, a)
    return data[:at] + other[start:end] + data[at + (end - start if c % 2 else 0) :]


def graft(data: bytes, others: Sequence[bytes], a: int, b: int, c: int) -> bytes:
    """It begins like this sample and ends like another."""
    other = others[c % len(others)]
    return data[: _place(data, a)] + other[_place(other, b) :]


def lines(data: bytes, others: Sequence[bytes], a: int, b: int, c: int) -> bytes:
    """A line moves, comes again, or is gone."""
    pieces = data.split(b"\n")
    line, to = pieces[a % len(pieces)], b % (len(pieces) + 1)
    kind = c % 3
    if kind:
        pieces.insert(to, line)
    if kind != 1:
        pieces.remove(line)
    return b"\n".join(pieces)


def atom(data: bytes, others: Sequence[bytes], a: int, b: int, c: int) -> bytes:
    """A word, a number, a quoted text or a mark is another one's, or something that has broken readers."""
    start = _place(data, a)
    found = [m.span() for m, _ in zip(_ATOM.finditer(data, start), range(_FRESH), strict=False)]
    if not found:
        return data
    at, end = found[b % len(found)]
    other = found[c % len(found)]
    put = SPLICES[c % len(SPLICES)] if c % 3 else data[slice(*other)]
    return data[:at] + put + data[end:]


def value(data: bytes, others: Sequence[bytes], a: int, b: int, c: int) -> bytes:
    """A value somewhere in a JSON text, or in one of its lines, is another; or its key is."""
    whole = _loaded(data)
    if whole is not None:
        return _dumped(_changed(whole, b, c), c)
    pieces = data.split(b"\n")
    at = a % len(pieces)
    line = _loaded(pieces[at])
    if line is None:
        return atom(data, others, a, b, c)
    pieces[at] = _dumped(_changed(line, b, c), c)
    return b"\n".join(pieces)


def _loaded(data: bytes) -> Any:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, (dict, list)) else None


def _dumped(value: Any, c: int) -> bytes:
    return json.dumps(value, ensure_ascii=bool(c & 1024), indent=2 if c & 2048 else None).encode("utf-8", "surrogatepass")


def _changed(root: Any, b: int, c: int) -> Any:
    places: list[tuple[Any, Any]] = []
    waiting = [root]
    while waiting and len(places) < _FRESH:
        node = waiting.pop()
        for key, inner in list(node.items() if isinstance(node, dict) else enumerate(node)):
            places.append((node, key))
            if isinstance(inner, (dict, list)):
                waiting.append(inner)
    if not places:
        return root
    node, key = places[b % len(places)]
    new = VALUES[c % len(VALUES)]
    if c // len(VALUES) % 4 == 0 and isinstance(node, dict):
        node[f"{key}x" if c % 2 else ""] = node.pop(key)
    elif c // len(VALUES) % 4 == 1:
        other, where = places[c % len(places)]
        node[key] = json.loads(json.dumps(other[where])) if isinstance(other, list) or where in other else new
    else:
        node[key] = new
    return root


def within(data: bytes, others: Sequence[bytes], a: int, b: int, c: int) -> bytes:
    """What is packed in a container is mutated, and packed again."""
    inner = OPERATIONS[c % (len(OPERATIONS) - 1)]
    try:
        if data.startswith(b"\x1f\x8b"):
            return gzip.compress(inner(gzip.decompress(data), others, a, b, c // 16), 1)
        if data.startswith(b"PK\x03\x04"):
            out = io.BytesIO()
            with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
                names = old.namelist()
                for name in names:
                    new.writestr(name, inner(old.read(name), others, a, b, c // 16) if name == names[b % len(names)] else old.read(name))
            return out.getvalue()
    except Exception:  # it is broken already
        return data
    return inner(data, others, a, b, c // 16)


OPERATIONS: tuple[Callable[[bytes, Sequence[bytes], int, int, int], bytes], ...] = (
    *(cut, end, repeat, turn, overwrite, splice, graft, lines, atom, atom, value, value, within),
)


def mutated(data: bytes, others: Sequence[bytes], steps: Sequence[Step]) -> bytes:
    """A sample after some steps: each an operation's number, and three numbers for it."""
    for number, a, b, c in steps:
        data = OPERATIONS[number % len(OPERATIONS)](data, others, a % SCALE, b, c)
    return data
