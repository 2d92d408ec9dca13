"""What the tests of labelling share: two texts, a file of texts, and what is in a directory."""

import csv
from collections.abc import Sequence
from pathlib import Path

SCAM = "我是小红书客服，您买的面膜质检不合格，给您双倍赔付，请加我微信，把验证码发给我，转到安全账户"
FINE = "您的快递已到菜鸟驿站，取件码5-2-1033，请及时领取"


def make(path: Path, texts: Sequence[str]) -> str:
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["编号", "短信内容"], *enumerate(texts)])
    return str(path)


def files(directory: Path) -> list[str]:
    return sorted(p.name for p in directory.iterdir())
