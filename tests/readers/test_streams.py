"""Formats that stream hold what they are at and nothing of what they have read: a file of any size takes the same memory."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from classifier.readers import open_source, recognise
from classifier.readers import source as room

ROWS = 20_000
KEPT = 20  # bytes a row by which memory may grow; a list of short texts that nobody empties takes 60
AT_ONCE = 1 << 14  # bytes or characters read at once here, so that what is held of them is little beside what must not be kept
TEXT = "您的快递已到"
STREAMS: dict[str, tuple[str, Callable[[int], str], str]] = {  # by format: how a file begins, a message, how it ends
    "text": ("", lambda k: f"{TEXT}{k}，请领取快递\n", ""),
    "csv": ("号码,内容\n", lambda k: f"{k},{TEXT}\n", ""),
    "jsonl": ("", lambda k: f'{{"from": "{k}", "text": "{TEXT}"}}\n', ""),
    "json": ("[", lambda k: f'{{"from": "{k}", "text": "{TEXT}"}},\n', '{"text": ""}]'),
    "sms-ie": ("", lambda k: f'{{"_id": "{k}", "thread_id": "1", "date": "0", "address": "1", "body": "{TEXT}"}}\n', ""),
    "sms-backup": ("<smses>\n", lambda k: f'  <sms address="{k}" type="1" body="{TEXT}" />\n', "</smses>\n"),
    "windows-phone": (
        "<ArrayOfMessage>\n",
        lambda k: f"  <Message>\n    <Body>{TEXT}</Body><Sender>{k}</Sender>\n  </Message>\n",
        "</ArrayOfMessage>",
    ),
    "nus": ("<smsCorpus>\n", lambda k: f'  <message id="{k}"><text>{TEXT}</text></message>\n', "</smsCorpus>"),
    "vmessage": ("", lambda k: f"BEGIN:VMSG\nBEGIN:VBODY\nSubject:{TEXT}\nEND:VBODY\nEND:VMSG\n", ""),
    "imessage-text": ("", lambda k: f"Nov 23, 2026  3:05:07 PM\n{k}\n{TEXT}\n\n", ""),
    "teleantifraud": ("", lambda k: f'{{"left": ["{TEXT}"], "right": ["喂"]}}\n', ""),
}


@pytest.mark.parametrize("name", STREAMS)
def test_what_was_read_is_let_go(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for size in ("HEAD", "_BLOCK"):
        monkeypatch.setattr(room, size, AT_ONCE)
    head, message, foot = STREAMS[name]
    (tmp_path / "x").write_text(head + "".join(map(message, range(ROWS))) + foot, encoding="utf-8")
    source = open_source(str(tmp_path / "x"))
    reader = recognise(source)
    assert reader.name == name
    early = late = 1 << 40  # what is held at least, in the second quarter of the rows and in the third
    tracemalloc.start()
    with source.stream:
        for k, _ in enumerate(reader.read(source)):
            if ROWS // 4 < k < ROWS // 2:
                early = min(early, tracemalloc.get_traced_memory()[0])
            elif ROWS // 2 < k < 3 * ROWS // 4:
                late = min(late, tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert k >= ROWS - 1
    assert late - early < KEPT * ROWS // 4
