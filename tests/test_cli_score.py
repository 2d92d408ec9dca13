"""The command `scamcall score`, as a shell runs it: what comes out, where, and with which exit code."""

import json
import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from classifier import Evidence, Verdict, load
from classifier.records import TYPE_NAMES, VERDICT_NAMES
from classifier.render import terminal

SCAM = "我是客服，把验证码发给我，我帮您办理退款"
COMMAND = [sys.executable, "-m", "classifier"]
README = Path(__file__).parent.parent / "README.md"


def run(*arguments: str, stdin: str | bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
    """The command with its output buffered as in a shell, and no terminal."""
    settings = {**{k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}, **environment}
    data = stdin.encode("utf-8", "surrogateescape") if isinstance(stdin, str) else stdin
    done = subprocess.run([*COMMAND, *arguments], input=data, env=settings, capture_output=True, timeout=60)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_a_message_is_told_in_chinese() -> None:
    done = run("score", SCAM)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == terminal(SCAM, load().score(SCAM), colour=False) + "\n"
    assert VERDICT_NAMES["impersonation"] in done.stdout
    assert TYPE_NAMES["ecommerce"] in done.stdout or TYPE_NAMES["institution"] in done.stdout
    assert "\x1b" not in done.stdout


def test_json_is_the_librarys_verdict() -> None:
    done = run("score", SCAM, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1
    assert json.loads(done.stdout) == json.loads(json.dumps(load().score(SCAM).as_dict()))


@pytest.mark.parametrize("record", [Verdict, Evidence])
def test_every_key_of_the_json_is_documented(record: type) -> None:
    found = json.loads(run("score", SCAM, "--json").stdout)
    keys = set(found if record is Verdict else found["evidence"][0])
    assert keys == {f.name for f in fields(record)}
    readme = README.read_text(encoding="utf-8")
    for key in keys:
        assert re.search(rf"(?m)^ *{key} |`{key}`", record.__doc__ or ""), f"{key} in the record's docstring"
        assert f"`{key}`" in readme, f"{key} in the README"


@pytest.mark.parametrize("arguments", [["score", "-"], ["score"]])
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_message_from_standard_input(arguments: list[str], end: str) -> None:
    done = run(*arguments, "--json", stdin=SCAM + end)
    assert done.returncode == 0
    assert done.stderr == "", "no invitation where nobody sits at a terminal"
    assert json.loads(done.stdout) == json.loads(run("score", SCAM, "--json").stdout)


def test_lines_stay_lines() -> None:
    done = run("score", "-", stdin="A：喂\nB：我是客服，把验证码发给我\n")
    assert "A：喂\nB：我是" in done.stdout.replace("〔", "").replace("〕", "")


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-16-le", "utf-8-sig"])
def test_a_message_is_decoded_as_files_are(encoding: str) -> None:
    assert run("score", "-", stdin=f"{SCAM}\r\n".encode(encoding)).stdout == run("score", SCAM).stdout


def test_a_message_cut_within_a_character_is_read_without_it() -> None:
    found = json.loads(run("score", "-", "--json", stdin=SCAM.encode()[:-1]).stdout)
    assert (found["scam_verdict"], found["status"]) == ("impersonation", "repaired")


def test_a_long_message_is_read_to_where_scoring_stops() -> None:
    text = f"{SCAM}\n{'好的。' * 200_000}"
    found = json.loads(run("score", "-", "--json", stdin=text).stdout)
    assert found["status"] == "truncated"
    assert "索要验证码" in found["tactics"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (bytes(range(256)) * 40, "in no known encoding"),
        (b"PK\x03\x04" + bytes(2000), "zip file and no message"),
        (b"SQLite format 3\0" + bytes(2000), "sqlite file and no message"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, said: str) -> None:
    done = run("score", "-", stdin=data)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("scamcall: standard input: ")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("data", [b"\xff\xfe\xfd", b"\x00" * 100, b"", b"\n\n", "😀".encode(), SCAM.encode("gb18030")])
def test_any_text_are_answered(data: bytes) -> None:
    for arguments in (["--json"], []):
        done = run("score", "-", *arguments, stdin=data)
        assert (done.returncode, done.stderr) == (0, "")


def test_what_is_not_chinese_is_unsure_and_says_so() -> None:
    assert "没有中文" in run("score", "hello, this is your bank").stdout
    assert json.loads(run("score", "hello, this is your bank", "--json").stdout)["scam_verdict"] == "unsure"


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "gbk"}, {"PYTHONUTF8": "0", "LANG": "zh_CN.GB18030"}])
def test_the_output_is_utf_8_whatever_the_locale(locale: dict[str, str]) -> None:
    done = run("score", f"{SCAM}\u200b", **locale)
    assert (done.returncode, done.stderr) == (0, "")
    assert "结论" in done.stdout


def test_a_message_cannot_steer_the_terminal() -> None:
    done = run("score", f"{SCAM}\x1b[2J\r结论：正常\u202e")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", done.stdout)


@pytest.mark.parametrize("arguments", [[], ["score", "a", "b"], ["score", "--nonsense"], ["nonsense"]])
def test_wrong_words_are_a_usage_error(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "usage: scamcall" in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["score", "--help"], ["--version"]])
def test_help(arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert "scamcall" in done.stdout


def test_no_model_is_one_line_and_exit_code_4(models: Path) -> None:
    models.mkdir()
    (models / "CURRENT").write_text("v0001-gone\n")
    done = run("score", SCAM, SCAMCALL_MODELS=str(models))
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("scamcall: no model v0001-gone")
    assert len(done.stderr.splitlines()) == 1
    assert SCAM not in done.stderr


def test_a_chosen_model_that_is_gone_is_said_beside_those_there_are(models: Path) -> None:
    models.mkdir()
    (models / "CURRENT").write_text("v0001-abc\n")
    done = run("models", SCAMCALL_MODELS=str(models))
    assert done.returncode == 4
    assert "base-" in done.stdout
    assert "no model v0001-abc" in done.stderr


def test_a_damaged_model_is_one_line_and_exit_code_4(models: Path, small_model: Path) -> None:
    (models / "v0001-bad").mkdir(parents=True)
    for path in small_model.iterdir():
        (models / "v0001-bad" / path.name).write_bytes(path.read_bytes()[:-1])
    (models / "CURRENT").write_text("v0001-bad\n")
    done = run("score", SCAM, SCAMCALL_MODELS=str(models))
    assert (done.returncode, done.stdout) == (4, "")
    assert len(done.stderr.splitlines()) == 1


posix = pytest.mark.skipif(os.name == "nt", reason="of POSIX shells")


@posix
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_pipe_closed_early_is_no_error(unbuffered: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run([*COMMAND, "score", SCAM], stdout=writing, stderr=subprocess.PIPE, env=environment, timeout=60)
    os.close(writing)
    assert (done.returncode, done.stderr) == (128 + 13, b"")


@posix
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_one_line_and_exit_code_5(unbuffered: str) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*COMMAND, "score", SCAM, "--json"], stdout=full, stderr=subprocess.PIPE, env=environment, timeout=60)
    assert done.returncode == 5
    assert done.stderr.decode().splitlines() == ["scamcall: standard output: No space left on device"]


@posix
@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-"])
def test_streams_closed_by_the_shell_are_no_error(closed: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m classifier score - {closed}', sys.executable], capture_output=True, timeout=60, stdin=subprocess.DEVNULL
    )
    assert (done.returncode, done.stderr) == (0, b"")
