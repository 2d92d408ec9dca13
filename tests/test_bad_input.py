"""Hostile and broken input through the command's own door: what comes out, what is said, and how it ends. docs/faults.md lists the cases."""

import csv
import json
import os
import re
import struct
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from python_calamine import CalamineWorkbook
from readers.golden import SAMPLES

from classifier.cli import main

SCAM = "我是小红书客服，您买的面膜质检不合格，给您双倍赔付，请加我微信，把验证码发给我，转到安全账户"
FINE = "您的快递已到菜鸟驿站，取件码5-2-1033，请及时领取"
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b]")
ANDROID = '{"_id":"1","thread_id":"1","date":"1767225600000","body":"' + FINE + '","type":"1"}\n'


class Labelled(NamedTuple):
    code: int
    rows: list[dict[str, Any]]
    said: str

    @property
    def statuses(self) -> list[str]:
        return [row["scam_status"].split(":")[0] for row in self.rows]


@pytest.fixture
def label(tmp_path: Path, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """Bytes or text in; exit code, rows and what was said out."""

    def run(data: bytes | str, *more: str, name: str = "in") -> Labelled:
        (tmp_path / name).write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
        target = tmp_path / "out.jsonl"
        code = main(["label", str(tmp_path / name), "-o", str(target), "--force", *more])
        lines = target.read_text("utf-8").split("\n")[:-1] if target.exists() else []
        said = capsys.readouterr().err
        assert not STEERING.search(said)
        left = {path.name for path in tmp_path.iterdir()}
        assert left <= {name, "out.jsonl"}  # whatever happened
        return Labelled(code, [json.loads(line) for line in lines], said)

    return run


def records(*texts: str) -> str:
    """JSON lines of texts, escapes and all."""
    return "".join(json.dumps({"text": text}) + "\n" for text in texts)


# B1, B2: length and growth


def test_a_record_longer_than_is_read_says_so_and_is_never_called_legit(label: Any) -> None:
    found = label(records(FINE * 8000, FINE))
    assert (found.code, found.statuses) == (0, ["truncated", "ok"])
    assert found.rows[0]["scam_verdict"] != "legit"


@pytest.mark.parametrize("flood", ["验" + "\u0301" * 150_000, "\ufdfa" * 150_000, "\u200b" * 150_000, "㐀" * 150_000, "1" * 150_000, "(" * 150_000])
def test_a_flood_costs_its_row_only(flood: str, label: Any) -> None:
    found = label(records(flood, SCAM))
    assert found.code == 0
    assert found.rows[0]["text"] == flood
    assert found.rows[1]["scam_verdict"] == "impersonation"


# B4: characters that cannot be written


def test_what_cannot_be_written_is_repaired_for_scoring_and_kept_where_it_can_be(label: Any, tmp_path: Path) -> None:
    texts = [f"{SCAM}{bad}" for bad in ("\x00", "\x07", "\ud83d", "\ude00", "\x9b", "\ufffe")]
    found = label(records(*texts))
    assert [row["text"] for row in found.rows] == texts
    assert {row["scam_verdict"] for row in found.rows} == {"impersonation"}
    assert found.rows[2]["scam_status"] == "repaired"
    for ending in ("csv", "tsv", "xlsx"):
        assert main(["label", str(tmp_path / "in"), "-o", str(tmp_path / f"out.{ending}")]) == 0
    with open(tmp_path / "out.csv", encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(texts)
    assert len(CalamineWorkbook.from_path(str(tmp_path / "out.xlsx")).get_sheet_by_index(0).to_python()) == len(texts) + 1


def test_two_halves_of_a_character_are_one(label: Any) -> None:
    found = label('{"text": "\\ud83d\\ude00' + FINE + '"}\n')
    assert found.rows[0]["text"] == "😀" + FINE
    assert found.statuses == ["ok"]


# B5 to B8: formats


@pytest.mark.parametrize(
    ("data", "code", "says"),
    [
        ('内容,号码\n您好,1\n"再见,2\n' + "一,二\n" * 400_000, 2, "a quote opened in row 3 is not closed"),
        ('内容,号码\n您好,1\n"再见,2\n' + "一,二\n" * 299, 2, "a quote opened in row 3 is not closed"),
        ("内容,号码\n" + "长" * ((1 << 20) + 1) + ",1\n", 3, "a line of more than 1048576 characters"),
        (",".join(["内容", *(f"c{k}" for k in range(1024))]) + "\n" + ",".join(["您好"] * 1025), 3, "1025 columns, at most 1024"),
        ("<smses>" + "<a>" * 65, 3, "nested deeper than 64"),
        ('<!DOCTYPE smses SYSTEM "file:///etc/passwd"><smses/>', 2, "XML or HTML"),
        ('<smses><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><sms body="&e;"/></smses>', 2, "not well-formed"),
        ('<smses count="1"><sms address="1" date="1" type="1" body="&e;"/></smses>', 2, "not well-formed"),
        ("<html><body><table><tr><td>内容</td></tr></table></body></html>", 2, "XML or HTML"),
        (b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n", 2, "no messages; copy its text into a file, a message a line\n"),
        (bytes(range(256)) * 40, 2, "in no known encoding"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line_and_leaves_nothing(data: bytes | str, code: int, says: str, label: Any) -> None:
    found = label(data)
    assert found.code == code
    assert says in found.said
    assert found.said.count("\n") == 1
    assert found.rows == []


@pytest.mark.parametrize(
    "line",
    [
        *("[" * 100_000, '{"text": ' * 40 + "1" + "}" * 40, '{"text": ' + "9" * 5000 + "}", '{"text": NaN}', '{"text": Infinity}', '{"text": 1e999}'),
        *('{"text": "您好", "text": "再见"}', '{"text": "您好"', "5", "null", "{]", '{"text": "' + "长" * (1 << 20) + '"}', '{"text": ["您好"]}'),
    ],
    ids=lambda line: line[:24],
)
def test_a_line_that_is_no_record_is_rejected_and_the_rest_goes_on(line: str, label: Any) -> None:
    found = label(f"{records(SCAM)}{line}\n{records(FINE)}")
    assert (found.code, found.statuses) == (1, ["ok", "rejected", "ok"])
    assert "row 2: " in found.said
    assert "您好" not in found.said


def test_a_number_too_long_to_read_is_told_without_advice_to_programmers(label: Any) -> None:
    found = label(f'{records(SCAM)}{{"text": "您好", "n": {"9" * 5000}}}\n')
    assert "row 2: a number of more than 4300 digits\n" in found.said


def test_rows_of_another_width_are_rejected_and_the_rest_goes_on(label: Any) -> None:
    found = label(f"内容,号码\n{SCAM},1\n{FINE},2,3\n{FINE}\n{FINE},4\n")
    assert (found.code, found.statuses) == (1, ["ok", "rejected", "rejected", "ok"])


def test_emoji_as_phones_write_them_are_read_and_what_no_xml_may_hold_is_repaired(label: Any) -> None:
    bodies = (f"&#55357;&#56838;{FINE}", f"&#55357;{FINE}", f"{FINE}&#0;&#8;")
    found = label("<smses>" + "".join(f'<sms address="1" date="1767225600000" type="1" body="{body}" />' for body in bodies) + "</smses>")
    assert [row["text"] for row in found.rows] == [f"😆{FINE}", f"\ufffd{FINE}", f"{FINE}\ufffd\ufffd"]
    assert (found.code, found.statuses) == (0, ["ok", "repaired", "repaired"])


# B9, B10: containers, and parsers that die


def packed(members: dict[str, bytes | str]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as container:
        for name, data in members.items():
            container.writestr(name, data)
    return out.getvalue()


def workbook(**changed: str) -> bytes:
    """The sample workbook with some of its members replaced, told by the name's last part."""
    with zipfile.ZipFile(SAMPLES["sheet-xlsx"]) as old:
        return packed({name: changed.get(Path(name).stem, old.read(name)) for name in old.namelist()})


def lying() -> bytes:
    """A container that says its member unpacks to a hundred bytes, when it is a hundred million."""
    data = bytearray(packed({"messages.ndjson": ANDROID * 700_000}))
    for at in (22, data.index(b"PK\x01\x02") + 24):
        struct.pack_into("<I", data, at, 100)
    return bytes(data)


def encrypted() -> bytes:
    data = bytearray(packed({"messages.ndjson": ANDROID}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


_SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
FAR = _SHEET.format('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
MANY = '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" uniqueCount="4000000000000"><si><t>a</t></si></sst>'


@pytest.mark.parametrize(
    ("data", "code", "says"),
    [
        (lambda: packed({f"xl/{k}": b"" for k in range(10_001)}), 3, "over 10000 members"),
        (lambda: packed({"xl/workbook.xml": b"<a/>" * (8 << 20)}), 3, "unpacks to far more"),
        (lambda: packed({"messages.ndjson": b"\n" * (32 << 20)}), 3, "unpacks to far more"),
        (lying, 2, "damaged"),
        (encrypted, 2, "encrypted"),
        (lambda: packed({"inner.zip": workbook()}), 2, "unpack it"),
        (lambda: packed({"../../messages.ndjson": ANDROID}), 2, "unpack it"),
        (lambda: packed({"/messages.ndjson": ANDROID}), 2, "unpack it"),
        (lambda: workbook()[:-300], 2, "damaged"),
        (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096), 2, "damaged or encrypted"),
        (lambda: b"PAR1" + bytes(200) + b"PAR1", 2, "damaged or encrypted"),
        (lambda: workbook(sheet1=FAR), 3, "could not be read within limits"),
        (lambda: workbook(sharedStrings=MANY), 3, "could not be read within limits"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_container_that_is_a_bomb_or_broken_is_one_line_and_leaves_nothing(data: Any, code: int, says: str, label: Any) -> None:
    found = label(data())
    assert found.code == code
    assert says in found.said
    assert found.said.count("\n") == 1
    assert found.rows == []


def test_a_workbook_that_aborts_its_parser_does_not_stop_the_other_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"内容\n{SCAM}\n", encoding="utf-8")
    (tmp_path / "b.xlsx").write_bytes(workbook(sheet1=FAR))
    (tmp_path / "c.csv").write_text(f"内容\n{FINE}\n", encoding="utf-8")
    assert main(["label", *(str(tmp_path / name) for name in ("a.csv", "b.xlsx", "c.csv")), "-o", str(tmp_path / "out")]) == 2
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.csv", "c.csv"]


# B11: encodings


def test_bytes_of_no_encoding_cost_their_row_only(label: Any) -> None:
    found = label("\n".join(["内容", *[FINE] * 20]).encode() + b"\n\xff\xfe\xfa\n" + SCAM.encode())
    assert found.code == 1
    assert found.statuses == ["ok"] * 20 + ["rejected", "ok"]
    assert "row 22: bytes that are no characters" in found.said


@pytest.mark.parametrize(
    "environment", [{"PYTHONIOENCODING": "gbk"}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
def test_the_bytes_are_the_same_in_any_locale(environment: dict[str, str], tmp_path: Path) -> None:
    source = tmp_path / "短信 导出.csv"
    source.write_text(f"内容,号码\n{SCAM}\u200b😀,1\n坏,行,多\n", encoding="gb18030")
    outputs = []
    for more in ({}, environment):
        outputs.append(
            subprocess.run(
                [sys.executable, "-m", "classifier", "label", str(source), "-o", "-", "--evidence"],
                env={**os.environ, "LC_ALL": "C.UTF-8", **more},
                capture_output=True,
                check=False,
            )
        )
    assert outputs[0].returncode == outputs[1].returncode == 1
    assert outputs[0].stdout == outputs[1].stdout
    assert "验证码" in outputs[1].stdout.decode()
    assert b"Traceback" not in outputs[1].stderr


# B12: formulas


@pytest.mark.parametrize("ending", ["csv", "tsv", "xlsx"])
@pytest.mark.parametrize("text", ["=1+1", "+86138", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1", " =1", "\u00a0=cmd|' /C calc'!A0", "\ufeff=1"])
def test_no_cell_of_an_output_is_a_formula(text: str, ending: str, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(json.dumps({text: text, "text": text}) + "\n", encoding="utf-8")
    assert main(["label", str(tmp_path / "in.jsonl"), "-o", str(tmp_path / f"out.{ending}")]) == 0
    if ending == "xlsx":
        with zipfile.ZipFile(tmp_path / "out.xlsx") as book:
            assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
        return
    with open(tmp_path / f"out.{ending}", encoding="utf-8-sig", newline="") as file:
        header, row = csv.reader(file, delimiter="," if ending == "csv" else "\t")
    assert header[0] == row[0] == row[1] == f"'{text}"


# B13: workbooks


def test_a_workbook_that_is_written_can_be_opened_and_holds_all_rows(tmp_path: Path) -> None:
    texts = [SCAM, "长" * 40_000, "\x00\x0b\x1f\ud800\udfff\ufffe\uffff", "", "{=1}", "http://example.com"]
    (tmp_path / "in.jsonl").write_text(records(*texts), encoding="utf-8")
    assert main(["label", str(tmp_path / "in.jsonl"), "-o", str(tmp_path / "out.xlsx")]) == 0
    rows = CalamineWorkbook.from_path(str(tmp_path / "out.xlsx")).get_sheet_by_index(0).to_python()
    assert len(rows) == len(texts) + 1
    assert rows[1][0] == SCAM
    assert len(rows[2][0]) == 32_767
    assert "JSONL" in rows[2][0]


# B14: terminals and logs


def test_names_of_files_and_columns_cannot_steer_a_terminal_or_forge_a_line(label: Any, tmp_path: Path) -> None:
    evil = "\x1b[2J\u202ea\rscamcall: all rows legit"
    column = json.dumps(evil)
    found = label(f'{{"text": "您好，请您尽快办理"}}\n{{"text": 5, {column}: 1}}\n', name=f"{evil}\nb")
    assert (found.code, found.said.count("\n")) == (1, 2)
    (tmp_path / f"{evil}\nb").unlink()
    found = label(f'{{{column}: 1, "b": 2}}\n' * 3)
    assert (found.code, found.said.count("\n")) == (2, 1)
    found = label(f"{column},乙\n您好我是客服,请点这个链接\n请您办理退款,再见再见再见\n")
    assert (found.code, found.said.count("\n")) == (2, 1)
    (tmp_path / "in.jsonl").write_text(f'{records(FINE) * 5000}{{"text": "{FINE}", {column}: 1}}\n', encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "classifier", "label", str(tmp_path / "in.jsonl"), "-o", str(tmp_path / "out.csv")], capture_output=True, check=True
    )
    assert b"had no place in a table" in done.stderr
    assert not STEERING.search(done.stderr.decode())


# B15: paths


@pytest.mark.parametrize("kind", ["part", "packed", "checkpoint", "checkpoint.new"])
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_link_planted_under_a_name_of_ours_is_not_followed(kind: str, ending: str, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(f"内容\n{SCAM}\n", encoding="utf-8")
    (tmp_path / "precious").write_text("{}")
    (tmp_path / f"out.{ending}.{kind}").symlink_to(tmp_path / "precious")
    main(["label", str(tmp_path / "in.csv"), "-o", str(tmp_path / f"out.{ending}"), "--force"])
    assert (tmp_path / "precious").read_text() == "{}"


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("out.csv.part", "out.csv"),
        ("out.xlsx.packed", "out.xlsx"),
        ("out.csv.checkpoint", "out.csv"),
        ("out.csv.checkpoint.new", "out.csv"),
        ("out/in.csv.csv.part", "out/"),
    ],
)
@pytest.mark.parametrize("more", [[], ["--force"], ["--resume"]])
def test_an_input_that_bears_a_name_of_ours_stays_as_it_is(source: str, output: str, more: list[str], tmp_path: Path) -> None:
    path = tmp_path / source
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"内容\n{SCAM}\n", encoding="utf-8")
    (tmp_path / "in.csv.xml").write_text(f"内容\n{SCAM}\n", encoding="utf-8")
    before = path.read_bytes()
    others = [str(tmp_path / "in.csv.xml")] if output.endswith("/") else []
    assert main(["label", str(path), *others, "-o", f"{tmp_path}/{output}", *more]) == 2
    assert path.read_bytes() == before


def test_a_report_never_replaces_an_input(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.html").write_text(f"内容\n{SCAM}\n", encoding="utf-8")
    (tmp_path / "in" / "b.csv").write_text(f"内容\n{SCAM}\n", encoding="utf-8")
    before = (tmp_path / "in" / "a.html").read_bytes()
    arguments = ["label", str(tmp_path / "in" / "*"), "-o", str(tmp_path / "out"), "--report", str(tmp_path / "in" / "a.html"), "--force"]
    assert main(arguments) == 2
    assert (tmp_path / "in" / "a.html").read_bytes() == before


def test_what_is_written_is_for_its_owner_alone(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(f"内容\n{SCAM}\n", encoding="utf-8")
    assert main(["label", str(tmp_path / "*.csv"), "-o", str(tmp_path / "out"), "--report", str(tmp_path / "r.html")]) == 0
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (*(tmp_path / "out").iterdir(), tmp_path / "r.html")} == {0o600}
