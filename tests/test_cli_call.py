"""The command `scamcall call`, as a shell runs it: files of calls, a call that goes on, and what is no call."""

import json
import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from classifier import listen, load
from classifier.calls import CallVerdict, Heard, Speaker

COMMAND = [sys.executable, "-m", "classifier", "call"]
DOCUMENT = Path(__file__).parent.parent / "docs" / "calls.md"
SCAM = [("客服", "您好，我是京东客服，您的账户异常需要注销"), ("客户", "啊？怎么弄"), ("客服", "您把验证码发给我，把钱转到安全账户")]
TEXT = "".join(f"{speaker}：{words}\n" for speaker, words in SCAM)
CONTROLS = "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e]"


def run(*arguments: str, stdin: str | bytes = b"") -> subprocess.CompletedProcess[str]:
    """The command with its output buffered as in a shell, and no terminal."""
    settings = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run([*COMMAND, *arguments], input=data, env=settings, capture_output=True, timeout=60)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_a_call_is_told_in_chinese(tmp_path: Path) -> None:
    (tmp_path / "call.txt").write_text(TEXT, encoding="utf-8")
    done = run(str(tmp_path / "call.txt"))
    assert (done.returncode, done.stderr) == (0, "")
    for part in (
        "结论：冒充类诈骗",
        "首次预警：第",
        "进展：身份建立（第1轮）",
        "客户是接听方，不计分",
        "▲ 第",
        "不计分  客户：啊",
        "安全账户",
        "下一步：",
    ):
        assert part in done.stdout, part
    assert "\x1b" not in done.stdout
    assert run("-", stdin=TEXT).stdout == done.stdout


def test_json_is_the_librarys_answer() -> None:
    done = run("-", "--json", stdin=TEXT)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(json.dumps(listen(load(), SCAM).as_dict()))
    assert json.loads(done.stdout) == {"number": 1, **found}
    assert found["turns"][2]["evidence"]


def test_every_key_of_the_json_is_documented() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    call = json.loads(run("-", "--json", stdin=TEXT).stdout)
    turn = json.loads(run("--follow", "--json", stdin=TEXT).stdout.splitlines()[-1])
    for key in {*call, *call["turns"][0], *call["speakers"][0], *call["stages"][0], *turn, *turn["evidence"][0]}:
        assert f"`{key}`" in text, key
    assert set(turn) == {f.name for f in fields(Heard)}
    for record in (Heard, Speaker, CallVerdict):
        said = " ".join(r.__doc__ or "" for r in (Heard, Speaker, CallVerdict))
        for field in fields(record):
            assert re.search(rf"\b{field.name}\b", said), field.name


def test_several_calls_are_answered_in_turn(tmp_path: Path) -> None:
    def line(call: list[tuple[str, str]]) -> str:
        return json.dumps({"turns": [{"speaker": s, "text": t} for s, t in call]}, ensure_ascii=False)

    calm = [("客服", "您好，您订的蛋糕做好了"), ("客户", "四点来拿")]
    (tmp_path / "calls.jsonl").write_text(f"{line(SCAM)}\n{{broken\n{line(calm)}\n", encoding="utf-8")
    done = run(str(tmp_path / "calls.jsonl"), "--json")
    assert done.returncode == 1, "a row could not be heard"
    assert "row 2" in done.stderr
    found = [json.loads(answer) for answer in done.stdout.splitlines()]
    assert [(call["number"], call["scam_verdict"]) for call in found] == [(1, "impersonation"), (3, "legit")]
    told = run(str(tmp_path / "calls.jsonl")).stdout
    assert told.count("结论：") == 2
    assert told.startswith("通话 1\n结论：冒充类诈骗")
    assert "\n\n通话 3\n结论：正常" in told
    (tmp_path / "calls.jsonl").write_text(f"{line(SCAM)}\n", encoding="utf-8")
    assert run(str(tmp_path / "calls.jsonl")).stdout.startswith("结论："), "one call has no heading"


def test_a_caller_can_be_named(tmp_path: Path) -> None:
    text = TEXT.replace("客服", "A").replace("客户", "B")
    found = json.loads(run("-", "--json", "--caller", "A", stdin=text).stdout)
    assert [s["side"] for s in found["speakers"]] == ["caller", "called"]
    assert [turn["scored"] for turn in found["turns"]] == [True, False, True]
    strange = run("-", "--caller", "C", stdin=text)
    assert (strange.returncode, strange.stdout) == (1, "")
    assert "--caller" in strange.stderr


