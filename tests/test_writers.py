"""What is written can be read again, and nothing in it is taken for a formula."""

import csv
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from classifier.errors import InputError
from classifier.writers import WRITERS, json_lines

anything = st.text(alphabet=st.characters(), max_size=40)  # with controls, half characters and all
cells = st.one_of(anything, st.integers(), st.floats(), st.booleans(), st.none(), st.lists(anything, max_size=2))
records = st.lists(st.builds(lambda number, text: {"号码": number, "内容": text}, cells, cells), min_size=1, max_size=5)
FORMULAS = ["=1+1", "+86138", "-2", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1", " =1", "\u00a0=1", "\u3000@x", "\u200b=cmd|' /C calc'!A0", "\ufeff=1"]


def written(name: str, rows: list[dict[str, Any]], header: list[str] | None = None) -> bytes:
    writer = WRITERS[name]
    header = header or list(rows[0])
    return writer.begin(header) + writer.encode(header, rows)


def packed(name: str, rows: list[dict[str, Any]], directory: Path) -> Path:
    """A file of a format that is made at the end, from rows kept as JSON lines."""
    kept, target = directory / "kept", directory / f"x.{name}"
    kept.write_bytes(json_lines((), rows))
    pack = WRITERS[name].pack
    assert pack
    pack(kept, target)
    return target


@given(records)
def test_json_lines_lose_nothing(rows: list[dict[str, Any]]) -> None:
    lines = written("jsonl", rows).split(b"\n")
    assert lines.pop() == b""
    for line, row in zip(lines, rows, strict=True):
        expected = {k: None if isinstance(v, float) and (v != v or abs(v) == float("inf")) else v for k, v in row.items()}
        assert json.loads(line) == expected


@given(records)
@example([{"号码": '"', "内容": '",\r\n"'}])
def test_csv_comes_back_cell_for_cell(rows: list[dict[str, Any]]) -> None:
    text = written("csv", rows).decode("utf-8-sig")
    back = list(csv.reader(io.StringIO(text, newline="")))
    assert back[0] == ["号码", "内容"]
    assert len(back) == len(rows) + 1
    for line, row in zip(back[1:], rows, strict=True):
        for cell, value in zip(line, row.values(), strict=True):
            if isinstance(value, str):
                clean = value.replace("\0", "\ufffd").encode("utf-8", "backslashreplace").decode()
                assert cell in (clean, f"'{clean}")


def test_csv_is_what_spreadsheets_expect() -> None:
    data = written("csv", [{"a": "您好", "b": 0.25}])
    assert data == '\ufeff"a","b"\r\n"您好","0.25"\r\n'.encode()
    assert written("tsv", [{"a": "您好", "b": 1}]) == '\ufeff"a"\t"b"\r\n"您好"\t"1"\r\n'.encode()


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_of_a_csv_is_a_formula(text: str) -> None:
    rows = list(csv.reader(io.StringIO(written("csv", [{text: text}]).decode("utf-8-sig"), newline="")))
    assert rows == [[f"'{text}"], [f"'{text}"]]


def test_a_number_is_no_formula() -> None:
    assert b'"-2.5"' in written("csv", [{"a": -2.5}])


def test_rows_with_other_columns_keep_their_places() -> None:
    rows = [{"a": 1, "b": 2}, {"b": 3}, {"b": 4, "a": 5, "c": 6}]
    assert written("csv", rows).decode("utf-8-sig").split("\r\n") == ['"a","b"', '"1","2"', '"","3"', '"5","4"', ""]
    assert WRITERS["csv"].lost(["a", "b"], rows) == ["c"]
    assert WRITERS["jsonl"].lost(["a", "b"], rows) == []


@given(rows=records)
def test_a_workbook_can_be_opened_whatever_it_holds(rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = packed("xlsx", rows, tmp_path_factory.mktemp("x"))
    sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    assert sheet[0] == ["号码", "内容"]
    for row, line in zip(rows, sheet[1:], strict=False):
        for value, cell in zip(row.values(), line, strict=False):
            if isinstance(value, str) and value.isalnum():
                assert cell == value


@pytest.mark.parametrize("text", ["=1+1", "http://a.example.com", "0013812345678", "{=1}", "6222021234567890123"])
def test_text_in_a_workbook_stays_text(text: str, tmp_path: Path) -> None:
    path = packed("xlsx", [{"a": text}], tmp_path)
    assert CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()[1] == [text]
    assert b"<f>" not in path.read_bytes()


def test_long_numbers_in_a_workbook_keep_their_digits(tmp_path: Path) -> None:
    path = packed("xlsx", [{"a": 6222021234567890123, "b": 7}], tmp_path)
    assert CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()[1] == ["6222021234567890123", 7.0]


def test_a_cell_too_long_for_a_workbook_says_so(tmp_path: Path) -> None:
    path = packed("xlsx", [{"a": "长" * 40_000}], tmp_path)
    (cell,) = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()[1]
    assert len(cell) == 32_767
    assert cell.endswith("全文请用 JSONL 输出〕")


def test_a_full_sheet_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classifier.writers._SHEET_ROWS", 4)
    book = CalamineWorkbook.from_path(str(packed("xlsx", [{"n": k} for k in range(7)], tmp_path)))
    assert [book.get_sheet_by_index(k).to_python() for k in range(len(book.sheet_names))] == [
        [["n"], [0.0], [1.0], [2.0]],
        [["n"], [3.0], [4.0], [5.0]],
        [["n"], [6.0]],
    ]


def test_a_workbook_has_the_columns_of_all_rows(tmp_path: Path) -> None:
    path = packed("xlsx", [{"a": "x"}, {"b": "y"}], tmp_path)
    assert CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python() == [["a", "b"], ["x", ""], ["", "y"]]


@pytest.mark.parametrize("name", ["xlsx", "parquet"])
def test_the_same_rows_give_the_same_bytes(name: str, tmp_path: Path) -> None:
    if name == "parquet":
        pytest.importorskip("pyarrow")
    rows = [{"a": "您好", "b": k / 3} for k in range(50)]
    first = packed(name, rows, tmp_path).read_bytes()
    assert packed(name, rows, tmp_path).read_bytes() == first
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kept", f"x.{name}"]


def test_no_rows_still_make_a_file(tmp_path: Path) -> None:
    assert CalamineWorkbook.from_path(str(packed("xlsx", [], tmp_path))).get_sheet_by_index(0).to_python() == []


def test_parquet_keeps_kinds(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [
        {"id": 1, "score": 0.5, "ok": True, "text": "您好", "mixed": 1, "big": 2**70, "list": ["a"]},
        {"id": None, "score": 1, "ok": None, "text": "=1", "mixed": "x", "big": None, "list": None, "late": "晚"},
    ]
    table = parquet.read_table(packed("parquet", rows, tmp_path)).to_pylist()
    assert table[0] == {"id": 1, "score": 0.5, "ok": True, "text": "您好", "mixed": "1", "big": str(2**70), "list": '["a"]', "late": None}
    assert table[1] == {"id": None, "score": 1.0, "ok": None, "text": "=1", "mixed": "x", "big": None, "list": None, "late": "晚"}


@given(rows=records)
def test_parquet_takes_whatever_comes(rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert parquet.read_table(packed("parquet", rows, tmp_path_factory.mktemp("x"))).num_rows == len(rows)


def test_a_missing_module_is_said_before_anything_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"pip install 'scamcall\[batch\]'"):
        WRITERS["parquet"].check()
