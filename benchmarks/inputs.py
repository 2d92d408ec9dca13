"""Exports as large as one wants, made of the corpus's messages: mostly ordinary ones, as in an inbox, one in ten of any kind."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from xml.sax.saxutils import quoteattr

from classifier.corpus import Example, read
from classifier.retrain import corpus_root

Message = tuple[str, datetime, str]  # sender, time, text


@lru_cache
def examples() -> tuple[Example, ...]:
    """The messages of the corpus; no calls."""
    return tuple(e for e in read(corpus_root()) if e.channel != "call")


def messages() -> Iterator[Message]:
    """Without end, and always the same."""
    chance = random.Random(7)
    middling = [e for e in examples() if 40 <= len(e.text) <= 120]
    texts, legit = [e.text for e in middling], [e.text for e in middling if e.type == "legit"]
    moment = datetime(2026, 1, 1)
    while True:
        moment += timedelta(seconds=chance.expovariate(1 / 30))
        yield f"1069{chance.randrange(10**6):06}", moment, chance.choice(texts if chance.random() < 0.1 else legit)


def _csv(sender: str, time: datetime, text: str) -> str:
    return '{},{},"{}"\n'.format(sender, time.isoformat(" ", "seconds"), text.replace('"', '""'))


def _jsonl(sender: str, time: datetime, text: str) -> str:
    return json.dumps({"sender": sender, "time": time.isoformat(" ", "seconds"), "text": text}, ensure_ascii=False) + "\n"


def _xml(sender: str, time: datetime, text: str) -> str:
    body = quoteattr(text, {"\n": "&#10;"})
    date = int(time.timestamp() * 1000)
    return f'  <sms protocol="0" address="{sender}" date="{date}" type="1" subject="null" body={body} read="1" contact_name="(Unknown)" />\n'


FAMILIES: dict[str, tuple[str, Callable[[str, datetime, str], str], str]] = {  # how a file begins, a message, how it ends
    "csv": ("发送方,时间,短信内容\n", _csv, ""),
    "jsonl": ("", _jsonl, ""),
    "xml": ("<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n<smses>\n", _xml, "</smses>\n"),
}


def write(path: Path, family: str, rows: int | None = None, size: int | None = None) -> int:
    """Write so many rows, or so many bytes; returns the rows."""
    head, line, foot = FAMILIES[family]
    count = 0
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(head)
        for message in messages():
            file.write(line(*message))
            count += 1
            if count == rows or (size is not None and count % 1000 == 0 and file.tell() >= size):
                break
        file.write(foot)
    return count
