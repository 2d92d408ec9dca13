"""Bytes to text: encodings, limits, packed files."""

import gzip
import io
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from readers.reading import format_of, rows, texts

from classifier.errors import InputError, LimitError
from classifier.readers import open_source, recognise
from classifier.readers import source as room
from classifier.readers.source import HEAD, MAX_LINE, detect_encoding
from classifier.records import Row

SMS = "您好，我是平台客服，请您点击链接办理退款"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", [SMS, f"内容,号码\n{SMS},10086\n", f"{SMS}\n{SMS}\n"])
def test_the_encodings_that_exports_come_in(encoding: str, text: str, tmp_path: Path) -> None:
    assert texts(tmp_path / "x", text.encode(encoding))[-1] == SMS


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_file_cut_within_a_character_costs_its_last_row_only(encoding: str, tmp_path: Path) -> None:
    found = rows(tmp_path / "x", f"{SMS}\n{SMS}".encode(encoding)[:-1])
    assert [bool(row.problem) for row in found] == [False, True]
    assert found[0].text == SMS


HONG_KONG = "您好，我哋係銀行嘅客服，您嘅戶口出咗問題，請撳下面條連結"


def read_as(path: Path, data: bytes, encoding: str) -> list[Row]:
    path.write_bytes(data)
    source = open_source(str(path), encoding)
    with source.stream:
        return list(recognise(source).read(source))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("name", ["big5hkscs", "Big5-HKSCS"])
def test_an_encoding_that_is_named_is_the_one(name: str, pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    data = f"內容,號碼\n{HONG_KONG},10086\n".encode("big5hkscs")
    (row,) = read_as(tmp_path / "x", pack(data), name)
    assert row.text == HONG_KONG
    assert HONG_KONG not in texts(tmp_path / "x", data)


def test_bytes_that_do_not_fit_an_encoding_that_is_named_cost_their_row_only(tmp_path: Path) -> None:
    found = read_as(tmp_path / "x", f"{HONG_KONG}\n".encode("big5hkscs") + b"\xff\xff\n" + SMS.encode("utf-8")[:5] + b"\n", "utf-8")
    assert [bool(row.problem) for row in found] == [True, True, True]
    found = read_as(tmp_path / "x", f"{HONG_KONG}\n".encode("big5hkscs") + b"\xff\xff\n", "big5hkscs")
    assert [bool(row.problem) for row in found] == [False, True]


ENCODINGS = ("utf-8", "gb18030", "big5", "big5hkscs", "cp950", "gbk", "shift_jis", "iso2022_jp_2", "cp1252", "utf-16", "utf-32", "utf-16-be")
PIECES = (SMS.encode(), b"\x1b$B", b"\n", b'"', b",", b"<smses>", b"{", b"\xff\xfe")


@given(st.sampled_from(ENCODINGS), st.lists(st.binary(max_size=20) | st.sampled_from(PIECES), max_size=8).map(b"".join))
def test_any_bytes_can_be_read_in_any_encoding(tmp_path_factory: pytest.TempPathFactory, encoding: str, data: bytes) -> None:
    with suppress(InputError, LimitError):
        for row in read_as(tmp_path_factory.mktemp("x") / "x", data, encoding):
            assert isinstance(row.text, str)


@pytest.mark.parametrize("data", [SMS, f"{SMS},10086\n", f"标题,号\n{SMS},10086\n", f"id,msg\n1,{SMS}\n"])
def test_an_encoding_that_does_not_fit_is_answered_with_what_names_another(data: str, tmp_path: Path) -> None:
    try:
        (said,) = {row.problem for row in read_as(tmp_path / "x", data.encode(), "ascii")}
    except InputError as e:
        said = str(e)
    assert said.endswith("bytes that are no characters in the file's encoding; --encoding names another")


NO_ENCODINGS = ("nonsense", "rot13", "base64", "undefined", "idna", "punycode", "raw_unicode_escape", "utf-7", "cp037", "a\0b", "x" * 300)


@pytest.mark.parametrize("name", NO_ENCODINGS)
def test_what_is_no_encoding_of_text_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no encoding that is read here") as e:
        read_as(tmp_path / "x", SMS.encode(), name)
    assert "\n" not in str(e.value)


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
    with pytest.raises(InputError, match=r"in no known encoding .* with --encoding"):
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
