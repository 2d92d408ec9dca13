"""The formats that can be written: rows and their labels in, bytes out.

Owns escaping (CSV and XLSX are opened in spreadsheets, and scam text is hostile input to them). Knows nothing of where rows come
from, or of files that appear whole. To add a format: its functions and its line in WRITERS. JSON Lines, CSV and TSV grow at their
end, so a run can go on where it stopped; a workbook and Parquet cannot, and are made at the end from rows kept as JSON Lines.
"""

import json
import math
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib.util import find_spec
from itertools import repeat
from pathlib import Path
from types import NoneType
from typing import Any

from .errors import InputError, OutputError

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_IGNORED = " \u00a0\u3000\u200b\u200c\u200d\u2060\ufeff"  # before a formula a spreadsheet passes over these
_SUSPECT = frozenset("".join(_FORMULA) + _IGNORED)
_CELL = 32_767  # characters a cell of a workbook holds
_CUT = "…〔此处截断，全文请用 JSONL 输出〕"
_SHEET_ROWS = 1_048_576  # rows a sheet of a workbook holds, the header included
_SHEET_COLUMNS = 16_384
_EXACT = 10**15  # a workbook's numbers are doubles: longer ones (cards, orders) would lose their last digits
_GROUP = 16_384  # rows of a Parquet row group

Record = dict[str, Any]
Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Writer:
    """One format. All functions are pure but `pack`.

    begin   (header) -> what the file begins with
    encode  (header, records, added) -> the bytes of some records, in their order, with columns added behind those of their own: a value a
            record; a column of the same name is replaced
    pack    (JSON lines, target) -> writes the whole file; None where the file is what `encode` gives
    fixed   the columns are those of the header, whatever comes later
    needs   a module that is not installed with the package, and the extra that brings it
    """

    begin: Callable[[Sequence[str]], bytes]
    encode: Callable[[Sequence[str], Sequence[Record], Columns], bytes]
    pack: Callable[[Path, Path], None] | None = None
    fixed: bool = False
    needs: tuple[str, str] | None = None

    def check(self) -> None:
        """Raises InputError, with what to type, where a module this format needs is not installed."""
        if self.needs and find_spec(self.needs[0]) is None:
            raise InputError(f"writing this format needs {self.needs[0]}: pip install 'scamcall[{self.needs[1]}]', or write .csv or .jsonl")

    def lost(self, header: Sequence[str], records: Sequence[Record]) -> list[str]:
        """The columns of records that are not in a fixed header, once for each record."""
        if not self.fixed:
            return []
        known = set(header)
        return [name for record in records if not record.keys() <= known for name in record if name not in known]


_NONE: Columns = {}
_ENCODER = json.JSONEncoder(ensure_ascii=False, default=str, allow_nan=False)


def json_lines(header: Sequence[str], records: Sequence[Record], added: Columns = _NONE) -> bytes:
    """One object a line, with all that a record holds; half characters (lone surrogates) are written as JSON's own escapes.

    >>> json_lines((), [{"text": "您好", "n": float("nan")}], {"scam_score": [0.5]}).decode()
    '{"text": "您好", "n": null, "scam_score": 0.5}\\n'
    """
    lines = []
    for record in _joined(records, added):
        try:
            lines.append(_ENCODER.encode(record))
        except ValueError:  # not a number, or infinite: neither is JSON
            lines.append(_ENCODER.encode(_finite(record)))
    lines.append("")
    return "\n".join(lines).encode("utf-8", "backslashreplace")


def _joined(records: Sequence[Record], added: Columns) -> Iterable[Record]:
    if not added:
        return records
    return ({**record, **dict(zip(added, values, strict=True))} for record, values in zip(records, zip(*added.values(), strict=True), strict=True))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def separated(delimiter: str, header: Sequence[str], records: Sequence[Record], added: Columns = _NONE) -> bytes:
    """Quoted, with CRLF, as spreadsheets in China expect; a cell that could be a formula gets an apostrophe.

    >>> separated(",", ["号码", "内容"], [{"号码": "+8613800138000", "内容": '说"好"吧'}]).decode()
    '"\\'+8613800138000","说""好""吧"\\r\\n'
    """
    own = [name for name in header if name not in added]
    rows = (record.values() if [*record] == own else map(record.get, own) for record in records)
    behind = zip(*map(_cells, added.values()), strict=True)
    return _lines(delimiter, rows, behind if added else repeat(()))


def _cells(column: Sequence[Any]) -> Iterable[str]:
    """What stands between the quotes in a column of labels: the same few texts again and again, or numbers."""
    if set(map(type, column)) <= {str, NoneType}:
        cell = {value: _cell(value) for value in set(column)}
        return map(cell.__getitem__, column)
    return [repr(v) if v.__class__ is float else _cell(v) for v in column]


