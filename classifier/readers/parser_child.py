"""Child process that parses one workbook or Parquet file and writes its records as JSON lines. Limited in memory and time; may abort alone.

Run as a file of its own, so that nothing of the package is loaded. The container was checked before (`containers`).
"""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from typing import Any

_MEMORY = 2 << 30  # bytes of address space
# Of processor time, once the parser is loaded; damaged files make some go on for ever. Ten times what the work takes and more: a million
# values of a Parquet file are read and written in one to two seconds, a megabyte of a workbook's XML in a twentieth of one.
_SECONDS, _SECONDS_A_MILLION, _SECONDS_AT_MOST = 1, 20, 600
TOO_LARGE = 3  # exit code
_BATCH = 4096  # rows of a Parquet file held at once


def sheet(path: str, size: int) -> Iterator[list[Any]]:
    """The number of the row with which the first sheet begins to hold anything (many empty ones may be above) and the names of the sheets;
    then the first one's rows from there."""
    import python_calamine

    _end_in_time(size)
    book = python_calamine.CalamineWorkbook.from_path(path)
    first = book.get_sheet_by_index(0)
    yield [1 + (first.start or (0, 0))[0], *book.sheet_names]
    rows = first.to_python(skip_empty_area=True)
    moments = {k for row in rows for k, v in enumerate(row) if type(v) is datetime}
    for row in rows:
        cells = [int(v) if isinstance(v, float) and v.is_integer() else v for v in row]
        for k in moments:
            day = row[k]
            if type(day) is date:  # what the parser makes of midnight
                cells[k] = datetime.combine(day, time())
        yield cells


def parquet(path: str, size: int) -> Iterator[list[Any]]:
    """The names of the columns, then the rows."""
    import pyarrow.parquet

    _end_in_time(size)
    file = pyarrow.parquet.ParquetFile(path, memory_map=False)
    _end_in_time(max(size, file.metadata.num_rows * file.metadata.num_columns))  # a column that repeats itself takes next to no bytes
    yield file.schema_arrow.names
    for batch in file.iter_batches(_BATCH, use_threads=False):
        yield from map(list, zip(*(column.to_pylist() for column in batch.columns), strict=True))


def _end_in_time(work: int) -> None:
    """Have this process ended when it works for longer than so many bytes or values may take, from now on."""
    if hasattr(signal, "setitimer"):  # not on Windows
        signal.setitimer(signal.ITIMER_PROF, min(_SECONDS + _SECONDS_A_MILLION * work / 1e6, _SECONDS_AT_MOST))


KINDS: dict[str, Callable[[str, int], Iterator[list[Any]]]] = {"sheet": sheet, "parquet": parquet}


def main(kind: str, path: str, size: int) -> None:
    """Write the records of a file, of so many bytes once unpacked, to standard output, an array a line."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    except ImportError:
        pass  # Windows has no such limits
    write = sys.stdout.write
    try:
        for record in KINDS[kind](path, size):
            write(json.dumps(record, default=str) + "\n")
    except MemoryError:
        sys.exit(TOO_LARGE)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
