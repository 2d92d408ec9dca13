"""Whatever the bytes, a reader gives rows or one error of ours. SCAMCALL_FUZZ=2000 looks ten times as far."""

import json
import os
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from readers.golden import SAMPLES

from classifier.errors import ScamcallError
from classifier.readers import READERS, open_source, recognise
from classifier.records import CHANNELS, DIRECTIONS, SKIPPED

EXAMPLES = int(os.environ.get("SCAMCALL_FUZZ", "200"))
IN_A_CHILD = {"sheet", "parquet"}  # a process an example: fewer of them
SPLICES = (  # what has broken readers before
    *(b"\0", b"\n", b"\r", b'"', b"'", b"<", b">", b"{", b"[", b"]", b"}", b",", b":", b"", b"\xff", b"\x80", b"\xf0\x9f\x98", b"\xef\xbb\xbf"),
    *(b"&#55357;", b"&#0;", b"<!DOCTYPE a>", b"-->", b"=E4", b"BEGIN:VMSG\n", "客服：".encode(), b"\\ud83d"),
    *(b"null", b"NaN", b"1e999", b"-1", b"9" * 30, b"[" * 100, b'"' * 3),
)


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """A sample with some stretches cut out, doubled, or overwritten by what has broken readers before."""
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.sampled_from([0, 1, 2, 8, 64, 1 << 20])))
        put = draw(st.one_of(st.sampled_from(SPLICES), st.binary(max_size=4), st.just(data[at:end] * 2)))
        data = data[:at] + put + data[end:]
    return data


def check(data: bytes, path: Path, wanted: str | None) -> None:
    path.write_bytes(data)
    source = open_source(str(path))
    with source.stream:
        numbers = []
        for row in recognise(source, wanted).read(source):
            numbers.append(row.number)
            assert isinstance(row.text, str)
            assert row.direction in DIRECTIONS
            assert row.channel in CHANNELS
            assert row.skipped in ("", *SKIPPED)
            assert not (row.problem and (row.skipped or row.text))
            assert all(isinstance(field, str) for field in (row.sender, row.conversation, row.problem))
            assert not row.time or datetime.fromisoformat(row.time)
            json.dumps(row.columns, default=str)
        assert numbers == sorted(numbers)


def safely(data: bytes, path: Path, wanted: str | None = None) -> None:
    said = ""
    try:
        check(data, path, wanted)
    except ScamcallError as e:
        said = str(e)
    assert "\n" not in said


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bytes") / "input"


@pytest.mark.parametrize("name", SAMPLES)
def test_a_damaged_sample_gives_rows_or_one_error(name: str, path: Path) -> None:
    sample = SAMPLES[name].read_bytes()
    wanted = json.loads(SAMPLES[name].with_name("expected.jsonl").read_bytes().split(b"\n")[0])["format"]

    @settings(max_examples=EXAMPLES // 20 if wanted in IN_A_CHILD else EXAMPLES)
    @given(mutated(sample), st.booleans())
    def holds(data: bytes, told: bool) -> None:
        safely(data, path, wanted if told else None)

    holds()


@pytest.mark.parametrize("name", [reader.name for reader in READERS])
def test_any_bytes_give_rows_or_one_error(name: str, path: Path) -> None:
    @settings(max_examples=EXAMPLES // 20 if name in IN_A_CHILD else EXAMPLES)
    @given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")), pieces()))
    def holds(data: bytes) -> None:
        safely(data, path, name)

    holds()


def pieces() -> st.SearchStrategy[bytes]:
    """Fragments of all formats, strung together."""
    return st.lists(st.sampled_from(SPLICES), max_size=12).map(b"".join)
