"""Tables: CSV and TSV, JSON lines and arrays, sheets and Parquet. One row is one message, all its columns are kept.

Owns how records are cut. Which column holds what is `layouts`' to say.
"""

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import Any

from ..errors import InputError, LimitError
from ..records import Row
from . import objects
from .containers import is_sheet, unpacked_size
from .layouts import Layout, Record, layout_of, listed, names_any, names_text, rows, sampled
from .parser_child import TOO_LARGE
from .source import MAX_LINE, Damaged, Source

_MAX_COLUMNS = 1024
_SAMPLE = 200  # records looked at to find the header
_EXACT = 10**15  # a spreadsheet's numbers have 15 digits
_DELIMITERS = "\t,;|，"


def claims_jsonl(source: Source) -> bool:
    """An object a line, or one that begins with a line so long that it may be; no call."""
    layout = objects.layout(source)
    return layout == "lines" or (layout == "object" and objects.goes_on(source))


def read_jsonl(source: Source, column: str | None) -> Iterator[Row]:
    """One JSON object a line; a line that is none is given with its problem."""
    records = ((n, {"raw": line} if record is None else record, problem) for n, record, problem, line in objects.lines(source))
    yield from rows(records, source, column, cells=False)


def claims_array(source: Source) -> bool:
    """An array of objects, or of texts."""
    return objects.layout(source) == "array"


def read_array(source: Source, column: str | None) -> Iterator[Row]:
    """The objects or texts of one JSON array, counted from 1."""
    records = ((n, {"raw": text} if record is None else record, problem) for n, record, problem, text in objects.elements(source))
    yield from rows(records, source, column, cells=False)


def delimiter_of(text: str) -> str | None:
    """The character that cuts the first lines into equally many fields, two at least; None where there is none.

    >>> delimiter_of("时间\\t内容\\n3日\\t您好, 在吗\\n")
    '\\t'
    """
    for delimiter in _DELIMITERS:
        if delimiter in text:
            widths = _widths(text, delimiter)
            named = names_text(first_record(text, delimiter))
            if widths and widths[0] > 1 and named:
                return delimiter
            if len(widths) > 1 and min(widths) == max(widths) > 1 and delimiter != "，":  # sentences have Chinese commas too
                return delimiter
    return None


def _widths(text: str, delimiter: str) -> list[int]:
    widths = []
    with suppress(csv.Error):  # a row that is no CSV says nothing of the others
        for _, record in zip(range(20), _records(StringIO(text[:65_536], "\n"), delimiter), strict=False):
            if record:
                widths.append(len(record))
    return widths[:-1] if len(text) > 65_536 else widths


def first_record(text: str, delimiter: str) -> list[str]:
    """The fields of the first line; none where it cannot be cut."""
    try:
        return next(_records([text.lstrip("\n").partition("\n")[0]], delimiter), [])
    except csv.Error:
        return []


def claims_csv(source: Source) -> bool:
    """Equal fields by one delimiter, or a single column whose header names a text; no JSON."""
    text = source.head_text
    return not objects.layout(source) and (delimiter_of(text) is not None or names_text([text.split("\n", 1)[0].strip()]))


def claims_layout(layout: Layout) -> Callable[[Source], bool]:
    """A table whose first row is that of a known tool."""
    return lambda source: _cut_by(layout, source) is not None


def read_layout(layout: Layout) -> Callable[[Source, str | None], Iterator[Row]]:
    """A reader of a known tool's tables. Raises InputError where the first row is another."""

    def read(source: Source, column: str | None) -> Iterator[Row]:
        delimiter = _cut_by(layout, source)
        if delimiter is None:
            raise InputError(f"{source.name}: its first row is not that of {layout.title}")
        yield from table_rows(_cut(source, delimiter), source, column)

    return read


def _cut_by(layout: Layout, source: Source) -> str | None:
    text = source.head_text
    return next((d for d in ",;\t" if d in text and layout.fits(first_record(text, d))), None)


