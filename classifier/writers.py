"""The formats that can be written, and the way a file appears: whole or not at all.

Owns escaping (CSV and XLSX are opened in spreadsheets, and scam text is hostile input to them) and the temporary file.
Knows nothing of where rows come from. To add a format: one class and its line in WRITERS.
"""

import csv
import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol, Self

from .errors import InputError, OutputError

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_CELL = 32_767  # characters a cell of a workbook holds
_SHEET_ROWS = 1_048_576  # rows a sheet of a workbook holds, the header included


class Writer(Protocol):
    """Writes rows in their order; `close` completes the file."""

    def write(self, row: Mapping[str, Any]) -> None: ...
    def close(self) -> None: ...


class _JsonLines:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, row: Mapping[str, Any]) -> None:
        line = json.dumps(row, ensure_ascii=False, default=str, separators=(", ", ": "))
        self._file.write(line.encode("utf-8", "backslashreplace") + b"\n")

    def close(self) -> None:
        self._file.flush()


class _Encoded:
    """Where csv.writer puts its text: encoded into a file of bytes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return self._file.write(text.encode("utf-8", "backslashreplace"))


class _Csv:
    """Quoted, with a byte-order mark and CRLF, as spreadsheets in China expect; a cell that could be a formula gets an apostrophe."""

    def __init__(self, file: IO[bytes], delimiter: str = ",") -> None:
        self._file = file
        self._header: list[str] = []
        self._csv = csv.writer(_Encoded(file), delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        file.write(b"\xef\xbb\xbf")

    def write(self, row: Mapping[str, Any]) -> None:
        if not self._header:
            self._header = list(row)
            self._csv.writerow(map(_cell, self._header))
        self._csv.writerow([_cell(row.get(name)) for name in self._header])

    def close(self) -> None:
        self._file.flush()


class _Xlsx:
    def __init__(self, file: IO[bytes]) -> None:
        import xlsxwriter

        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        self._book = xlsxwriter.Workbook(file, options)
        self._header: list[str] = []
        self._row = _SHEET_ROWS

    def write(self, row: Mapping[str, Any]) -> None:
        self._header = self._header or list(row)
        if self._row >= _SHEET_ROWS:
            self._sheet = self._book.add_worksheet()
            self._row = 0
            self._cells(self._header)
        self._cells([row.get(name) for name in self._header])

    def _cells(self, cells: list[Any]) -> None:
        for column, value in enumerate(cells):
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                self._sheet.write_number(self._row, column, value)
            else:
                self._sheet.write_string(self._row, column, _printable(_text(value))[:_CELL])
        self._row += 1

    def close(self) -> None:
        if not self._header:
            self._book.add_worksheet()
        self._book.close()


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _printable(text: str) -> str:
    """Without characters that a workbook cannot hold."""
    return "".join(c if c in "\t\n" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff") else "\ufffd" for c in text)


def _cell(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    text = _text(value)
    return f"'{text}" if text.lstrip(" \u00a0\u3000\u200b\ufeff").startswith(_FORMULA) else text


WRITERS: dict[str, Callable[[IO[bytes]], Writer]] = {
    "jsonl": _JsonLines,
    "csv": _Csv,
    "tsv": lambda file: _Csv(file, "\t"),
    "xlsx": _Xlsx,
}


class Output:
    """A file that appears under its name when it is complete: temporary file beside it, fsync, rename. `-` is standard output.

    Use as a context manager; leaving it by an exception leaves nothing behind. Raises InputError where the name cannot be used,
    OutputError where writing fails.
    """

    def __init__(self, name: str, writer: str, force: bool = False) -> None:
        self._path = None if name == "-" else Path(name)
        if self._path is not None:
            if self._path.is_dir():
                raise InputError(f"{name}: is a directory; name a file")
            if self._path.exists() and not force:
                raise InputError(f"{name}: exists; --force replaces it")
            self._temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}.part")
        try:
            self._file: IO[bytes] = sys.stdout.buffer if self._path is None else open(self._temporary, "xb")  # noqa: SIM115 closed in __exit__
            self._writer = WRITERS[writer](self._file)
        except OSError as e:
            raise OutputError(f"{name}: {e.strerror}") from None
        self._name = name

    def write(self, row: Mapping[str, Any]) -> None:
        """Add a row."""
        try:
            self._writer.write(row)
        except OSError as e:
            raise OutputError(f"{self._name}: {e.strerror}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if self._path is None:
            if kind is None:
                self._writer.close()
            return
        try:
            if kind is None:
                self._writer.close()
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                os.replace(self._temporary, self._path)
                sync_directory(self._path.parent)
        except OSError as e:
            raise OutputError(f"{self._name}: {e.strerror}") from None
        finally:
            with suppress(OSError):
                self._file.close()
            with suppress(OSError):
                self._temporary.unlink()


def sync_directory(path: Path) -> None:
    """Make a rename in a directory survive a power loss, where the system can."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:  # Windows opens no directories
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
