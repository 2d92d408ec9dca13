"""A file in, a labelled file out: through the library's door."""

import csv
import importlib
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from labelling import FINE, SCAM, files, make
from python_calamine import CalamineWorkbook

from classifier import Classifier
from classifier import chunks as chunk_room
from classifier import label as room
from classifier.batch import COLUMNS
from classifier.errors import InputError, OutputError
from classifier.label import Options, label_files
from classifier.tally import Tally
from classifier.writers import WRITERS

BACKUP = """<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>
<smses count="4">
<sms address="95588" date="1767225600000" type="1" body="{scam}" contact_name="(Unknown)" />
<sms address="13812345678" date="1767225700000" type="2" body="好的" contact_name="王小明" />
<sms address="13812345678" date="1767225800000" type="3" body="草稿" contact_name="王小明" />
<sms address="13812345678" date="1767225900000" type="1" body="" contact_name="王小明" />
</smses>
"""


def rows_of(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def rows_of_sheet(sheet: list[list[Any]]) -> list[dict[str, Any]]:
    header, *rows = sheet
    return [dict(zip(header, row, strict=True)) for row in rows]


def run(classifier: Classifier, inputs: str | Sequence[str], output: Path | str, options: Options | None = None, **more: Any) -> Tally:
    return label_files(classifier, [inputs] if isinstance(inputs, str) else inputs, str(output), options or Options(), **more)


def test_rows_keep_their_order_and_columns_and_get_the_scores_of_their_texts(shipped: Classifier, texts: list[str], tmp_path: Path) -> None:
    tally = run(shipped, make(tmp_path / "in.csv", texts), tmp_path / "out.csv")
    labelled = rows_of(tmp_path / "out.csv")
    assert list(labelled[0]) == ["编号", "短信内容", *COLUMNS]
    assert [row["编号"] for row in labelled] == [str(k) for k in range(len(texts))]
    verdicts = shipped.score_batch(texts)
    for row, verdict in zip(labelled, verdicts, strict=True):
        assert float(row["scam_score"]) == pytest.approx(verdict.scam_score, abs=1e-6)
        assert (row["scam_verdict"], row["scam_type"]) == (verdict.scam_verdict, verdict.scam_type)
        assert row["scam_tactics"] == "、".join(verdict.tactics)
    assert tally.rows == len(texts)
    assert tally.verdicts["impersonation"] == sum(v.scam_verdict == "impersonation" for v in verdicts)
    assert files(tmp_path) == ["in.csv", "out.csv"]


@pytest.mark.parametrize("size", [1, 7, 100])
def test_the_size_of_a_chunk_changes_nothing(
    size: int, shipped: Classifier, texts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make(tmp_path / "in.csv", texts[:150])
    run(shipped, source, tmp_path / "whole.csv")
    monkeypatch.setattr(chunk_room, "CHUNK", size)
    run(shipped, source, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_two_processes_write_what_one_writes(shipped: Classifier, texts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make(tmp_path / "in.csv", texts)
    monkeypatch.setattr(chunk_room, "CHUNK", 64)
    one = run(shipped, source, tmp_path / "one.csv", Options(evidence=True))
    two = run(shipped, source, tmp_path / "two.csv", Options(evidence=True), jobs=2)
    assert (tmp_path / "two.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()
    assert two.state() == one.state()


def test_every_format_holds_the_same(shipped: Classifier, tmp_path: Path) -> None:
    formula = "=1+1 您好，请点击链接"
    source = make(tmp_path / "in.csv", [SCAM, FINE, formula])
    read: dict[str, Callable[[Path], list[dict[str, Any]]]] = {
        "jsonl": lambda path: [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]],
        "csv": rows_of,
        "tsv": lambda path: rows_of(path, "\t"),
        "xlsx": lambda path: rows_of_sheet(CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()),
        "parquet": lambda path: importlib.import_module("pyarrow.parquet").read_table(path).to_pylist(),
    }
    assert set(read) == set(WRITERS)
    expected = [shipped.score(text) for text in (SCAM, FINE, formula)]
    for name, writer in WRITERS.items():
        if writer.needs and find_spec(writer.needs[0]) is None:
            continue
        run(shipped, source, tmp_path / f"out.{name}")
        rows = read[name](tmp_path / f"out.{name}")
        assert [list(row) for row in rows] == [["编号", "短信内容", *COLUMNS]] * 3, name
        assert [row["短信内容"] for row in rows] == [SCAM, FINE, f"'{formula}" if writer.fixed else formula], name
        assert [str(row["编号"]).removesuffix(".0") for row in rows] == ["0", "1", "2"], name
        assert [float(row["scam_score"]) for row in rows] == pytest.approx([v.scam_score for v in expected], abs=1e-6), name
        assert [row["scam_verdict"] for row in rows] == [v.scam_verdict for v in expected], name
        assert [row["scam_type"] for row in rows] == [v.scam_type for v in expected], name
        assert [row["scam_tactics"] or "" for row in rows] == ["、".join(v.tactics) for v in expected], name
        assert [row["scam_status"] for row in rows] == ["ok"] * 3, name


def test_parquet_goes_in_and_out(shipped: Classifier, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    run(shipped, make(tmp_path / "in.csv", [SCAM, FINE]), tmp_path / "a.parquet")
    run(shipped, str(tmp_path / "a.parquet"), tmp_path / "b.parquet")
    first, second = (parquet.read_table(tmp_path / name).to_pylist() for name in ("a.parquet", "b.parquet"))
    assert [row["scam_verdict"] for row in second] == [row["scam_verdict"] for row in first] == ["impersonation", "legit"]
    assert list(second[0]) == ["编号", "短信内容", *COLUMNS]


def test_what_is_not_scored_is_kept_and_counted(shipped: Classifier, tmp_path: Path) -> None:
    (tmp_path / "sms.xml").write_text(BACKUP.format(scam=SCAM), encoding="utf-8")
    tally = run(shipped, str(tmp_path / "sms.xml"), tmp_path / "out.csv")
    labelled = rows_of(tmp_path / "out.csv")
    assert [row["scam_status"] for row in labelled] == ["ok", "skipped: sent", "skipped: draft", "skipped: empty"]
    assert [row["scam_score"] == "" for row in labelled] == [False, True, True, True]
    assert tally.skipped == {"sent": 1, "draft": 1, "empty": 1}


def test_a_row_that_cannot_be_read_is_kept_with_its_reason(shipped: Classifier, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(f'{{"text": "{SCAM}"}}\n{{"text": \n{{"text": "{FINE}"}}\n', encoding="utf-8")
    tally = run(shipped, str(tmp_path / "in.jsonl"), tmp_path / "out.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").split("\n")[:-1]]
    assert [line["scam_status"].split(":")[0] for line in lines] == ["ok", "rejected", "ok"]
    assert tally.rejected.total() == 1
    assert tally.examples[0][1] == 2


def test_parts_of_a_message_get_one_verdict(shipped: Classifier, tmp_path: Path) -> None:
    half = len(SCAM) // 2
    records = [
        {"sender": "95588", "time": "2026-03-01T10:00:00", "text": f"(1/2){SCAM[:half]}"},
        {"sender": "95588", "time": "2026-03-01T10:00:05", "text": f"(2/2){SCAM[half:]}"},
    ]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records), encoding="utf-8")
    run(shipped, str(tmp_path / "in.jsonl"), tmp_path / "out.jsonl")
    first, second = (json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").split("\n")[:-1])
    assert first["scam_status"] == second["scam_status"] == "joined"
    assert first["scam_score"] == second["scam_score"] == pytest.approx(shipped.score(SCAM).scam_score, abs=1e-6)


def test_an_input_without_rows_is_an_output_without_rows(shipped: Classifier, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("编号,短信内容\n", encoding="utf-8")
    assert run(shipped, str(tmp_path / "in.csv"), tmp_path / "out.csv").rows == 0
    assert rows_of(tmp_path / "out.csv") == []


def test_labels_of_an_earlier_run_are_replaced(shipped: Classifier, tmp_path: Path) -> None:
    source = make(tmp_path / "in.csv", [SCAM, FINE])
    run(shipped, source, tmp_path / "one.csv")
    run(shipped, str(tmp_path / "one.csv"), tmp_path / "two.csv")
    assert (tmp_path / "two.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()


def test_only_some_verdicts(shipped: Classifier, tmp_path: Path) -> None:
    tally = run(shipped, make(tmp_path / "in.csv", [FINE, SCAM] * 5), tmp_path / "out.csv", Options(only=("impersonation",)))
    assert [row["编号"] for row in rows_of(tmp_path / "out.csv")] == ["1", "3", "5", "7", "9"]
    assert (tally.rows, tally.written) == (10, 5)


def test_evidence_is_of_the_text_as_it_stands(shipped: Classifier, tmp_path: Path) -> None:
    run(shipped, make(tmp_path / "in.csv", [SCAM]), tmp_path / "out.jsonl", Options(evidence=True))
    reasons = json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8"))["scam_evidence"]
    expected = shipped.score(SCAM).evidence
    assert [r["feature"] for r in reasons] == [e.feature for e in expected]
    assert [r["span"] and tuple(r["span"]) for r in reasons] == [e.span for e in expected]


def test_redacted_outputs_hold_no_personal_data(shipped: Classifier, tmp_path: Path) -> None:
    secret = "13987654321"
    source = make(tmp_path / "in.csv", [f"尊敬的王小明先生，{SCAM}，电话{secret}"] * 3)
    found = []
    run(shipped, source, tmp_path / "out.csv", Options(redact=True), finish=lambda tally: found.append(json.dumps(tally.state(), ensure_ascii=False)))
    for text in (*found, (tmp_path / "out.csv").read_text(encoding="utf-8")):
        assert secret not in text
        assert "小明" not in text
    assert rows_of(tmp_path / "out.csv")[0]["scam_score"] == str(round(shipped.score(f"尊敬的王小明先生，{SCAM}，电话{secret}").scam_score, 6))


def test_a_text_is_read_in_the_encoding_that_is_named(shipped: Classifier, tmp_path: Path) -> None:
    text = "您好，我哋係銀行嘅客服，請將資金轉到安全賬戶"
    for name in "ab":
        (tmp_path / f"{name}.csv").write_bytes(f"編號,內容\n1,{text}\n".encode("big5hkscs"))
    inputs = [str(tmp_path / f"{name}.csv") for name in "ab"]
    run(shipped, inputs, tmp_path / "out", Options(encoding="big5hkscs"))
    assert [rows_of(tmp_path / "out" / f"{name}.csv")[0]["內容"] for name in "ab"] == [text, text]
    with pytest.raises(InputError, match="no encoding"):
        run(shipped, inputs, tmp_path / "other", Options(encoding="big6"))


def test_a_column_that_comes_late_is_reported_not_lost_in_silence(shipped: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunk_room, "CHUNK", 2)
    lines = [{"text": FINE}, {"text": FINE}, {"text": FINE, "备注": "晚来的"}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in lines), encoding="utf-8")
    assert run(shipped, str(tmp_path / "in.jsonl"), tmp_path / "out.csv").lost == {"备注": 1}
    assert run(shipped, str(tmp_path / "in.jsonl"), tmp_path / "out.jsonl").lost == {}


def test_several_inputs_become_files_of_a_directory(shipped: Classifier, tmp_path: Path) -> None:
    for name in ("a", "b"):
        make(tmp_path / f"{name}.csv", [SCAM, name])
    (tmp_path / "c.xml").write_text(BACKUP.format(scam=SCAM), encoding="utf-8")
    tally = run(shipped, [str(tmp_path / "[ab].csv"), str(tmp_path / "c.xml")], tmp_path / "out")
    assert files(tmp_path / "out") == ["a.csv", "b.csv", "c.csv"]
    assert tally.rows == 8
    assert rows_of(tmp_path / "out" / "b.csv")[1]["短信内容"] == "b"


def test_an_unreadable_input_does_not_stop_the_others(shipped: Classifier, tmp_path: Path) -> None:
    make(tmp_path / "a.csv", [SCAM] * 3)
    (tmp_path / "b.zip").write_bytes(b"PK\x03\x04" + b"\xff" * 100)
    (tmp_path / "c.csv").write_text(f"text\n{FINE}\n" + "长" * 2_000_000, encoding="utf-8")
    make(tmp_path / "d.csv", [FINE] * 3)
    warned: list[str] = []
    (tmp_path / "directory").mkdir()
    unreadable = [str(tmp_path / n) for n in ("b.zip", "c.csv", "directory", "missing.csv")]
    tally = run(shipped, [str(tmp_path / "a.csv"), *unreadable, str(tmp_path / "d.csv")], tmp_path / "out", warn=warned.append)
    assert set(tally.unreadable) == set(unreadable)
    assert files(tmp_path / "out") == ["a.csv", "d.csv"]
    assert tally.verdicts["impersonation"] == 3
    assert tally.verdicts["legit"] == 3  # and not four: of what was read of the third nothing is left
    assert len(warned) == 4


@pytest.mark.parametrize(
    ("inputs", "output", "says"),
    [
        (["in.csv"], "in.csv", "is the input"),
        (["in.csv"], "old.csv", "--force"),
        (["in.csv"], "out.doc", r"\.csv"),
        (["in.csv"], "out", r"\.csv"),
        (["in.csv", "sub/in.csv"], "out", "two inputs would become"),
        (["in.csv", "old.csv"], "-", "cannot share standard output"),
        (["in.csv", "old.csv"], "new.csv", "name a directory for them: new/"),
        (["none-*.csv"], "out", "no file is called so"),
        (["none.csv"], "out.csv", "No such file"),
        (["-", "in.csv"], "out", "standard input"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    inputs: list[str], output: str, says: str, shipped: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("in.csv", "sub/in.csv", "old.csv"):
        make(tmp_path / name, [FINE])
    monkeypatch.chdir(tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*.csv")}
    with pytest.raises(InputError, match=says):
        run(shipped, inputs, output)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*.csv")} == before


def test_force_replaces(shipped: Classifier, tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("old")
    run(shipped, make(tmp_path / "in.csv", [SCAM]), tmp_path / "out.csv", force=True)
    assert rows_of(tmp_path / "out.csv")[0]["scam_verdict"] == "impersonation"


@pytest.fixture
def interrupted(shipped: Classifier, texts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Path, bytes]:
    """(input, output, the bytes it is to have) of a run that was interrupted after some chunks."""
    monkeypatch.setattr(chunk_room, "CHUNK", 32)
    monkeypatch.setattr(room, "CHECKPOINT", 3)
    source, target = make(tmp_path / "in.csv", texts[:400]), tmp_path / "out.csv"
    run(shipped, source, target)
    whole = target.read_bytes()
    target.unlink()
    stop = Stopping(5)
    with pytest.raises(KeyboardInterrupt):
        run(shipped, source, target, progress=stop)
    assert files(tmp_path) == ["in.csv", "out.csv.checkpoint", "out.csv.part"]
    return source, target, whole


class Stopping:
    """A progress bar at which the user presses Ctrl-C."""

    total: float | None = None

    def __init__(self, chunks: int) -> None:
        self.left = chunks

    def update(self, rows: int) -> None:
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGINT)


def test_a_run_goes_on_where_it_stopped(shipped: Classifier, interrupted: tuple[str, Path, bytes]) -> None:
    source, target, whole = interrupted
    noted = json.loads(Path(f"{target}.checkpoint").read_text())
    assert noted["current"]["rows"] == 5 * 32
    tally = run(shipped, source, target, resume=True)
    assert target.read_bytes() == whole
    assert tally.rows == 400
    assert files(target.parent) == ["in.csv", "out.csv"]


def test_a_run_can_be_interrupted_again_and_again(shipped: Classifier, interrupted: tuple[str, Path, bytes]) -> None:
    source, target, whole = interrupted
    for chunks in (1, 2, 3):
        with pytest.raises(KeyboardInterrupt):
            run(shipped, source, target, resume=True, progress=Stopping(chunks))
    run(shipped, source, target, resume=True)
    assert target.read_bytes() == whole


def test_the_tally_goes_on_too(shipped: Classifier, interrupted: tuple[str, Path, bytes]) -> None:
    source, target, _ = interrupted
    resumed = run(shipped, source, target, resume=True)
    assert run(shipped, source, target.with_name("other.csv")).state() == resumed.state()


def test_an_interrupted_run_is_not_started_over_by_mistake(shipped: Classifier, interrupted: tuple[str, Path, bytes]) -> None:
    source, target, whole = interrupted
    with pytest.raises(InputError, match="--resume goes on"):
        run(shipped, source, target)
    run(shipped, source, target, force=True)
    assert target.read_bytes() == whole


def test_another_input_model_or_choice_cannot_be_gone_on_with(shipped: Classifier, interrupted: tuple[str, Path, bytes]) -> None:
    source, target, whole = interrupted
    with pytest.raises(InputError, match="another model, --prior or"):
        run(Classifier(replace(shipped.model, id="other-model")), source, target, resume=True)
    with pytest.raises(InputError, match="another option"):
        run(shipped, source, target, Options(redact=True), resume=True)
    before = Path(source).read_bytes()
    Path(source).write_bytes(before + "1,多了一行\n".encode())
    with pytest.raises(InputError, match="has changed"):
        run(shipped, source, target, resume=True)
    Path(source).write_bytes(before)
    run(shipped, source, target, resume=True)
    assert target.read_bytes() == whole


def test_what_was_tampered_with_cannot_be_gone_on_with(shipped: Classifier, interrupted: tuple[str, Path, bytes]) -> None:
    source, target, whole = interrupted
    part, checkpoint = Path(f"{target}.part"), Path(f"{target}.checkpoint")
    kept, noted = part.read_bytes(), checkpoint.read_bytes()
    part.write_bytes(kept[:100])
    with pytest.raises(InputError, match="shorter than its checkpoint says"):
        run(shipped, source, target, resume=True)
    assert checkpoint.read_bytes() == noted
    part.write_bytes(kept)
    for damage in (b"", b"{", b"[]", b"{}", noted[:-20]):
        checkpoint.write_bytes(damage)
        with pytest.raises(InputError, match="--force starts over"):
            run(shipped, source, target, resume=True)
    checkpoint.write_bytes(noted)
    part.write_bytes(kept + b"a torn line")
    run(shipped, source, target, resume=True)
    assert target.read_bytes() == whole


def test_resume_begins_where_there_is_nothing_to_go_on_with(shipped: Classifier, tmp_path: Path) -> None:
    source = make(tmp_path / "in.csv", [SCAM])
    run(shipped, source, tmp_path / "out.csv", resume=True)
    assert rows_of(tmp_path / "out.csv")[0]["scam_verdict"] == "impersonation"
    with pytest.raises(InputError, match="pipe"):
        run(shipped, source, "-", resume=True)


def test_an_interrupted_pipe_leaves_nothing(shipped: Classifier, texts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunk_room, "CHUNK", 32)
    source = make(tmp_path / "in.csv", texts[:200])
    with open(source) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(KeyboardInterrupt):
            run(shipped, "-", tmp_path / "out.csv", progress=Stopping(2))
    assert files(tmp_path) == ["in.csv"]


def test_several_inputs_go_on_with_the_one_that_was_in_work(
    shipped: Classifier, texts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_room, "CHUNK", 32)
    inputs = [make(tmp_path / f"{name}.csv", texts[k : k + 100]) for k, name in enumerate("abc")]
    whole = run(shipped, inputs, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(shipped, inputs, tmp_path / "out", progress=Stopping(6))
    assert files(tmp_path / "out") == ["a.csv", "b.csv.part", "scamcall.checkpoint"]
    resumed = run(shipped, inputs, tmp_path / "out", resume=True)
    assert resumed.state() == whole.state()
    for name in "abc":
        assert (tmp_path / "out" / f"{name}.csv").read_bytes() == (tmp_path / "whole" / f"{name}.csv").read_bytes()
    assert files(tmp_path / "out") == ["a.csv", "b.csv", "c.csv"]


def test_a_place_that_cannot_be_written_is_one_line(shipped: Classifier, tmp_path: Path) -> None:
    source = make(tmp_path / "in.csv", [SCAM])
    with pytest.raises(OutputError, match=r"out\.csv"):
        run(shipped, source, tmp_path / "none" / "out.csv")


def test_outputs_are_for_their_owner_alone(shipped: Classifier, tmp_path: Path) -> None:
    source = make(tmp_path / "in.csv", [SCAM])
    for name in ("out.csv", "out.xlsx"):
        run(shipped, source, tmp_path / name)
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_progress_is_told_of_every_row_and_how_many_there_will_be(
    shipped: Classifier, texts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_room, "CHUNK", 50)

    class Counting:
        total: float | None = None
        rows = 0

        def update(self, rows: int) -> None:
            self.rows += rows

    progress = Counting()
    run(shipped, make(tmp_path / "in.csv", texts), tmp_path / "out.csv", progress=progress)
    assert progress.rows == len(texts)
    assert progress.total == pytest.approx(len(texts), rel=0.1)
