"""What is taken for what: the lines between formats that look alike."""

from pathlib import Path

import pytest
from readers.reading import format_of, rows, texts

from classifier import readers
from classifier.errors import InputError
from classifier.readers import READERS, Reader, open_source, recognise


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("温馨提示：明日停水\n温馨提示：请储水\n尊敬的用户：您好\n尊敬的用户：再见\n", "text"),
        ("时间：12:30\n地点：http://example.com:8080\n时间：13:30\n地点：二楼\n", "text"),
        ("您好，请点 http://example.com:8080\n再见，12:30 见\n", "text"),
        ("[系统] 您好\n", "text"),
        ("{您好}\n", "text"),
        ("<某某银行>您好，您的验证码是0000\n", "text"),
        ("客服：喂\n", "text"),
        ("客服：您好\n客户：你好\n", "transcript"),
        ("客服：您好,请问\n客户：你好,请讲\n", "transcript"),
        ("00:01 说话人1\n您好\n00:05 说话人2\n你好\n00:09 说话人1\n再见\n", "transcript"),
        ("内容\n客服：您好\n客户：你好\n", "csv"),
        ("1，您好，再见\n2，在吗，好的\n", "text"),
        ("内容，号码\n您好，10086\n", "csv"),
        ('{"text": "您好", "start": 1}\n', "jsonl"),
        ('[{"text": "您好"}]', "json"),
        ("WEBVTTX\n您好\n", "text"),
    ],
)
def test_the_likeliest_reading(data: str, name: str, tmp_path: Path) -> None:
    assert format_of(tmp_path / "x", data) == name


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("<html><body>您好</body></html>", "XML or HTML"),
        ("<!DOCTYPE html>\n<p>您好", "XML or HTML"),
        ("<?xml version='1.0'?><other/>", "XML or HTML"),
        ('{\n "unknown": [1]\n}', "JSON of no known shape"),
        ('<calls count="1"><call number="10086" /></calls>', "a log of calls"),
        (b"PK\x03\x04" + bytes(60), "damaged"),
        (b"SQLite format 3\0" + bytes(200), "damaged"),
        (b"PAR1" + bytes(60), "could not be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "could not be read"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_clear_line(data: str | bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said) as caught:
        rows(tmp_path / "x", data)
    assert "\n" not in str(caught.value)


def test_two_readers_that_claim_one_file_are_an_error_naming_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (Reader(name, lambda source: True, lambda source, column: iter(()), name) for name in ("first", "second"))
    monkeypatch.setattr(readers, "TIERS", ((one, other),))
    (tmp_path / "x").write_text("您好")
    with pytest.raises(InputError, match="first or second; say which with --format"):
        recognise(open_source(str(tmp_path / "x")))


def test_a_named_format_overrides_recognition(tmp_path: Path) -> None:
    assert texts(tmp_path / "x", "客服：您好\n客户：你好\n", "text") == ["客服：您好", "客户：你好"]


@pytest.mark.parametrize("name", [reader.name for reader in READERS if reader.name not in ("text", "csv", "transcript", "vmessage")])
def test_a_wrongly_named_format_is_an_error_or_rejects_its_rows(name: str, tmp_path: Path) -> None:
    try:
        found = rows(tmp_path / "x", "您好，我是客服\n请点链接\n", name)
    except InputError:
        return
    assert all(row.problem for row in found)
