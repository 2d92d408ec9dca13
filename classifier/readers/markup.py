"""XML as a stream of events, hardened: no DTD, no entities but the five, no depth, no endless token, constant memory.

Owns the repair that phones make needed: they write emoji as two references to halves of a character (`&#55357;&#56838;`), which no
strict parser takes. Knows no format.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from xml.parsers import expat

from ..errors import InputError, LimitError
from .source import MAX_LINE, Damaged, Source

_DEPTH = 64
_SILENCE = 32 << 20  # characters without an event; a picture in an attribute is some 12 million, fed by the million it costs 0.1 s
_ASIDES = 100  # comments and instructions before the first element
_ROOT = re.compile(r"<(!DOCTYPE|[A-Za-z_][\w.-]*)[\s/>]", re.I)
_REFERENCES = re.compile(r"(?:&#(?:x[0-9a-fA-F]{1,8}|[0-9]{1,10});)+")
_REFERENCE = re.compile(r"&#(x?)([0-9a-fA-F]+);")
_ILLEGAL = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\ufffe\uffff\ud800-\udfff]")
_IN_REFERENCES = "&#;x0123456789abcdefABCDEF"


class Event(NamedTuple):
    """An element begins (`text` None, with its attributes) or ends (with the text that stood in it, after its last child if it has any)."""

    name: str
    text: str | None
    attributes: dict[str, str]


def root(text: str) -> str:
    """The name of the first element, `!DOCTYPE` of a file that declares one, "" of a text that is no XML.

    >>> root('<?xml version="1.0"?><!-- a --><smses count="1">')
    'smses'
    """
    text = text.lstrip()
    for _ in range(_ASIDES):
        end = "?>" if text.startswith("<?") else "-->" if text.startswith("<!--") else ""
        if not end:
            break
        text = text.partition(end)[2].lstrip()
    match = _ROOT.match(text)
    return match[1] if match else ""


def repaired(chunks: Iterable[str]) -> Iterator[str]:
    """Text without what XML cannot hold; halves of characters joined, or U+FFFD where one is alone.

    >>> "".join(repaired(["<a b='&#5535", "7;&#56", "838;&#0;'/>"]))
    "<a b='&#128518;&#65533;'/>"
    """
    held = ""
    for chunk in chunks:
        text = held + chunk
        done = len(text.rstrip(_IN_REFERENCES))
        held = text[done:] if len(text) - done <= MAX_LINE else ""
        yield _repair(text[:done] if held else text)
    yield _repair(held)


def _repair(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", _REFERENCES.sub(_joined, text) if "&#" in text else text)


def _joined(match: re.Match[str]) -> str:
    units = [int(m[2], 16 if m[1] else 10) for m in _REFERENCE.finditer(match[0])]
    out = []
    k = 0
    while k < len(units):
        unit, after = units[k], units[k + 1] if k + 1 < len(units) else 0
        k += 1
        if 0xD800 <= unit < 0xDC00 <= after < 0xE000:
            unit = 0x10000 + ((unit - 0xD800) << 10) + after - 0xDC00
            k += 1
        legal = unit in (9, 10, 13) or 0x20 <= unit < 0xD800 or 0xE000 <= unit < 0xFFFE or 0x10000 <= unit < 0x110000
        out.append(f"&#{unit if legal else 0xFFFD};")
    return "".join(out)


def events(source: Source) -> Iterator[Event]:
    """The elements of a document. Raises InputError where it declares a DTD, LimitError, or Damaged where it is not well-formed."""
    pending: list[Event] = []
    stack: list[list[str]] = []
    parser = expat.ParserCreate("utf-8")  # whatever the document says: the text is decoded already
    parser.buffer_text = True

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(stack) >= _DEPTH:
            raise LimitError(f"{source.name}: elements nested deeper than {_DEPTH}")
        if stack:
            stack[-1].clear()  # what stands between the messages of a file: kept, it grows with the file
        stack.append([])
        pending.append(Event(name, None, attributes))

    def end(name: str) -> None:
        pending.append(Event(name, "".join(stack.pop()), {}))

    def data(text: str) -> None:
        if stack:
            stack[-1].append(text)

    def refuse(*_: object) -> None:
        raise InputError(f"{source.name}: declares a document type; such XML is not read, remove the <!DOCTYPE …>")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
    parser.StartDoctypeDeclHandler = refuse
    silent = 0
    try:
        for text in repaired(source.chunks()):
            parser.Parse(text.encode("utf-8"), False)
            yield from pending
            silent = 0 if pending else silent + len(text)
            if silent > _SILENCE:
                raise LimitError(f"{source.name}:{parser.CurrentLineNumber}: {_SILENCE} characters without an element")
            pending.clear()
        parser.Parse(b"", True)
        yield from pending
    except expat.ExpatError as e:
        yield from pending
        raise Damaged(f"{source.name}:{e.lineno}: not well-formed XML ({expat.ErrorString(e.code)})") from None
