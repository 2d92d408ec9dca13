"""Tables: JSON Lines, CSV and TSV, XLSX. One row is one message, all its columns are kept.

Owns how rows are read and which column holds the text. Knows nothing of scores or outputs.
"""

import csv
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..errors import InputError, LimitError
from ..records import Row
from .source import MAX_LINE, Source, undecodable

TEXT_NAMES = (
    *("短信内容", "消息内容", "信息内容", "通话内容", "内容", "正文", "消息", "文本", "转写"),
    *("body", "text", "content", "message", "msg", "sms", "sentence", "transcript", "strcontent"),
)
_MAX_COLUMNS = 1024
_MAX_DEPTH = 32
_SAMPLE = 200  # rows looked at to find the text column


def read_jsonl(source: Source, column: str | None) -> Iterator[Row]:
    """One JSON object a line; a line that is none is given with its problem."""
    name = column
    for number, line, whole in source.lines():
        if number == 1:
            line = line.lstrip("\ufeff")
        if not line.strip():
            continue
        record, problem = _json_object(line, whole)
        if record is None:
            yield Row(number, "", {"raw": line}, problem)
            continue
        if name is None or (column is None and name not in record):
            name = _text_key(record, source.name)
        if name not in record:
            if column is not None and number == 1:
                raise InputError(f"{source.name}: no column {column}; it has {', '.join(record)}")
            yield Row(number, "", record, f"no field {name}")
        else:
            yield _row(number, record[name], record)


def _json_object(line: str, whole: bool) -> tuple[dict[str, Any] | None, str]:
    if not whole:
        return None, f"longer than {MAX_LINE} characters"
    if max(line.count("["), line.count("{")) > _MAX_DEPTH and _depth(line) > _MAX_DEPTH:
        return None, f"nested deeper than {_MAX_DEPTH}"
    try:
        record = json.loads(line, object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError) as e:
        return None, f"not JSON: {e}" if isinstance(e, json.JSONDecodeError) else f"not usable JSON: {e}"
    return (record, "") if isinstance(record, dict) else (None, "not a JSON object")


def _depth(line: str) -> int:
    depth = deepest = 0
    for c in line:
        depth += (c in "[{") - (c in "]}")
        deepest = max(deepest, depth)
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a key stands twice")
    return record


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON number")


def _text_key(record: dict[str, Any], where: str) -> str:
    for key in record:
        if _plain(key) in TEXT_NAMES:
            return key
    texts = {k: v for k, v in record.items() if isinstance(v, str)}
    if not texts:
        raise InputError(f"{where}: no field holds text; it has {', '.join(record) or 'none'}; name one with --text-column")
    return max(texts, key=lambda k: han(texts[k]))


def _plain(name: str) -> str:
    return name.strip().strip("\ufeff").replace(" ", "").lower()


def han(text: str) -> int:
    """How many Chinese characters."""
    return sum("\u3400" <= c <= "\u9fff" for c in text)


def _row(number: int, value: Any, columns: dict[str, Any]) -> Row:
    if value is None:
        return Row(number, "", columns)
    if not isinstance(value, str):
        return Row(number, "", columns, "the text is not a string")
    if undecodable(value):
        return Row(number, "", columns, "bytes that are no characters in the file's encoding")
    return Row(number, value, columns)


def claims_jsonl(source: Source) -> bool:
    """The first line that is not empty begins an object and ends it."""
    first = next((line.strip() for line in source.head_text.split("\n") if line.strip()), "")
    return first.startswith("{") and (first.endswith("}") or len(first) > 65_536)


def delimiter_of(text: str) -> str | None:
    """The character that cuts the first lines into equally many fields, two at least; None where there is none.

    >>> delimiter_of("时间\\t内容\\n3日\\t您好, 在吗\\n")
    '\\t'
    """
    for delimiter in "\t,;|":
        if delimiter in text:
            widths = [len(row) for _, row in zip(range(20), _records(text[:65_536].split("\n"), delimiter), strict=False) if row]
            whole = widths[:-1] if len(text) > 65_536 else widths
            if whole and min(whole) == max(whole) > 1 and (len(whole) > 1 or _has_text_name(text, delimiter)):
                return delimiter
            if whole and whole[0] > 1 and _has_text_name(text, delimiter):
                return delimiter
    return None


def _has_text_name(text: str, delimiter: str) -> bool:
    header = next(_records(text.split("\n")[:1], delimiter), [])
    return any(_plain(name) in TEXT_NAMES for name in header)


def claims_csv(source: Source) -> bool:
    """Equal fields by one delimiter, or a single column whose header names a text."""
    text = source.head_text
    return not claims_jsonl(source) and (delimiter_of(text) is not None or _plain(text.split("\n", 1)[0].strip().strip('"')) in TEXT_NAMES)


