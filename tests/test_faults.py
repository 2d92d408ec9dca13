"""Faults of the machine: calls that fail, processes that are killed, signals, disks that are full, places that cannot be written.
docs/faults.md lists the cases; fault_sweep.py and signal_sweep.py go through more of them by hand."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

SCAM = "我是小红书客服，您买的面膜质检不合格，给您双倍赔付，请加我微信，把验证码发给我，转到安全账户"
FINE = "您的快递已到菜鸟驿站，取件码5-2-1033，请及时领取"
HERE = Path(__file__).parent
FORMATS = ("csv", "jsonl", "xlsx", "parquet")
posix = pytest.mark.skipif(os.name != "posix", reason="limits and permissions of POSIX")


def by_hand(script: str, *arguments: str) -> str:
    """What a sweep prints, which must have found nothing wrong."""
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    done = subprocess.run([sys.executable, str(HERE / script), *arguments], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@posix
@pytest.mark.parametrize(
    ("ways", "kinds", "least"),
    [
        ("csv", "EIO|EIO for good|ENOSPC|ENOSPC for good|killed before|killed after|torn", 250),
        ("several-csv over-csv resumed-csv", "EIO|ENOSPC for good|killed after|torn", 300),
        ("jsonl xlsx parquet", "EIO|killed before", 150),
    ],
)
def test_whatever_fails_outputs_are_absent_or_whole_and_can_be_gone_on_with(ways: str, kinds: str, least: int) -> None:
    said = by_hand("fault_sweep.py", *ways.split(), "--rows", "40", "--kinds", *kinds.split("|"))
    points = re.search(r"(\d+) points swept", said)
    assert points
    assert int(points[1]) > least


@posix
def test_whenever_a_run_is_interrupted_it_can_be_gone_on_with() -> None:
    said = by_hand("signal_sweep.py", "--points", "8", "--within", "60")  # how long it takes is looked at by hand, on a quiet machine
    assert "0 wrong" in said


def command(arguments: Sequence[str | Path], **more: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "classifier", *map(str, arguments)], capture_output=True, text=True, check=False, **more)


def source(path: Path, rows: int = 300) -> Path:
    path.write_text("".join(json.dumps({"n": k, "text": (SCAM, FINE)[k % 2]}, ensure_ascii=False) + "\n" for k in range(rows)), encoding="utf-8")
    return path


@posix
@pytest.mark.parametrize("ending", FORMATS)
def test_a_disk_that_is_full_is_exit_code_5_and_can_be_gone_on_from(ending: str, tmp_path: Path) -> None:
    """No file may grow beyond a limit: what a full disk does, also to what the libraries of workbooks and Parquet write by themselves."""
    import resource

    path, target = source(tmp_path / "in.jsonl"), tmp_path / f"out.{ending}"
    assert command(["label", path, "-o", tmp_path / f"whole.{ending}"]).returncode == 0
    whole = (tmp_path / f"whole.{ending}").read_bytes()
    for limit in (0, 1000, len(whole) - 1):
        done = command(["label", path, "-o", target], preexec_fn=lambda n=limit: resource.setrlimit(resource.RLIMIT_FSIZE, (n, n)))  # type: ignore[misc]
        assert done.returncode == 5, (limit, done.stderr)
        assert done.stderr.count("\n") == 1
        assert str(target) in done.stderr
        assert "--resume" in done.stderr
        assert not target.exists()
    assert command(["label", path, "-o", target, "--resume"]).returncode == 0
    assert target.read_bytes() == whole
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["in.jsonl", target.name, f"whole.{ending}"])


def powerless() -> list[str]:
    """What makes a command obey permissions, whoever runs the tests."""
    if os.geteuid():
        return []
    if not shutil.which("setpriv"):
        pytest.skip("root writes everywhere")
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner"]


@posix
def test_a_directory_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    path = source(tmp_path / "in.jsonl")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    label = [*powerless(), sys.executable, "-m", "classifier", "label", str(path), "-o"]
    for target in ("out.csv", "out.xlsx", "dir/", "dir/ --report r.html"):
        words = [*label, *(word if word.startswith("-") else f"{closed}/{word}" for word in target.split())]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 5, done.stderr
        assert done.stderr.count("\n") == 1
        assert "Permission denied" in done.stderr
    assert list(closed.iterdir()) == []


@posix
@pytest.mark.parametrize("ending", FORMATS)
def test_nothing_but_the_outputs_place_needs_to_be_writable(ending: str, tmp_path: Path) -> None:
    """No home, no place for temporary files, a working directory that cannot be written; the input's neither."""
    closed = tmp_path / "closed"
    closed.mkdir()
    source(closed / "in.jsonl")
    closed.chmod(0o555)
    (tmp_path / "open").mkdir()
    environment = {k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")}
    environment |= {"TMPDIR": str(closed), "TMP": str(closed), "TEMP": str(closed), "PYTHONPATH": str(HERE.parent)}
    words = [*powerless(), sys.executable, "-m", "classifier", "label", "in.jsonl", "-o", str(tmp_path / "open" / f"out.{ending}"), "--jobs", "2"]
    for home in ({}, {"HOME": "/nonexistent"}, {"HOME": str(closed)}):
        done = subprocess.run([*words, "--force"], cwd=closed, env=environment | home, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "300 rows: 150 impersonation, 150 legit; 0 rejected\n")
        assert [p.name for p in (tmp_path / "open").iterdir()] == [f"out.{ending}"]


def test_a_workbook_that_is_read_needs_no_place_of_its_own(tmp_path: Path) -> None:
    path = HERE / "readers" / "samples" / "sheet-xlsx" / "input.xlsx"
    done = command(["label", path, "-o", tmp_path / "out.csv"], env={**os.environ, "TMPDIR": "/nonexistent", "PYTHONPATH": str(HERE.parent)})
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)


