"""Bytes to text: encodings, limits, packed files."""

import gzip
import io
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from readers.reading import format_of, rows, texts

from classifier.errors import InputError, LimitError
from classifier.readers import open_source, recognise
from classifier.readers import source as room
from classifier.readers.source import HEAD, MAX_LINE, detect_encoding

SMS = "您好，我是平台客服，请您点击链接办理退款"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", [SMS, f"内容,号码\n{SMS},10086\n", f"{SMS}\n{SMS}\n"])
def test_the_encodings_that_exports_come_in(encoding: str, text: str, tmp_path: Path) -> None:
    assert texts(tmp_path / "x", text.encode(encoding))[-1] == SMS


def test_a_character_cut_at_the_end_of_what_is_looked_at_is_no_damage() -> None:
    line = SMS.encode() * (HEAD // len(SMS.encode()) + 1)
    for lead in range(3):
        assert detect_encoding((b"a" * lead + line)[:HEAD], "x") == "utf-8"


def test_bytes_that_do_not_fit_cost_their_row_only(tmp_path: Path) -> None:
    data = "\n".join([SMS] * 20).encode() + b"\n\xff\xfe\xfa\n" + SMS.encode()
    found = rows(tmp_path / "x", data)
    assert [row.number for row in found if row.problem] == [21]
    assert len(found) == 22


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no known encoding"):
        rows(tmp_path / "x", bytes(range(256)) * 40)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_system_ends_its_lines_in_its_way(ending: str, tmp_path: Path) -> None:
    assert texts(tmp_path / "x", ending.join(["内容,号码", f"{SMS},10086", "再见,10010"])) == [SMS, "再见"]


def test_an_endless_line_is_rejected_and_the_next_is_read(tmp_path: Path) -> None:
    found = rows(tmp_path / "x", "长" * (MAX_LINE + 9) + "\n" + SMS)
    assert [bool(row.problem) for row in found] == [True, False]


@given(st.lists(st.sampled_from(["您好", "a", "\n", "\r\n", "\r", "\n\n", "长" * 7, "长" * 33, "\x85", "\u2028", "\x0c"]), max_size=40).map("".join))
@example("长" * 31 + "\r\n您好")
@example("长" * 32 + "\r\n您好")
def test_lines_are_cut_where_they_end_however_they_come(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("x") / "x"
    path.write_bytes(text.encode())
    ending = "\r" if "\n" not in text and text.count("\r") > 1 else "\n"
    expected = [line.removesuffix("\r") for line in text.removesuffix(ending).split(ending)] if text else []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "MAX_LINE", 32)
        for size in (5, 16, 31):
            patch.setattr(room, "_BLOCK", size)
            found = list(open_source(str(path)).lines())
            assert found == [(k, line[:32], len(line) < 32) for k, line in enumerate(expected, 1)]


def test_gzip_is_unpacked_and_one_cut_short_keeps_its_rows(tmp_path: Path) -> None:
    packed = gzip.compress("\n".join(f"{k} {SMS}" for k in range(5000)).encode(), 1)
    assert len(texts(tmp_path / "x.gz", packed)) == 5000
    found = rows(tmp_path / "x.gz", packed[:-2000])
    assert 0 < len(found) < 5000
    assert "damaged or cut short" in found[-1].problem


def test_a_gzip_bomb_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LimitError, match="unpacks to more"):
        rows(tmp_path / "x.gz", gzip.compress(b"a\n" * (20 << 20)))


def test_an_archive_in_an_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unpack it first"):
        rows(tmp_path / "x.gz", gzip.compress(b"PK\x03\x04" + bytes(100)))


def test_standard_input_is_recognised_and_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"内容\n{SMS}\n".encode() * 30000)))
    source = open_source("-")
    assert sum(1 for _ in recognise(source).read(source)) == 59_999


def test_a_directory_or_no_file_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a directory"):
        open_source(str(tmp_path))
    with pytest.raises(InputError, match="No such file"):
        open_source(str(tmp_path / "x"))


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    assert rows(tmp_path / "x", b"") == []
    assert format_of(tmp_path / "x", b"") == "text"
