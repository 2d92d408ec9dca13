"""Phones' XML: what phones write that no parser takes, and what a hostile file would have a parser do."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from readers.reading import rows, texts

from classifier.errors import InputError, LimitError
from classifier.readers.markup import repaired


def sms(body: str) -> str:
    return f'<sms address="10086" date="1795417507000" type="1" body="{body}" />'


def test_halves_of_a_character_are_joined_wherever_the_file_is_cut(tmp_path: Path) -> None:
    padding = "您" * 40
    for shift in range(60):  # the pair crosses the border between two chunks of a million characters in each way
        lead = "x" * ((1 << 20) - 60 - len("<smses>") - len('<sms address="10086" date="1795417507000" type="1" body="') + shift)
        assert texts(tmp_path / "x", f"<smses>{sms(lead + '&#55357;&#56838;' + padding)}</smses>") == [f"{lead}😆{padding}"]


@given(st.lists(st.sampled_from(["&#55357;", "&#56838;", "&#xD83D;", "&#xde06;", "&#10;", "&amp;", "您好", "&#0;", "a"]), max_size=20), st.data())
def test_where_a_text_is_cut_does_not_change_its_repair(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    whole = "".join(repaired([text]))
    assert "".join(repaired(pieces)) == whole
    assert not any(0xD800 <= int(n) < 0xE000 for n in re.findall(r"&#(\d+);", whole))


def test_what_xml_cannot_hold_becomes_a_replacement_character(tmp_path: Path) -> None:
    body = sms("半&#55357;个&#0;字&#8;符\x01\x00您好")
    assert texts(tmp_path / "x", f"<smses>{body}</smses>") == ["半\ufffd个\ufffd字\ufffd符\ufffd\ufffd您好"]


def test_a_document_type_is_refused_before_anything_is_expanded(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE smses [<!ENTITY a "x"><!ENTITY b "&a;&a;">]>'
    with pytest.raises(InputError, match="document type"):
        rows(tmp_path / "x", f"{bomb}<smses>{sms('&b;')}</smses>", "sms-backup")


def test_a_picture_of_twelve_megabytes_is_passed_over(tmp_path: Path) -> None:
    part = '<part ct="image/jpeg" data="' + "QUJD" * (3 << 20) + '" /><part ct="text/plain" text="您好，扫码退款" />'
    assert texts(tmp_path / "x", f'<smses><mms msg_box="1" date="1795417507000"><parts>{part}</parts></mms></smses>') == ["您好，扫码退款"]


def test_an_endless_token_and_endless_depth_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LimitError, match="without an element"):
        rows(tmp_path / "x", "<smses>" + "<sms body='" + "x" * (36 << 20))
    with pytest.raises(LimitError, match="nested deeper"):
        rows(tmp_path / "x", "<smses>" + "<a>" * 100)


def test_a_file_cut_short_keeps_what_was_read(tmp_path: Path) -> None:
    found = rows(tmp_path / "x", f"<smses>{sms('您好')}{sms('再见')}<sms address=")
    assert [row.text for row in found] == ["您好", "再见", ""]
    assert "cut" in found[-1].problem or "not well-formed" in found[-1].problem


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_the_encoding_is_that_of_the_bytes_whatever_the_document_says(encoding: str, tmp_path: Path) -> None:
    text = f"<?xml version='1.0' encoding='GBK'?><smses>{sms('您好')}</smses>"
    assert texts(tmp_path / "x", text.encode(encoding)) == ["您好"]
