"""The command that labels: exit codes, pipes, signals, workers that die."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from labelling import FINE, SCAM, files, make

from classifier.cli import main


def command(arguments: list[str], **more: Any) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([sys.executable, "-m", "classifier", *arguments], stderr=subprocess.PIPE, check=False, **more)


@pytest.mark.parametrize(
    ("texts_in", "more", "code"),
    [
        ([FINE], [], 0),
        ([SCAM], [], 0),
        ([SCAM], ["--fail-on", "impersonation"], 1),
        ([FINE], ["--fail-on", "impersonation,other_fraud"], 0),
        ([SCAM], ["--fail-on", "impersonation", "--only", "unsure"], 1),
    ],
)
def test_exit_codes_for_scripts(texts_in: list[str], more: list[str], code: int, tmp_path: Path) -> None:
    assert main(["label", make(tmp_path / "in.csv", texts_in), "-o", str(tmp_path / "out.csv"), *more]) == code


@pytest.mark.parametrize(
    "more", [["--only", "scam"], ["--fail-on", ""], ["--jobs", "0"], ["--jobs", "x"], ["--format", "nonsense"], ["--encoding", "big6"]]
)
def test_words_that_mean_nothing_are_usage_errors(more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["label", make(tmp_path / "in.csv", [FINE]), "-o", str(tmp_path / "out.csv"), *more]
    if more[0] in ("--format", "--encoding"):
        assert main(arguments) == 2
    else:
        with pytest.raises(SystemExit) as e:
            main(arguments)
        assert e.value.code == 2
    assert more[1] in capsys.readouterr().err
    assert files(tmp_path) == ["in.csv"]


def test_errors_and_summaries_hold_no_text_of_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.jsonl").write_text(f'{{"text": "{SCAM}"}}\n{{"text": "机密{SCAM}\n{{"text": ["机密"]}}\n', encoding="utf-8")
    assert main(["label", str(tmp_path / "in.jsonl"), "-o", str(tmp_path / "out.csv")]) == 1
    err = capsys.readouterr().err
    assert "3 rows: 1 impersonation; 2 rejected" in err
    assert "机密" not in err
    assert SCAM[:6] not in err


def test_pipes(tmp_path: Path) -> None:
    source = Path(make(tmp_path / "in.csv", [SCAM, FINE]))
    done = command(["label", "-", "-o", "-"], input=source.read_bytes(), stdout=subprocess.PIPE)
    assert done.returncode == 0
    assert main(["label", str(source), "-o", str(tmp_path / "out.csv")]) == 0
    assert done.stdout == (tmp_path / "out.csv").read_bytes()
    done = command(["label", "-", "-o", str(tmp_path / "other.csv")], input=source.read_bytes())
    assert done.returncode == 0
    assert (tmp_path / "other.csv").read_bytes() == (tmp_path / "out.csv").read_bytes()
    assert files(tmp_path) == ["in.csv", "other.csv", "out.csv"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")
@pytest.mark.parametrize("command_line", [["inspect"], ["label", "-o", "out.csv"], ["label", "-o", "-"], ["label", "-o", "out.jsonl", "--jobs", "2"]])
def test_a_pipe_by_its_name_is_read_as_standard_input_is(command_line: list[str], tmp_path: Path) -> None:
    source = Path(make(tmp_path / "in.csv", [FINE, SCAM] * 9000))
    os.mkfifo(tmp_path / "pipe")
    found = []
    for name in ("-", "pipe"):
        writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(source.read_bytes()), daemon=True)
        if name == "pipe":
            writer.start()
        done = command([command_line[0], name, *command_line[1:]], cwd=tmp_path, stdout=subprocess.PIPE, input=source.read_bytes())
        outputs = sorted(tmp_path.glob("out.*"))
        found.append((done.returncode, done.stdout, done.stderr.splitlines()[-1:], [(path.name, path.read_bytes()) for path in outputs]))
        for path in outputs:
            path.unlink()
    assert found[0] == found[1]
    assert found[0][0] == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")
def test_what_a_pipe_by_its_name_cannot_be_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    arguments = ["label", str(tmp_path / "pipe"), "-o", str(tmp_path / "out.csv"), "--resume"]
    assert main(arguments) == 2
    assert "a pipe cannot be gone on with" in capsys.readouterr().err
    assert main(["label", str(tmp_path / "pipe"), make(tmp_path / "in.csv", [FINE]), "-o", str(tmp_path / "out")]) == 2
    assert "a pipe cannot be one of several inputs" in capsys.readouterr().err


@pytest.mark.parametrize("output", ["out.csv", "-"])
def test_a_directory_as_an_input_is_answered_with_what_to_name(output: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "exports").mkdir()
    assert main(["label", str(tmp_path / "exports"), "-o", output if output == "-" else str(tmp_path / output)]) == 2
    assert capsys.readouterr().err == f"scamcall: {tmp_path / 'exports'}: is a directory; name a file in it\n"


def test_a_reader_that_goes_away_is_no_error_to_speak_of(texts: list[str], tmp_path: Path) -> None:
    source = make(tmp_path / "in.csv", texts * 8)
    with subprocess.Popen([sys.executable, "-m", "classifier", "label", source, "-o", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout
        assert child.stderr
        child.stdout.readline()
        child.stdout.close()
        assert child.wait() == 128 + signal.SIGPIPE
        assert child.stderr.read() == b""


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_that_can_be_gone_on_with(number: signal.Signals, code: int, jobs: str, texts: list[str], tmp_path: Path) -> None:
    source, target = make(tmp_path / "in.csv", texts * 15), tmp_path / "out.csv"
    arguments = [sys.executable, "-m", "classifier", "label", source, "-o", str(target), "--jobs", jobs]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE) as child:
        while not (part := Path(f"{target}.part")).exists() or part.stat().st_size == 0:
            assert child.poll() is None
        child.send_signal(number)
        child.send_signal(number)  # an impatient user does not make it worse
        assert child.stderr
        errors = child.stderr.read()
        assert child.wait() == code
    assert b"Traceback" not in errors
    assert files(tmp_path) in (["in.csv", "out.csv.checkpoint", "out.csv.part"], ["in.csv", "out.csv.part"])
    assert command(["label", source, "-o", str(target), "--resume"]).returncode == 0
    assert command(["label", source, "-o", str(tmp_path / "whole.csv")]).returncode == 0
    assert target.read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_worker_that_is_killed_costs_no_row(texts: list[str], tmp_path: Path) -> None:
    tasks = Path("/proc/self/task")
    if not tasks.exists():
        pytest.skip("children are found in /proc")
    source = make(tmp_path / "in.csv", texts * 20)
    arguments = [sys.executable, "-m", "classifier", "label", source, "-o", str(tmp_path / "out.csv"), "--jobs", "2"]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE) as child:
        workers: list[int] = []
        while not workers or not (tmp_path / "out.csv.part").exists() or (tmp_path / "out.csv.part").stat().st_size == 0:
            assert child.poll() is None
            children = [c for task in Path(f"/proc/{child.pid}/task").glob("*/children") for c in task.read_text().split()]
            workers = [int(c) for c in children if b"classifier.pool" in Path(f"/proc/{c}/cmdline").read_bytes()]
        os.kill(workers[0], signal.SIGKILL)
        assert child.wait() == 0
    assert main(["label", source, "-o", str(tmp_path / "whole.csv")]) == 0
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_disk_without_room_is_an_error_that_can_be_gone_on_from(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    source = make(tmp_path / "in.csv", [SCAM])
    done = command(["label", source, "-o", "-"], stdout=open("/dev/full", "wb"))  # noqa: SIM115 the child's
    assert done.returncode == 5
    assert b"No space left" in done.stderr
