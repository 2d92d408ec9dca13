"""vMessage: what its writers do that its header denies."""

import quopri
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from readers.reading import rows, texts

HEAD = "BEGIN:VMSG\r\nVERSION:1.1\r\nBEGIN:VCARD\r\nTEL:10086\r\nEND:VCARD\r\nBEGIN:VBODY\r\nX-BOX:INBOX\r\nDate:2026/11/23 15:05:07\r\n"
TAIL = "\r\nEND:VBODY\r\nEND:VMSG\r\n"
QUOTED = "Subject;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:"


@given(st.text("您好客服退款ab =1，?\n", min_size=1).map(str.strip).filter(lambda text: not text.isascii()))
def test_quoted_text_comes_back(text: str) -> None:
    from classifier.readers.vmessage import _decoded

    quoted = quopri.encodestring(text.encode()).decode()
    assert _decoded(";ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8", quoted.split("\n")) == text


def test_plain_text_under_a_quoted_header_is_left_alone(tmp_path: Path) -> None:
    assert texts(tmp_path / "x", HEAD + QUOTED + "点击 http://example.com/?a=3D&b=E4" + TAIL) == ["点击 http://example.com/?a=3D&b=E4"]


def test_a_soft_break_within_a_character(tmp_path: Path) -> None:
    assert texts(tmp_path / "x", HEAD + QUOTED + "=E6=82=\r\n=A8=E5=A5=\r\n=BD" + TAIL) == ["您好"]


def test_an_escaped_end_belongs_to_the_text(tmp_path: Path) -> None:
    assert texts(tmp_path / "x", HEAD + "Subject:您好\r\n/END:VBODY\r\n再见" + TAIL) == ["您好\nEND:VBODY\n再见"]


def test_a_message_without_its_end_is_ended_by_the_next(tmp_path: Path) -> None:
    assert texts(tmp_path / "x", HEAD + "Subject:您好\r\n" + HEAD + "Subject:再见" + TAIL) == ["您好", "再见"]


def test_old_telephones_encode_in_gbk(tmp_path: Path) -> None:
    data = (HEAD + "Subject:您好，请点链接" + TAIL).encode("gb18030")
    assert texts(tmp_path / "x", data) == ["您好，请点链接"]
    quoted = quopri.encodestring("您好".encode("gb18030")).decode()
    assert texts(tmp_path / "x", HEAD + QUOTED.replace("UTF-8", "GB2312") + quoted + TAIL) == ["您好"]


def test_an_unknown_box_is_no_reason_not_to_score(tmp_path: Path) -> None:
    (row,) = rows(tmp_path / "x", (HEAD + "Subject:您好" + TAIL).replace("INBOX", "CLOUD"))
    assert (row.direction, row.skipped) == ("unknown", "")
