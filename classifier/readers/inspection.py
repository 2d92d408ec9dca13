"""What a file is, told without scoring anything: format, encoding, counts, columns, and three messages with personal data masked."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..reasons import in_chinese
from ..records import SKIPPED_NAMES
from ..redact import redact
from . import recognise
from .layouts import listed
from .source import Source

_SAMPLES = 3
_SAMPLE = 60  # characters shown of each
_COLUMNS = 30  # named
_PROBLEMS = 10  # named one by one
_FIELDS = {"text": "正文", "sender": "发送人", "time": "时间", "direction": "收发", "conversation": "会话"}
_COUNTED = ("sender", "time", "conversation")


@dataclass
class Inspection:
    """What was found.

    fields    how many rows have a sender, a time, a conversation
    taken     of a table, which columns were taken for what
    problems  the first few, (row, why)
    """

    format: str
    title: str
    sample_seen: bool
    encoding: str
    rows: int = 0
    scored: int = 0
    rejected: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)
    columns: dict[str, None] = field(default_factory=dict)
    first: str = ""
    last: str = ""
    samples: list[str] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    taken: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """In Chinese, a fact a line."""
        counts = [f"可标注 {self.scored}", *(f"{SKIPPED_NAMES[why]} {n}" for why, n in self.skipped.most_common()), f"无法读取 {self.rejected}"]
        unseen = "" if self.sample_seen else "（按公开文档编写，未见过真实样本）"
        lines = [
            f"格式　　{self.format}：{self.title}{unseen}",
            f"编码　　{self.encoding or '二进制'}",
            f"记录　　{self.rows}（{'，'.join(counts)}）",
            f"渠道　　{'，'.join(f'{name} {n}' for name, n in self.channels.most_common()) or '无'}",
            f"时间　　{self.first} 至 {self.last}" if self.first else "时间　　无",
            f"字段　　{'，'.join(f'{_FIELDS[name]} {self.fields[name]}' for name in _COUNTED)}",
            f"列　　　{_listed(list(self.columns))}",
            *([f"取用　　{'，'.join(f'{_FIELDS[what]}={listed([name])}' for what, name in self.taken.items())}"] if self.taken else []),
            *(f"样例　　{sample}" for sample in self.samples),
            *(f"第 {number} 行　{in_chinese(problem)}" for number, problem in self.problems),
            *(f"注意　　{in_chinese(note)}" for note in self.notes),
        ]
        return "\n".join(line.replace("\n", "⏎") for line in lines)


def _listed(names: Sequence[str]) -> str:
    if len(names) > _COLUMNS:
        return f"{listed(names[:_COLUMNS])} 等 {len(names)} 列"
    return listed(names) if names else "无"


def inspect(source: Source, wanted: str | None = None, column: str | None = None) -> Inspection:
    """Read a source through. Raises InputError or LimitError where that cannot be done."""
    reader = recognise(source, wanted)
    found = Inspection(reader.name, reader.title, reader.sample_seen, "" if source.magic else source.encoding, notes=source.notes, taken=source.taken)
    for row in reader.read(source, column):
        found.rows += 1
        if len(found.columns) < 1024:  # of JSON lines each may have its own
            found.columns.update(dict.fromkeys(row.columns))
        if row.problem:
            found.rejected += 1
            found.problems += [(row.number, row.problem)] if len(found.problems) < _PROBLEMS else []
            continue
        found.channels[row.channel] += 1
        found.fields.update(name for name in _COUNTED if getattr(row, name))
        if row.time:
            found.first, found.last = min(found.first or row.time, row.time), max(found.last, row.time)
        if row.skipped:
            found.skipped[row.skipped] += 1
            continue
        found.scored += 1
        if len(found.samples) < _SAMPLES:
            found.samples.append(redact(row.text[: 4 * _SAMPLE])[:_SAMPLE] + ("…" if len(row.text) > _SAMPLE else ""))
    return found