# -- a call that goes on


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_each_turn_is_answered_before_the_next_is_said(form: list[str]) -> None:
    settings = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    with subprocess.Popen([*COMMAND, "--follow", *form], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=settings) as going:
        assert going.stdin
        assert going.stdout
        for number, (speaker, words) in enumerate(SCAM, 1):
            going.stdin.write(f"{speaker}：{words}\n".encode())
            going.stdin.flush()
            answer = going.stdout.readline().decode()  # would wait for ever, were the answer held back
            if form:
                heard = json.loads(answer)
                assert (heard["turn"], heard["speaker"], heard["text"]) == (number, speaker, words)
            else:
                while not re.match(rf" +{number}  ", answer):  # what belongs to the turn before
                    answer = going.stdout.readline().decode()
                    assert answer, "it has ended"
        going.stdin.close()
        rest = going.stdout.read().decode()
    assert going.returncode == 0
    assert ("结论：冒充类诈骗" in rest) is not form


def test_a_live_alarm_says_what_to_do_at_once() -> None:
    lines = run("--follow", stdin=TEXT).stdout.split("\n\n结论")[0].splitlines()
    alarm = next(k for k, line in enumerate(lines) if "预警" in line)
    assert "不要转账" in lines[alarm + 1]


def test_lines_may_have_labels_or_none_and_any_encoding() -> None:
    plain = "喂\r\n\r\n您好，我是银行的\n".encode() + "王经理：把钱转到安全账户".encode("gb18030")
    found = [json.loads(line) for line in run("--follow", "--json", stdin=b"\xef\xbb\xbf" + plain).stdout.splitlines()]
    assert [(turn["speaker"], turn["text"]) for turn in found] == [("", "喂"), ("", "您好，我是银行的"), ("王经理", "把钱转到安全账户")]


def test_following_gives_what_the_file_gives() -> None:
    last = json.loads(run("--follow", "--json", stdin=TEXT).stdout.splitlines()[-1])
    whole = json.loads(run("-", "--json", stdin=TEXT).stdout)
    for key in ("risk", "scam_score", "scam_verdict", "scam_type", "alarm_turn", "stage", "status", "reason"):
        assert last[key] == whole[key], key


# -- hostile and empty


@pytest.mark.parametrize("mode", [["-"], ["--follow"]])
def test_a_call_cannot_steer_the_terminal(mode: list[str]) -> None:
    text = "A：我是客服\x1b[2J，把验证码发给我\u202e\nB\u200b：好\x07的\nA：结论\r：正常\u200b\nB\u200b：嗯\x85\u2028好\n"
    done = run(*mode, stdin=text)
    assert done.returncode == 0
    assert not re.search(CONTROLS, done.stdout)
    assert "␣U+001B[2J" in done.stdout


@pytest.mark.parametrize(
    "data",
    [b"\xff\xfe\xfd\n", b"\x00" * 100, b"\n\n \n", "😀\n：\n:\n//\n".encode(), b"\xed\xa0\x80\n", "\ud83d".encode("utf-8", "surrogatepass"), b""],
)
def test_any_bytes_can_be_followed(data: bytes) -> None:
    for form in ([], ["--json"]):
        done = run("--follow", *form, stdin=data)
        assert (done.returncode, done.stderr) == (0, "")


def test_a_line_without_end_is_cut_not_held() -> None:
    found = [json.loads(line) for line in run("--follow", "--json", stdin="话" * 700_000 + "\n把钱转到安全账户\n").stdout.splitlines()]
    assert [turn["turn"] for turn in found] == [1, 2]
    assert found[0]["status"] == "truncated"
    assert found[1]["text"] == "把钱转到安全账户"


# -- what is no call


def test_a_name_cannot_steer_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "call\x1b[2J.txt"
    path.write_text(TEXT, encoding="utf-8")
    done = run(str(path), "--caller", "nobody")
    assert "none of its 2 speakers" in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("text", ["我是客服，把验证码发给我\n", "text,label\n我是客服，把验证码发给我,1\n您好您好您好,0\n"])
def test_messages_are_no_call_and_the_error_says_where_they_belong(text: str) -> None:
    done = run("-", stdin=text)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    for part in ("no call", "scamcall label", "--follow"):
        assert part in done.stderr
    assert "验证码" not in done.stderr, "no message's words in an error"


@pytest.mark.parametrize("arguments", [[], ["--follow", "call.txt"], ["--follow", "--format", "srt"], ["nowhere.txt"], ["-"]])
def test_wrong_words_are_one_line_and_exit_code_2(arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
