"""Apple's databases: what stands beside them, in them, and is none."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from readers.golden import SAMPLES
from readers.reading import rows

from classifier.errors import InputError
from classifier.readers import open_source, recognise
from classifier.readers.apple import attributed_text


def test_nothing_is_written_beside_a_database_and_its_log_is_mentioned(tmp_path: Path) -> None:
    database = tmp_path / "chat.db"
    database.write_bytes(SAMPLES["messages-db-mac"].read_bytes())
    (tmp_path / "chat.db-wal").write_bytes(b"newer messages")
    source = open_source(str(database))
    assert len(list(recognise(source).read(source))) == 6
    assert "chat.db-wal is not read" in source.notes[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chat.db", "chat.db-wal"]


def test_another_database_is_refused_by_what_it_lacks(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x") as db:
        db.execute("CREATE TABLE message (body TEXT)")
    with pytest.raises(InputError, match="lacks the tables handle"):
        rows(tmp_path / "y", (tmp_path / "x").read_bytes())


def test_a_view_that_never_ends_is_not_run(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x") as db:
        db.execute("CREATE TABLE handle (id TEXT)")
        db.execute("CREATE VIEW message AS WITH RECURSIVE n(text) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT text FROM n")
    with pytest.raises(InputError, match="lacks the tables message"):
        rows(tmp_path / "y", (tmp_path / "x").read_bytes())


def test_a_database_damaged_further_on_keeps_what_was_read(tmp_path: Path) -> None:
    database = tmp_path / "x"
    with sqlite3.connect(database) as db:
        db.execute("CREATE TABLE handle (id TEXT)")
        db.execute("CREATE TABLE message (text TEXT, handle_id INTEGER, date INTEGER, is_from_me INTEGER)")
        db.executemany("INSERT INTO message VALUES (?, 1, 817110307, 0)", [(f"{k}您好" * 50,) for k in range(500)])
    data = database.read_bytes()
    found = rows(tmp_path / "y", data[: 40 * 4096] + bytes(len(data) - 40 * 4096))
    assert 0 < len(found) < 500
    assert "damaged" in found[-1].problem


@given(st.text(min_size=1).filter(lambda text: "\x00" not in text))
def test_a_text_of_any_length_is_found_in_its_stream(text: str) -> None:
    body = text.encode("utf-8", "replace")
    length = bytes([len(body)]) if len(body) < 0x80 else b"\x81" + len(body).to_bytes(2, "little")
    stream = b"\x04\x0bstreamtyped\x84\x84\x84\x08NSString\x01\x94\x84\x01+" + length + body + b"\x86\x84\x02iI"
    assert attributed_text(stream) == body.decode()


@given(st.binary(max_size=80))
def test_any_bytes_are_a_text_or_none(body: bytes) -> None:
    assert isinstance(attributed_text(b"NSString\x01+" + body), str)