# Inputs that are cut, grow, or are changed


def test_an_input_without_a_last_newline_is_read_whole_and_a_torn_last_line_is_rejected(tmp_path: Path) -> None:
    path = source(tmp_path / "in.jsonl", 10)
    data = path.read_bytes()
    for cut, code, rows in ((1, 0, 10), (9, 1, 10)):
        path.write_bytes(data[:-cut])
        done = command(["label", path, "-o", tmp_path / "out.jsonl", "--force"])
        assert done.returncode == code
        assert len((tmp_path / "out.jsonl").read_text("utf-8").splitlines()) == rows
    assert "row 10: not JSON" in done.stderr


@posix
@pytest.mark.parametrize("change", ["grows", "is edited", "is cut", "is another file"])
def test_an_input_that_changed_is_not_gone_on_with(change: str, tmp_path: Path) -> None:
    import resource

    path, target = source(tmp_path / "in.jsonl", 40_000), tmp_path / "out.csv"
    limit = 7_400_000  # of eight million, past a checkpoint
    done = command(["label", path, "-o", target], preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert done.returncode == 5
    assert (tmp_path / "out.csv.checkpoint").exists()
    kept = {p.name: p.read_bytes() for p in tmp_path.iterdir() if p != path}
    data = path.read_bytes()
    changed = {"grows": data + data[:200], "is edited": data.replace(b"5", b"6", 1), "is cut": data[:-200], "is another file": b'{"text": "x"}\n'}
    path.write_bytes(changed[change])
    done = command(["label", path, "-o", target, "--resume"])
    assert done.returncode == 2
    assert "has changed since the run was interrupted; --force starts over" in done.stderr
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir() if p != path} == kept
    path.write_bytes(data)
    assert command(["label", path, "-o", target, "--resume"]).returncode == 0
    assert len(target.read_text("utf-8-sig").splitlines()) == 40_001


@posix
def test_head_is_quiet(tmp_path: Path) -> None:
    path = source(tmp_path / "in.jsonl", 20_000)
    for jobs in ("1", "2"):
        words = f'"{sys.executable}" -m classifier label "{path}" -o - --jobs {jobs} | head -n 1'
        done = subprocess.run(["sh", "-c", words], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.count("\n") == 1


@posix
@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_streams_that_the_shell_closed_cost_nothing(closed: str, tmp_path: Path) -> None:
    path = source(tmp_path / "in.jsonl")
    for jobs in ("1", "2"):
        words = f'"{sys.executable}" -m classifier label "{path}" -o "{tmp_path}/out.csv" --force --jobs {jobs} {closed}'
        done = subprocess.run(["sh", "-c", words], capture_output=True, text=True, check=False)
        assert done.returncode == 0
        assert len((tmp_path / "out.csv").read_text("utf-8-sig").splitlines()) == 301


@posix
@pytest.mark.parametrize(("words", "code"), [("label - -o out.csv <&-", 2), ("label in.jsonl -o - >&-", 5), ("inspect - <&-", 2)])
def test_streams_that_are_needed_and_closed_are_one_line(words: str, code: int, tmp_path: Path) -> None:
    source(tmp_path / "in.jsonl")
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    done = subprocess.run(["sh", "-c", f'"{sys.executable}" -m classifier {words}'], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == code
    assert done.stderr.count("\n") == 1
    assert "is closed" in done.stderr


@posix
def test_a_disk_too_full_for_the_message_does_not_change_the_exit_code(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    path = source(tmp_path / "in.jsonl")
    for output, code in (("out.csv", 0), ("none/out.csv", 5), ("in.jsonl", 2)):
        with open("/dev/full", "wb") as full:
            words = [sys.executable, "-m", "classifier", "label", str(path), "-o", str(tmp_path / output)]
            assert subprocess.run(words, stderr=full, check=False).returncode == code