def _records(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """The records of lines that end in \\n."""
    csv.field_size_limit(MAX_LINE)
    return csv.reader(lines, delimiter=delimiter)


def read_csv(source: Source, column: str | None) -> Iterator[Row]:
    """Rows of a CSV or TSV file; the header is its first row where that names columns."""
    delimiter = delimiter_of(source.head_text) or ","
    yield from table_rows(_cut(source, delimiter), source, column)


def _cut(source: Source, delimiter: str) -> Iterator[tuple[Sequence[Any], str]]:
    """(fields, problem) for each record. Raises InputError where a quote is not closed: all after it would be one record."""
    ended = False

    def blocks() -> Iterator[Iterable[str]]:
        nonlocal ended
        for number, block, whole in source.blocks():
            if not whole:
                raise LimitError(f"{source.name}:{number}: a line of more than {MAX_LINE} characters")
            yield StringIO(block, "\n")
        ended = True

    records = _records(chain.from_iterable(blocks()), delimiter)
    number = 0
    while True:
        try:
            for record in records:
                number += 1
                if ended:  # a line was asked for and there was none: only a quote lets a record go on beyond its line
                    raise InputError(f"{source.name}: a quote opened in row {number} is not closed; close it there, or take it out")
                yield record, ""
            return
        except csv.Error as e:
            number += 1
            if "field limit" in str(e):
                raise InputError(f"{source.name}: a quote opened in row {number} is not closed within {MAX_LINE} characters") from None
            yield ["?"], f"no CSV: {e}"


def table_rows(records: Iterable[tuple[Sequence[Any], str]], source: Source, column: str | None, first_number: int = 1) -> Iterator[Row]:
    """Rows of any table of cells: finds the header, and gives each record with its problem if it has another width."""
    sample, whole = sampled(records, _SAMPLE)
    widths = [len(cells) for cells, problem in sample if cells and not problem]
    if not widths:
        for _ in whole:
            pass  # to where the file is damaged, if it is
        return
    first = next(cells for cells, problem in sample if cells and not problem)
    layout = layout_of([str(v) for v in first])
    header, named = _header(first, layout, column, source)
    if named and widths[1:] and min(widths[1:]) == max(widths[1:]) == len(header) + 1:  # the last column has no name
        header.append(f"column{len(header) + 1}")
    if len(header) > _MAX_COLUMNS:
        raise LimitError(f"{source.name}: {len(header)} columns, at most {_MAX_COLUMNS}")

    def all_records() -> Iterator[Record]:
        past, width = not named, len(header)
        for number, (cells, problem) in enumerate(whole, first_number):
            if not cells:
                continue
            if not past and not problem:
                past = True
                continue
            columns = dict(zip(header, cells))  # noqa: B905 of unequal lengths; the keyword takes as long as the rest
            if not problem and len(cells) != width:
                problem = f"{len(cells)} fields where the first row has {width}"
                columns |= {f"column{k}": cell for k, cell in enumerate(cells[width:_MAX_COLUMNS], width + 1)}
            yield number, columns, problem

    yield from rows(all_records(), source, column, layout)


def _header(first: Sequence[Any], layout: Layout | None, column: str | None, source: Source) -> tuple[list[str], bool]:
    """The names of the columns, and whether the first row is what gives them: one of its cells is a name that is known.

    A row of short words may be a message as well (妈,我手机坏了); taken for one, a header is a row too many, the other way a message is lost.
    """
    if layout is not None and layout.header:
        return list(layout.header), False
    names = [str(v).strip().lstrip("\ufeff") for v in first]
    short = all(n and len(n) <= 30 and not n.replace(".", "").isdigit() for n in names) and len(set(names)) == len(names) > 1
    if layout is not None or names_text(names) or column in names or (short and names_any(names)):
        out: list[str] = []
        for name in names:
            out.append(name if name not in out else f"{name}.{len(out) + 1}")
        return out, True
    if short:
        source.notes.append("no cell of the first row is a known name: it is read as data; if it is a header, --text-column names the text's column")
    return [f"column{k}" for k in range(1, len(names) + 1)], False


def claims_sheet(source: Source) -> bool:
    """A workbook: XLSX and ODS are ZIP containers, XLS is an OLE one."""
    return source.magic == "ole" or is_sheet(source)


def claims_parquet(source: Source) -> bool:
    """By its magic."""
    return source.magic == "parquet"


def read_sheet(source: Source, column: str | None) -> Iterator[Row]:
    """Rows of the first sheet of a workbook. Others are named in a note: what stands in them is seldom of the same columns, or messages
    at all, and a row's number would no longer say where it is."""
    records = _parsed(source, "sheet")
    about: list[Any] = next(records, [1])
    if others := about[2:]:
        source.notes.append(f"only the first sheet is read, not {listed(others)}; put the sheet that is wanted first, or save it as CSV")
    yield from table_rows(((cells, "") for cells in _noting_long_numbers(records, source)), source, column, about[0])


def _noting_long_numbers(records: Iterable[list[Any]], source: Source) -> Iterator[list[Any]]:
    """The same records; a note names the columns with numbers that a spreadsheet cannot hold: card numbers that were not kept as text."""
    noted: set[int] = set()
    for cells in records:
        for k, cell in enumerate(cells):
            if isinstance(cell, int) and abs(cell) >= _EXACT and k not in noted:
                noted.add(k)
                source.notes.append(
                    f"column {k + 1} holds numbers of more than 15 digits, and a spreadsheet keeps 15: the last ones are lost; "
                    "export it as text from its origin"
                )
        yield cells


def read_parquet(source: Source, column: str | None) -> Iterator[Row]:
    """Rows of a Parquet file, batch by batch. Raises InputError where pyarrow is not installed."""
    from importlib.util import find_spec

    if find_spec("pyarrow") is None:
        raise InputError(f"{source.name}: Parquet needs pyarrow: pip install 'scamcall[batch]'")
    records = _parsed(source, "parquet")
    names = [str(name) for name in next(records, [])]
    yield from rows(((n, dict(zip(names, values, strict=True)), "") for n, values in enumerate(records, 1)), source, column)


def _parsed(source: Source, kind: str) -> Iterator[list[Any]]:
    """Records of a file whose parser is no Python: a child with limits runs it, for a hostile file can abort the parser's process."""
    child_file, size = Path(__file__).with_name("parser_child.py"), unpacked_size(source)
    command = [sys.executable, "-P", str(child_file), kind, str(source.file().absolute()), str(size)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdout is not None
        stopped = True
        try:
            for line in child.stdout:
                if not line.endswith(b"\n"):
                    break  # the child died in the middle of it
                yield json.loads(line)
            stopped = False
        finally:
            child.stdout.close()
            if stopped:
                child.kill()
            code = child.wait()
        if code == TOO_LARGE or code < 0:
            raise LimitError(f"{source.name}: could not be read within limits: its parser needed too much memory or time, or aborted; save it as CSV")
        if code:
            raise Damaged(f"{source.name}: could not be read: it is damaged or encrypted; save it as CSV")
