"""Bytes in, text out: opens a file or standard input, looks at its beginning, and finds its encoding.

Owns the encoding chain. Knows nothing of formats. A file that is in no known encoding is refused; single bytes that do not
fit become lone surrogates (PEP 383), so that the row they stand in can be rejected and the rest goes on.
"""

import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, cast

from ..errors import InputError

HEAD = 1 << 20  # bytes looked at before deciding on encoding and format
MAX_LINE = 1 << 20  # characters of one line or field; a longer one is rejected, never buffered whole
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_FITTING = 0.9  # share of lines that must decode: some damaged rows do not change what a file is


@dataclass(frozen=True)
class Source:
    """An input: its name for messages, its beginning, and (once) its stream."""

    name: str
    path: Path | None
    head: bytes
    stream: BinaryIO

    @cached_property
    def encoding(self) -> str:
        """Raises InputError where the beginning is in no known encoding."""
        return detect_encoding(self.head, self.name)

    @cached_property
    def head_text(self) -> str:
        """The beginning as text, whole lines only unless it has but one."""
        text = self.head.decode(self.encoding, "surrogateescape" if "16" not in self.encoding else "replace").lstrip("\ufeff")
        return text[: text.rfind("\n") + 1] or text if len(self.head) >= HEAD else text

    def lines(self) -> Iterator[tuple[int, str, bool]]:
        """(line number from 1, line without its end, whole?) for each line; of one over MAX_LINE only the beginning, whole=False."""
        with io.TextIOWrapper(self.stream, self.encoding, "surrogateescape" if "16" not in self.encoding else "replace", newline="\n") as text:
            number = 0
            while line := text.readline(MAX_LINE):
                number += 1
                whole = line.endswith("\n") or len(line) < MAX_LINE
                if not whole:
                    while (rest := text.readline(MAX_LINE)) and not rest.endswith("\n"):
                        pass
                yield number, line.removesuffix("\n").removesuffix("\r"), whole


def open_source(name: str) -> Source:
    """Open a file, or standard input for `-`. Raises InputError where it cannot be read."""
    if name == "-":
        stdin = cast(BinaryIO, sys.stdin.buffer)
        head = stdin.read(HEAD)
        return Source("standard input", None, head, cast(BinaryIO, io.BufferedReader(_Rejoined(head, stdin))))
    path = Path(name)
    try:
        if path.is_dir():
            raise InputError(f"{name}: is a directory; name a file in it")
        stream = open(path, "rb")  # noqa: SIM115 the caller closes it with the source
        head = stream.read(HEAD)
        stream.seek(0)
    except OSError as e:
        raise InputError(f"{name}: {e.strerror}") from None
    return Source(name, path, head, stream)


class _Rejoined(io.RawIOBase):
    """A stream with the bytes that were already read put back before it."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        data = self._head[: len(buffer)] if self._head else self._rest.read(len(buffer))
        self._head = self._head[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


def detect_encoding(head: bytes, name: str) -> str:
    """Byte-order mark, UTF-16 by its zero bytes, strict UTF-8, strict GB18030, in this order; detectors guess short Chinese text wrong.

    >>> detect_encoding("您好".encode("gb18030"), "x")
    'gb18030'
    """
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
    if b"\0" in head:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        for encoding, zeros in (("utf-16-le", odd), ("utf-16-be", even)):
            if zeros >= 0.02 * len(head) and zeros == even + odd:
                return encoding
    lines = head.split(b"\n")
    lines = lines[:-1] if len(head) >= HEAD and len(lines) > 1 else lines
    lines = [line for line in lines if not line.isascii()]
    if b"\0" not in head:
        for encoding in ("utf-8", "gb18030"):
            if sum(_decodes(line, encoding) for line in lines) >= _FITTING * len(lines):
                return encoding
    raise InputError(f"{name}: in no known encoding (tried UTF-8, GB18030, UTF-16); save it as UTF-8")


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def undecodable(text: str) -> bool:
    """Does a text hold bytes that its encoding has no character for?"""
    return not text.isascii() and any("\udc80" <= c <= "\udcff" for c in text)
