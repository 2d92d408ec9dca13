"""Tables: what spreadsheets and scripts make of them, and what damaged ones cost."""

import csv
import io
import json
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
import xlsxwriter
from readers.golden import SAMPLES
from readers.reading import format_of, rows, texts

from classifier.errors import InputError, LimitError
from classifier.readers import open_source, parser_child, recognise
from classifier.readers.containers import unpacked_size
from classifier.readers.source import HEAD, MAX_LINE, Source


def test_the_text_column_is_the_one_named_so_or_the_one_that_is_told(tmp_path: Path) -> None:
    data = "号码,内容,备注\n10086,您好,这里写了很多很多很多中文\n"
    assert texts(tmp_path / "x", data) == ["您好"]
    assert [row.text for row in rows(tmp_path / "x", data, column="备注")] == ["这里写了很多很多很多中文"]
    with pytest.raises(InputError, match="it has 号码, 内容, 备注"):
        rows(tmp_path / "x", data, column="没有")


def test_two_columns_that_may_both_be_the_text_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="which column holds the text"):
        rows(tmp_path / "x", "甲,乙\n您好我是客服,请点这个链接\n请您办理退款,再见再见再见\n")


def test_a_guessed_column_is_said(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("1,您好我是客服\n2,请点这个链接\n")
    source = open_source(str(tmp_path / "x"))
    assert [row.text for row in recognise(source).read(source)] == ["您好我是客服", "请点这个链接"]
    assert "took column2" in source.notes[0]


@pytest.mark.parametrize("data", ["王小明,您好在吗\n李雷,明天见\n韩梅梅,好的谢谢\n", "妈,我手机坏了\n爸,转两万给我\n"])
def test_a_first_message_is_no_header_however_short(tmp_path: Path, data: str) -> None:
    assert texts(tmp_path / "x", data) == [line.split(",")[1] for line in data.splitlines()]


def test_a_header_of_names_that_nobody_knows_is_a_row_and_said_and_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("甲方,所言\n王小明,您好我是客服\n")
    source = open_source(str(tmp_path / "x"))
    assert [row.text for row in recognise(source).read(source)] == ["所言", "您好我是客服"]
    assert "if it is a header, --text-column" in source.notes[0]
    (row,) = rows(tmp_path / "x", (tmp_path / "x").read_bytes(), column="所言")
    assert row.columns == {"甲方": "王小明", "所言": "您好我是客服"}


@pytest.mark.parametrize("known", ["手机号", "时间", "编号", "标签", "收件人", "Label", "ID"])
def test_any_name_that_is_known_makes_a_first_row_a_header(known: str, tmp_path: Path) -> None:
    (row,) = rows(tmp_path / "x", f"{known},所言\n1,您好我是客服\n")
    assert row.columns == {known: "1", "所言": "您好我是客服"}
    assert row.number == 2


def test_a_column_of_labels_is_no_direction(tmp_path: Path) -> None:
    found = rows(tmp_path / "x", "内容,类型\n您好,诈骗\n再见,发送\n")
    assert [(row.direction, row.skipped) for row in found] == [("in", ""), ("in", "")]


def test_a_column_of_directions_is_one_in_either_language(tmp_path: Path) -> None:
    found = rows(tmp_path / "x", "内容,类型\n您好,接收\n再见,Sent\n草,草稿\n")
    assert [row.direction for row in found] == ["in", "out", "draft"]


def test_a_field_longer_than_csv_allows_by_itself(tmp_path: Path) -> None:
    text = "客服：您好\n" * 30_000
    out = io.StringIO()
    csv.writer(out).writerows([["内容", "号码"], [text, "10086"]])
    assert texts(tmp_path / "x", out.getvalue()) == [text]


def test_a_quote_that_is_not_closed_is_an_error_and_not_one_giant_row(tmp_path: Path) -> None:
    data = '内容,号码\n您好,1\n"再见,2\n' + "一,二\n" * (MAX_LINE // 3)
    with pytest.raises(InputError, match="a quote opened in row 3"):
        rows(tmp_path / "x", data)


@pytest.mark.parametrize("tail", ["再见,2\n" * 300, "再见", "再见\n", "", '再见""\n'])
def test_a_quote_that_is_still_open_at_the_end_is_the_same_error_however_little_follows(tail: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a quote opened in row 4 is not closed"):
        rows(tmp_path / "x", f'内容,号码\n您好,1\n"在\n吗",2\n"{tail}')


@pytest.mark.parametrize("last", ['"再见",2', '2,"再见"', '"再\n见",2\n', '"再""见",2\n\n', '再"见,2', '"再见""",2'])
def test_quotes_that_are_closed_or_stand_within_a_text_end_a_file_as_well_as_any(last: str, tmp_path: Path) -> None:
    found = rows(tmp_path / "x", f"内容,号码\n您好,1\n{last}")
    assert [row.problem for row in found] == ["", ""]


def test_a_stray_carriage_return_costs_its_row_only(tmp_path: Path) -> None:
    found = rows(tmp_path / "x", "内容,号码\n您\r好,1\n再见,2\n")
    assert [bool(row.problem) for row in found] == [True, False]


def test_rows_of_another_width_are_rejected_and_kept(tmp_path: Path) -> None:
    found = rows(tmp_path / "x", "内容,号码\n您好,1,多\n再见\n在吗,3\n")
    assert [bool(row.problem) for row in found] == [True, True, False]
    assert found[0].columns == {"内容": "您好", "号码": "1", "column3": "多"}


def test_too_many_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LimitError, match="columns, at most"):
        rows(tmp_path / "x", ",".join(f"c{k}" for k in range(2000)) + "\n" + ",".join(["您好"] * 2000))


def test_numbers_that_a_spreadsheet_damaged_are_said(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("内容,手机号\n您好??,1.38E+10\n")
    source = open_source(str(tmp_path / "x"))
    list(recognise(source).read(source))
    assert len(source.notes) == 2


def test_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    assert rows(tmp_path / "x", "内容,号码\n") == []


@pytest.mark.parametrize(
    "line",
    ["[" * 100_000, '{"text": "' + '\\"[' * 300_000, '{"text": ' + "[" * 100_000, '{"text": ' + "9" * 5000 + "}", '{"a": {"b": NaN}}', "5", "null"],
)
def test_hostile_json_costs_its_line_only(line: str, tmp_path: Path) -> None:
    found = rows(tmp_path / "x", '{"text": "您好"}\n' + line + '\n{"text": "再见"}\n')
    assert [bool(row.problem) for row in found] == [False, True, False]


@pytest.mark.parametrize(("length", "kept"), [(MAX_LINE // 3, True), (MAX_LINE, False)])
def test_a_first_line_longer_than_what_is_looked_at_costs_itself_at_most(length: int, kept: bool, tmp_path: Path) -> None:
    long = json.dumps({"text": "长" * length}, ensure_ascii=False)
    for data in (f'{long}\n{{"text": "您好"}}\n', f'{{"text": "您好"}}\n{long}\n', long):
        found = rows(tmp_path / "x", data)
        assert [row.text for row in found if len(row.text) == length] == (["长" * length] if kept else [])
        assert [row.problem for row in found if not row.text] == ([] if kept else [f"longer than {MAX_LINE} characters"])
        assert [row.text for row in found if row.text == "您好"] == (["您好"] if data != long else [])


@pytest.mark.parametrize("data", ['["我是\\"客服\\"", "你好"]', '[\n  "我是\\"客服\\"",\n  "你好"\n]\n', '["我是\\"客服\\"",{"text": "你好"}]'])
def test_an_array_of_texts_is_a_message_each(data: str, tmp_path: Path) -> None:
    assert [(row.number, row.text, row.columns) for row in rows(tmp_path / "x", data)] == [
        (1, '我是"客服"', {"text": '我是"客服"'}),
        (2, "你好", {"text": "你好"}),
    ]


def test_an_array_of_texts_may_be_long_and_hold_what_is_none(tmp_path: Path) -> None:
    found = rows(tmp_path / "x", json.dumps([f"{k} 您好，请查收" for k in range(60_000)] + [7]))
    assert [row.problem for row in found] == [""] * 60_000 + ["not a JSON object"]


@pytest.mark.parametrize("line", ['["系统"] 您好', '["系统", "公告"] 您好', "[系统] 您好", '["系统公告，您好'])
def test_a_message_that_begins_with_a_bracket_is_none(line: str, tmp_path: Path) -> None:
    assert texts(tmp_path / "x", f"{line}\n再见") == [line, "再见"]


def test_a_call_in_one_long_line_is_a_document_still(tmp_path: Path) -> None:
    turns = [{"speaker": "AB"[k % 2], "text": "您好，请问您是哪位"} for k in range(20_000)]
    (row,) = rows(tmp_path / "x", json.dumps({"turns": turns}))
    assert row.channel == "call"
    assert len(row.columns["turns"]) == 20_000


def test_an_array_is_read_element_by_element_wherever_it_is_cut(tmp_path: Path) -> None:
    text = '括号 ]}{[,\\" 和 \\\\'
    data = "[" + ",\n".join(f'{{"text": "{k} {text}"}}' for k in range(60_000)) + "]"
    found = rows(tmp_path / "x", data)
    assert [row.number for row in found] == list(range(1, 60_001))
    assert {row.text.split(" ", 1)[1] for row in found} == {'括号 ]}{[," 和 \\'}
    cut = rows(tmp_path / "x", data[:-30])
    assert cut[-2].text.startswith("59998")
    assert "does not end" in cut[-1].problem


@pytest.mark.parametrize("between", ["", "\n", "\n\n", " " * HEAD], ids=["nothing", "a line", "two lines", "a million spaces"])
def test_arrays_one_after_the_other_are_read_on(between: str, tmp_path: Path) -> None:
    pages = ['[{"text": "您好"}]', "[]", '[{"text": "在吗"}, {"text": "再见"}]']
    found = rows(tmp_path / "x", between.join(pages) + between)
    assert [(row.number, row.text) for row in found] == [(1, "您好"), (2, "在吗"), (3, "再见")]


@pytest.mark.parametrize(
    "rest", ["}", ',{"text": "再见"}]', "]", '"再见"', "再见", '{"text": "再见"}', " " * HEAD + "再见", '再见[{"text": "在吗"}]']
)
def test_text_behind_an_array_is_not_lost_in_silence(rest: str, tmp_path: Path) -> None:
    good, bad = rows(tmp_path / "x", f'[{{"text": "您好"}}]{rest}')
    assert (good.text, good.problem) == ("您好", "")
    assert "text outside the JSON array" in bad.problem


@pytest.mark.parametrize("size", [MAX_LINE + 1, MAX_LINE + HEAD, 4 * HEAD])
def test_an_element_that_is_too_long_costs_itself_only(size: int, tmp_path: Path) -> None:
    found = rows(tmp_path / "x", json.dumps([{"text": "您好"}, {"text": "a" * size}, {"text": "再见"}], ensure_ascii=False))
    assert [row.text for row in found] == ["您好", "", "再见"]
    assert [row.problem for row in found] == ["", f"longer than {MAX_LINE} characters", ""]


def test_a_short_array_that_breaks_off_keeps_what_was_read(tmp_path: Path) -> None:
    good, bad = rows(tmp_path / "x", '[{"text": "您好"}, {"text": "再')
    assert good.text == "您好"
    assert "does not end" in bad.problem


def workbook(path: Path, **sheets: list[list[Any]]) -> Source:
    """A workbook of these sheets, opened."""
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd hh:mm:ss"}) as book:
        for name, lines in sheets.items():
            sheet = book.add_worksheet(name)
            for number, line in enumerate(lines):
                sheet.write_row(number, 0, line)
    return open_source(str(path))


def test_sheets_that_are_not_read_are_named(tmp_path: Path) -> None:
    note = [["说明"], ["导出的短信"]]
    source = workbook(tmp_path / "x", 说明=note, 短信=[["内容"], ["您好"]], 备份=[])
    assert [row.text for row in recognise(source).read(source)] == ["说明", "导出的短信"]
    (said,) = source.notes
    assert "not 短信, 备份;" in said
    source = workbook(tmp_path / "y", 短信=[["内容"], ["您好"]])
    assert [row.text for row in recognise(source).read(source)] == ["您好"]
    assert source.notes == []


def test_numbers_longer_than_a_spreadsheet_holds_are_said_once_a_column(tmp_path: Path) -> None:
    lines = [["内容", "手机", "卡号"], *[["您好", 13800000001, 6222021234567890123], ["您好", 999999999999999, -1e15]] * 2]
    source = workbook(tmp_path / "x", 短信=lines)
    assert len(list(recognise(source).read(source))) == 4
    (said,) = source.notes
    assert said.startswith("column 3 holds numbers of more than 15 digits")
    source = workbook(tmp_path / "y", 短信=[["内容", "卡号"], ["您好", "6222021234567890123"]])
    (row,) = recognise(source).read(source)
    assert (row.columns["卡号"], source.notes) == ("6222021234567890123", [])


def test_midnight_is_written_as_the_other_moments_of_its_column_and_days_stay_days(tmp_path: Path) -> None:
    day, noon = datetime(2026, 11, 1), datetime(2026, 11, 1, 12)
    source = workbook(tmp_path / "x", 短信=[["内容", "时间", "生日"], ["您好", day, day], ["您好", noon, day], ["您好", "", ""]])
    found = list(recognise(source).read(source))
    assert [row.columns["时间"] for row in found] == ["2026-11-01 00:00:00", "2026-11-01 12:00:00", ""]
    assert [row.columns["生日"] for row in found] == ["2026-11-01", "2026-11-01", ""]
    assert [row.time for row in found] == ["2026-11-01T00:00:00+08:00", "2026-11-01T12:00:00+08:00", ""]


def test_a_workbook_that_unpacks_to_a_bomb_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb", "w", zipfile.ZIP_DEFLATED) as container:
        container.writestr("xl/workbook.xml", b"<a/>" * (8 << 20))
    with pytest.raises(LimitError, match="unpacks to far more"):
        format_of(tmp_path / "x", (tmp_path / "bomb").read_bytes())


def test_a_workbook_that_aborts_its_parser_is_an_error_here(tmp_path: Path) -> None:
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
        '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
    )
    with zipfile.ZipFile(SAMPLES["sheet-xlsx"]) as old, zipfile.ZipFile(tmp_path / "far", "w") as new:
        for name in old.namelist():
            new.writestr(name, sheet if name == "xl/worksheets/sheet1.xml" else old.read(name))
    with pytest.raises(LimitError, match="could not be read within limits"):
        rows(tmp_path / "x", (tmp_path / "far").read_bytes())


def test_a_parquet_file_that_repeats_itself_is_read_to_its_end(tmp_path: Path) -> None:
    count = 1_200_000
    pyarrow.parquet.write_table(pyarrow.table({"内容": ["您好，您的快递已到"] * count, "号码": ["10086"] * count}), tmp_path / "x")
    size = (tmp_path / "x").stat().st_size
    assert size < 50_000
    with subprocess.Popen([sys.executable, "-P", parser_child.__file__, "parquet", str(tmp_path / "x"), str(size)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert sum(block.count(b"\n") for block in iter(lambda: child.stdout.read(1 << 20), b"")) == 1 + count
    assert child.returncode == 0


def test_a_workbook_that_packs_well_is_given_the_time_of_what_it_unpacks_to(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x", "w", zipfile.ZIP_DEFLATED) as container:
        container.writestr("xl/workbook.xml", b"<a/>" * 100_000)
    packed = (tmp_path / "x").stat().st_size
    assert packed < 10_000
    assert unpacked_size(open_source(str(tmp_path / "x"))) == 400_000
    (tmp_path / "y").write_bytes((tmp_path / "x").read_bytes().replace((400_000).to_bytes(4, "little"), (10_000_000).to_bytes(4, "little")))
    assert unpacked_size(open_source(str(tmp_path / "y"))) == 1032 * packed


@pytest.mark.parametrize("above", [0, 2, 1_000_000])
def test_rows_of_a_sheet_are_counted_as_the_sheet_does(above: int, tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "x") as workbook:
        sheet = workbook.add_worksheet()
        for number, cells in enumerate([["内容", "号码"], ["您好", 1], [], ["在吗", 2]], above):
            sheet.write_row(number, 1, cells)
    found = rows(tmp_path / "x", (tmp_path / "x").read_bytes())
    assert [(row.number - above, row.text) for row in found] == [(2, "您好"), (3, ""), (4, "在吗")]


def test_a_workbook_cannot_come_through_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SAMPLES["sheet-xlsx"].read_bytes())))
    with pytest.raises(InputError, match="name the file"):
        recognise(open_source("-"))


def test_rows_that_are_not_asked_for_leave_no_child_behind() -> None:
    source = open_source(str(SAMPLES["sheet-xlsx"]))
    reading = recognise(source).read(source)
    assert next(reading).number == 2
    reading.close()  # type: ignore[attr-defined]
