"""`inspect`: what a file is, with nothing scored and nobody shown."""

import re
from pathlib import Path

import pytest
from readers.golden import SAMPLES

from classifier.cli import main
from classifier.readers import open_source
from classifier.readers.inspection import inspect


def test_every_record_is_counted_once() -> None:
    for sample in SAMPLES.values():
        found = inspect(open_source(str(sample)))
        assert found.rows == found.scored + found.rejected + found.skipped.total()


def test_what_is_not_scored_is_called_as_everywhere(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("内容,类型\n您好,接收\n再见,发送\n再见,草稿\n,接收\n")
    assert "可标注 1，自己发出的 1，草稿 1，没有内容 1，无法读取 0" in str(inspect(open_source(str(tmp_path / "x"))))


def test_samples_are_masked_and_short(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("内容\n您的手机13812345678收到验证码123456，" + "长" * 100 + "\n")
    (sample,) = inspect(open_source(str(tmp_path / "x"))).samples
    assert "13812345678" not in sample
    assert "123456" not in sample
    assert len(sample) <= 61


def test_the_command_tells_what_was_taken_for_what(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(SAMPLES["csv"])]) == 1
    out = capsys.readouterr().out
    assert "正文=短信内容" in out
    assert "未见过真实样本" not in out
    assert main(["inspect", str(SAMPLES["sms-backup"])]) == 0
    assert "未见过真实样本" in capsys.readouterr().out


def test_the_command_takes_a_format_and_refuses_an_unknown_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(SAMPLES["transcript"]), "--format", "text"]) == 0
    assert "text：" in capsys.readouterr().out
    assert main(["inspect", str(SAMPLES["transcript"]), "--format", "nothing"]) == 2
    assert "no format; one of" in capsys.readouterr().err


def test_the_command_takes_an_encoding_and_refuses_an_unknown_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").write_bytes("您嘅戶口出咗問題，請撳下面條連結\n".encode("big5hkscs"))
    assert main(["inspect", str(tmp_path / "x"), "--encoding", "Big5-HKSCS"]) == 0
    out = capsys.readouterr().out
    assert "編碼　　big5hkscs" in out or "编码　　big5hkscs" in out
    assert "您嘅戶口出咗問題" in out
    assert main(["inspect", str(tmp_path / "x"), "--encoding", "big6"]) == 2
    assert capsys.readouterr().err == "scamcall: 'big6': no encoding that is read here; say one like utf-8, gb18030, big5hkscs or utf-16\n"


def test_no_message_can_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").write_text("您好\x1b[2J请点链接\n")
    assert main(["inspect", str(tmp_path / "x")]) == 0
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("1,您好我是客服\n2,请点这个链接\n", "没有名为正文的列，取了中文最多的一列：column2（--text-column 可另行指定）"),
        ("内容,号码\n您好\n", "第 2 行　这一行有 1 列，首行有 2 列"),
        ("内容,手机号\n您好??,1.38E+10\n", "列 手机号 里有 1.38E+10 这样的号码"),
        ("内容,号码\n", "列　　　无"),
        ("内容," + ",".join(f"甲{k}" for k in range(50)) + "\n您好" + "," * 50 + "\n", "甲28 等 51 列"),
    ],
)
def test_the_page_is_chinese(data: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text(data, encoding="utf-8")
    page = str(inspect(open_source(str(tmp_path / "x"))))
    assert says in page
    assert not re.search(r"\b(none|more|where|column is|holds)\b", page)