def _records(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(MAX_LINE)
    return csv.reader((f"{line}\n" for line in lines), delimiter=delimiter)


def read_csv(source: Source, column: str | None) -> Iterator[Row]:
    """Rows of a CSV or TSV file; the header is its first row where that names columns."""
    opened = [1]

    def lines() -> Iterator[str]:
        for number, line, whole in source.lines():
            opened[0] = number
            if not whole:
                raise LimitError(f"{source.name}:{number}: a line of more than {MAX_LINE} characters")
            yield line.lstrip("\ufeff") if number == 1 else line

    records = _records(lines(), delimiter_of(source.head_text) or ",")
    number = 0
    rows = []
    try:
        for record in records:
            number += 1
            rows.append(record)
            if number > 1:
                break
    except csv.Error as e:
        raise InputError(f"{source.name}: a quote opened in row {number + 1} is not closed ({e})") from None

    def all_records() -> Iterator[list[str]]:
        count = len(rows)
        yield from rows
        try:
            for record in records:
                count += 1
                yield record
        except csv.Error as e:
            raise InputError(f"{source.name}: a quote opened in row {count + 1} is not closed ({e})") from None

    yield from table_rows(all_records(), source.name, column)


def table_rows(records: Iterable[Sequence[Any]], where: str, column: str | None) -> Iterator[Row]:
    """Rows of any table: finds the header and the text column, and gives each record with its problem if it has another width."""
    iterator = iter(records)
    sample = [list(r) for _, r in zip(range(_SAMPLE), iterator, strict=False)]
    sample_full = [r for r in sample if r]
    if not sample_full:
        return
    header, has_header = _header(sample_full[0], column)
    if len(header) > _MAX_COLUMNS:
        raise LimitError(f"{where}: {len(header)} columns, at most {_MAX_COLUMNS}")
    key = _text_column(header, sample_full[1:] if has_header else sample_full, where, column)
    number = 0
    for record in (r for part in (sample, iterator) for r in part):
        number += 1
        if not record or (number == 1 and has_header):
            continue
        if len(record) != len(header):
            yield Row(number, "", dict(zip(header, record, strict=False)), f"{len(record)} fields where the first row has {len(header)}")
            continue
        columns = dict(zip(header, record, strict=True))
        yield _row(number, columns[key] if isinstance(columns[key], str) or columns[key] is None else str(columns[key]), columns)


def _header(first: Sequence[Any], column: str | None) -> tuple[list[str], bool]:
    names = [str(v) for v in first]
    named = any(_plain(n) in TEXT_NAMES for n in names) or (column is not None and column in names)
    short = all(n and len(n) <= 30 and not n.replace(".", "").isdigit() for n in names) and len(set(names)) == len(names)
    if named or (short and len(names) > 1):
        out: list[str] = []
        for name in names:
            out.append(name if name not in out else f"{name}.{len(out) + 1}")
        return out, True
    return [f"column{k}" for k in range(1, len(names) + 1)], False


def _text_column(header: Sequence[str], sample: Sequence[Sequence[Any]], where: str, column: str | None) -> str:
    if column is not None:
        if column not in header:
            raise InputError(f"{where}: no column {column}; it has {', '.join(header)}")
        return column
    for wanted in TEXT_NAMES:
        for name in header:
            if _plain(name) == wanted:
                return name
    counts = [sum(han(str(r[k])) for r in sample if k < len(r)) for k in range(len(header))]
    best = max(range(len(header)), key=lambda k: counts[k])
    if len(header) > 1 and (counts[best] == 0 or sorted(counts)[-2] > 0.8 * counts[best]):
        raise InputError(f"{where}: which column holds the text? name it with --text-column: {', '.join(header)}")
    return header[best]


def claims_xlsx(source: Source) -> bool:
    """A ZIP container that holds a workbook."""
    return source.head.startswith(b"PK\x03\x04") and b"xl/" in source.head


def read_xlsx(source: Source, column: str | None) -> Iterator[Row]:
    """Rows of the first sheet of a workbook. A child with limits parses it: a hostile workbook can abort the parser's process."""
    if source.path is None:
        raise InputError("standard input: a workbook cannot be read from a pipe; name the file")
    command = [sys.executable, "-m", "classifier.readers.xlsx_child", str(source.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdout is not None
        try:
            yield from table_rows((json.loads(line) for line in child.stdout), source.name, column)
        finally:
            child.stdout.close()
            code = child.wait()
        if code:
            raise LimitError(f"{source.name}: could not be read within limits (damaged, encrypted or too large); save it as CSV")
