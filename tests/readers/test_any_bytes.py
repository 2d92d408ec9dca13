"""Whatever the bytes, a reader gives rows or one error of ours, in little time. `--hypothesis-profile=deep` looks twenty times as far."""

import json
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from readers.golden import SAMPLES
from readers.mutations import OPERATIONS, SCALE, SPLICES, VALUES, mutated

from classifier.errors import ScamcallError
from classifier.readers import READERS, Reader, open_source, recognise
from classifier.readers.layouts import rows as rows_of
from classifier.readers.tables import table_rows
from classifier.records import CHANNELS, DIRECTIONS, SKIPPED, Row

EXAMPLES = settings().max_examples
IN_A_CHILD = {"sheet", "parquet"}  # a process an example: a twentieth of them, and what comes out of the process apart
SECONDS = 2  # of this process's own time; the samples take milliseconds
DATA = {name: path.read_bytes() for name, path in SAMPLES.items()}
FORMAT = {name: json.loads(path.with_name("expected.jsonl").read_bytes().split(b"\n")[0])["format"] for name, path in SAMPLES.items()}
OTHERS = tuple(DATA.values())


@contextmanager
def soon() -> Iterator[None]:
    """Raises where it takes more than SECONDS of work, of this process or of children it has waited for."""

    def late(number: int, frame: object) -> None:
        raise AssertionError(f"more than {SECONDS} seconds")

    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - children < SECONDS


def check(rows: Iterator[Row]) -> None:
    number = 0
    for row in rows:
        assert row.number >= number
        number = row.number
        assert isinstance(row.text, str)
        assert row.direction in DIRECTIONS
        assert row.channel in CHANNELS
        assert row.skipped in ("", *SKIPPED)
        assert not (row.problem and (row.skipped or row.text))
        assert all(isinstance(field, str) for field in (row.sender, row.conversation, row.problem))
        assert not row.time or datetime.fromisoformat(row.time)
        json.dumps(row.columns, default=str)


def rows_or_one_error(read: Callable[[], Iterator[Row]]) -> None:
    said = ""
    with soon():
        try:
            check(read())
        except ScamcallError as e:
            said = str(e)
    assert "\n" not in said


def safely(data: bytes, path: Path, wanted: str | None) -> None:
    """Read a file with these bytes, as a format or as what it looks like."""
    path.write_bytes(data)

    def read() -> Iterator[Row]:
        source = open_source(str(path))
        with source.stream:
            yield from recognise(source, wanted).read(source)

    rows_or_one_error(read)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bytes") / "input"


steps = st.lists(st.tuples(st.integers(0, len(OPERATIONS) - 1), *[st.integers(0, SCALE - 1)] * 3), min_size=1, max_size=5)
anything = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")),
    st.lists(st.sampled_from(SPLICES), max_size=12).map(b"".join),
)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_a_reader_gives_rows_or_one_error(reader: Reader, path: Path) -> None:
    """Damaged samples of its own, as what they look like and as its format; samples of other formats, and any bytes, as its format."""
    mine = [DATA[name] for name in SAMPLES if FORMAT[name] == reader.name] or [DATA["sms-backup"]]
    own = st.tuples(st.builds(mutated, st.sampled_from(mine), st.just(OTHERS), steps), st.sampled_from([None, reader.name]))
    foreign = st.tuples(st.one_of(anything, st.builds(mutated, st.sampled_from(OTHERS), st.just(OTHERS), steps)), st.just(reader.name))

    @settings(max_examples=EXAMPLES // 20 if reader.name in IN_A_CHILD else EXAMPLES)
    @given(st.one_of(own, own, foreign))
    def holds(case: tuple[bytes, str | None]) -> None:
        safely(case[0], path, case[1])

    holds()


cells: Any = (
    st.sampled_from(VALUES) | st.text(max_size=20) | st.sampled_from(["内容", "时间", "手机号", "您好，请您办理退款", "2026-03-01 10:00", 45000.5])
)


@given(st.lists(st.lists(cells, max_size=6), max_size=8))
def test_any_cells_of_a_sheet_give_rows_or_one_error(records: list[list[Any]]) -> None:
    rows_or_one_error(lambda: table_rows(((record, "") for record in records), open_source(str(SAMPLES["text"])), None))


@given(st.lists(st.text(max_size=8) | st.sampled_from(["text", "time", "sender", "type"]), min_size=1, max_size=5, unique=True), st.data())
def test_any_columns_of_a_parquet_file_give_rows_or_one_error(names: list[str], data: st.DataObject) -> None:
    records = data.draw(st.lists(st.lists(cells, min_size=len(names), max_size=len(names)), max_size=8))
    columns = [(n, dict(zip(names, record, strict=True)), "") for n, record in enumerate(records, 1)]
    rows_or_one_error(lambda: rows_of(columns, open_source(str(SAMPLES["text"])), None))