def _lines(delimiter: str, rows: Iterable[Iterable[Any]], behind: Iterable[Sequence[str]]) -> bytes:
    # By hand, for csv.writer looks at each character twice: with it, writing took 1.8 times as long.
    between = f'"{delimiter}"'
    lines = [
        between.join([*[v.replace('"', '""') if v.__class__ is str and v[:1] not in _SUSPECT else _cell(v) for v in row], *cells])
        for row, cells in zip(rows, behind, strict=False)
    ]
    if not lines:
        return b""
    text = '"\r\n"'.join(lines)
    return f'"{text}"\r\n'.replace("\0", "\ufffd").encode("utf-8", "backslashreplace")


def _cell(value: Any) -> str:
    """What stands between the quotes."""
    if value.__class__ in (float, int):
        return repr(value)
    text = _text(value).replace('"', '""')
    return f"'{text}" if text.lstrip(_IGNORED).startswith(_FORMULA) else text


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _head(delimiter: str, header: Sequence[str]) -> bytes:
    return b"\xef\xbb\xbf" + _lines(delimiter, [header], [()])


def _kept(rows: Path) -> Iterator[Record]:
    """The records of a file of JSON lines."""
    with open(rows, "rb") as file:
        yield from map(json.loads, file)


def _columns(rows: Path) -> dict[str, set[type]]:
    """Each column of a file of JSON lines, in the order of first sight, with the kinds of its values."""
    columns: dict[str, set[type]] = {}
    for record in _kept(rows):
        for name, value in record.items():
            columns.setdefault(name, set()).add(_kind(value))
    return columns


def _kind(value: Any) -> type:
    if value.__class__ is int and not -(2**63) <= value < 2**63:
        return str
    return type(value)


def workbook(rows: Path, target: Path) -> None:
    """An XLSX workbook. Text is never read as a formula, a link or a number; a full sheet is followed by another.

    The same rows give the same bytes. Raises OutputError for more columns than a sheet has.
    """
    import xlsxwriter

    header = list(_columns(rows))
    if len(header) > _SHEET_COLUMNS:
        raise OutputError(f"{target.name}: {len(header)} columns, a sheet holds {_SHEET_COLUMNS}; write .jsonl")
    scratch = target.with_name(f"{target.name}.d")  # a known place: what a killed run leaves there, the next one removes
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700)
    options = {"constant_memory": True, "tmpdir": str(scratch), "strings_to_formulas": False, "strings_to_urls": False}
    try:
        with xlsxwriter.Workbook(str(target), options) as book:
            book.set_properties({"created": datetime(2000, 1, 1)})
            sheet, at = book.add_worksheet(), 0
            _sheet_row(sheet, 0, header)
            for record in _kept(rows):
                at += 1
                if at == _SHEET_ROWS:
                    sheet, at = book.add_worksheet(), 1
                    _sheet_row(sheet, 0, header)
                _sheet_row(sheet, at, [record.get(name) for name in header])
    except xlsxwriter.exceptions.FileCreateError as e:
        raise OSError(*e.args[0].args) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _sheet_row(sheet: Any, at: int, cells: Iterable[Any]) -> None:
    for column, value in enumerate(cells):
        if value.__class__ in (int, float) and abs(value) < _EXACT:
            sheet.write_number(at, column, value)
        elif value is not None:
            text = _printable(_text(value))
            sheet.write_string(at, column, text if len(text) <= _CELL else text[: _CELL - len(_CUT)] + _CUT)


def _printable(text: str) -> str:
    """Without characters that a workbook cannot hold."""
    return "".join(c if c in "\t\n" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff") else "\ufffd" for c in text)


def parquet(rows: Path, target: Path) -> None:
    """A Parquet file. A column of one kind of number keeps it, any other is text (lists and objects as JSON)."""
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    arrow = {int: pyarrow.int64(), float: pyarrow.float64(), bool: pyarrow.bool_()}
    types = {}
    for name, kinds in _columns(rows).items():
        kinds -= {type(None)}
        kind = float if kinds == {int, float} else next(iter(kinds)) if len(kinds) == 1 else str
        types[name] = kind if kind in arrow else str
    schema = pyarrow.schema([(name, arrow.get(kind, pyarrow.string())) for name, kind in types.items()])
    records = _kept(rows)
    with ParquetWriter(target, schema) as file:
        while group := [record for _, record in zip(range(_GROUP), records, strict=False)]:
            columns = {name: [_typed(record.get(name), kind) for record in group] for name, kind in types.items()}
            file.write_table(pyarrow.Table.from_pydict(columns, schema))


def _typed(value: Any, kind: type) -> Any:
    if value is None or kind is not str:
        return float(value) if kind is float and value is not None else value
    return _text(value).encode("utf-8", "replace").decode()  # Arrow's text is strict UTF-8


def _nothing(header: Sequence[str]) -> bytes:
    return b""


WRITERS: dict[str, Writer] = {
    "jsonl": Writer(_nothing, json_lines),
    "csv": Writer(partial(_head, ","), partial(separated, ","), fixed=True),
    "tsv": Writer(partial(_head, "\t"), partial(separated, "\t"), fixed=True),
    "xlsx": Writer(_nothing, json_lines, workbook),
    "parquet": Writer(_nothing, json_lines, parquet, needs=("pyarrow", "batch")),
}
