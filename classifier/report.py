"""The report of a labelling run: one HTML file in Chinese that needs nothing else, to read on a screen or on paper.

Owns its wording, its charts and their look. Knows a run only by its tally. Nothing in it runs or is fetched (its own policy forbids
both); all that comes from messages or file names is escaped, and what is invisible in them is written out.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import date, timedelta
from html import escape
from pathlib import Path

from .errors import InputError
from .output import sibling, write_whole
from .reasons import in_chinese
from .records import IMPERSONATION, SKIPPED_NAMES, TYPE_NAMES, VERDICT_NAMES, VERDICTS, Evidence
from .render import NEXT_STEP, spans_for, visible
from .tactics import load_tactics
from .tally import BINS, Example, Tally

_SENDERS = 20
_NAME = 60  # characters of a sender's or a file's name
_TACTICS = 20
_PERIODS = 120  # bars that a page's width shows; beyond, days are put together as months, and these as years
_LABEL = 70  # width that the date under a bar needs
_WARNED = ("impersonation", "other_fraud", "unsure")
_STATUS_NAMES = {
    "joined": "长短信的几段，合并后判断",
    "repaired": "有无法识别的字符，去掉后判断",
    "truncated": "过长，只读了开头部分",
}

_PAGE = """<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>冒充类诈骗标注报告</title>
<style>
:root {{ --impersonation: #b3261e; --other_fraud: #b45f06; --unsure: #5b6470; --legit: #2f6f4c; --line: #d9dde3; --soft: #5b6470; --bar: #35618e;
  --fill-impersonation: #9c1f18; --fill-other_fraud: #e08e3c; --fill-unsure: #c3cad4;  /* dark, middle and light also in grey */
  --font: "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Zen Hei", sans-serif; }}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem 4rem; color: #1c2126; background: #fff; line-height: 1.6;
  font: 15px/1.6 var(--font); }}
h1 {{ font-size: 1.6rem; margin: 0 0 .25rem; }}
h2 {{ font-size: 1.1rem; margin: 2.25rem 0 .6rem; padding-bottom: .25rem; border-bottom: 2px solid var(--line); break-after: avoid; }}
p {{ margin: .4rem 0; }} .soft {{ color: var(--soft); font-size: .88rem; }}
.lead {{ font-size: 1.05rem; margin: .9rem 0 1.1rem; }}
.tiles {{ display: grid; grid-template-columns: repeat(4, 1fr); gap: .75rem; }}
.tile {{ border: 1px solid var(--line); border-top: 4px solid var(--c); border-radius: 4px; padding: .6rem .8rem; }}
.tile b {{ display: block; font-size: 1.5rem; line-height: 1.3; color: var(--c); font-variant-numeric: tabular-nums; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }}
th {{ font-weight: 600; font-size: .88rem; color: var(--soft); }} tr {{ break-inside: avoid; }}
td.n, th.n {{ text-align: right; width: 5rem; white-space: nowrap; font-variant-numeric: tabular-nums; padding-right: .9rem; }}
td.bar {{ width: 34%; min-width: 8rem; }}
td.bar i {{ display: block; height: .8rem; margin-top: .38rem; background: var(--bar); border-radius: 2px; }}
table.explained td.bar {{ width: 18%; min-width: 5rem; }} table.explained td:first-child {{ min-width: 7.5rem; }}
.bar ~ td {{ font-size: .88rem; color: var(--soft); }}
.chart {{ overflow-x: auto; }} .whole {{ break-inside: avoid; }}
svg {{ display: block; width: 100%; height: auto; }} svg text {{ font: 12.5px var(--font); fill: var(--soft); }}
.key {{ display: flex; flex-wrap: wrap; gap: 0 1.2rem; font-size: .88rem; color: var(--soft); margin: 0 0 .3rem; }}
.key i {{ display: inline-block; width: .8rem; height: .8rem; background: var(--c); margin-right: .35rem; vertical-align: -1px; }}
.message {{ border: 1px solid var(--line); border-left: 4px solid var(--impersonation); border-radius: 4px; padding: .6rem .9rem .7rem;
  margin: .7rem 0; break-inside: avoid; }}
.message header {{ display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; font-size: .88rem; color: var(--soft); }}
.message header b {{ color: var(--impersonation); }}
.message blockquote {{ margin: .4rem 0; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }}
mark {{ background: #fde3a7; color: inherit; padding: 0 1px; border-bottom: 2px solid #d9822b; }}
.tag {{ display: inline-block; border: 1px solid var(--line); border-radius: 3px; padding: 0 .45rem; margin: .1rem .3rem .1rem 0;
  font-size: .85rem; }}
.next {{ border-left: 4px solid var(--bar); background: #f2f6fa; padding: .5rem .9rem; }}
@page {{ size: A4; margin: 16mm 14mm; }}
@media print {{ body {{ max-width: none; padding: 0; font-size: 10.5pt; }} * {{ print-color-adjust: exact; -webkit-print-color-adjust: exact; }} }}
@media screen and (max-width: 40rem) {{ body {{ padding: 1.25rem 1rem 3rem; }} .tiles {{ grid-template-columns: repeat(2, 1fr); }}
  svg {{ min-width: 42rem; }}
  .chart::before {{ content: "图比屏幕宽，左右滑动看全图 →"; position: sticky; left: 0; font-size: .88rem; color: var(--soft); }}
  .bars tr {{ display: grid; grid-template-columns: 1fr auto auto; border-bottom: 1px solid var(--line); padding: .3rem 0; }}
  .bars tr > * {{ border: 0; padding-top: 0; padding-bottom: 0; }} .bars th:nth-child(n + 4) {{ display: none; }}
  .bars td.n, .bars th.n {{ width: 4.2rem; padding-right: 0; }} .bars td:nth-child(n + 4) {{ grid-column: 1 / -1; width: auto; }}
  .bars td.bar i {{ height: .5rem; margin: .2rem 0; }} }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def report_file(name: str, others: Sequence[str], replace: bool) -> Callable[[Tally], None]:
    """What writes a report under a name. Raises InputError at once where the name cannot be used, so that no run ends on that."""
    path = Path(name)
    if path.suffix.lower() not in (".html", ".htm") or path.is_dir():
        raise InputError(f"{name}: a report is an HTML file; name it so: report.html")
    if not path.parent.is_dir():
        raise InputError(f"{name}: there is no directory {path.parent}")
    if path.exists() and not replace:
        raise InputError(f"{name}: exists; --force replaces it")
    ours = [mine for mine in (path, sibling(path, "new")) if mine.exists()]
    if any(mine.samefile(other) for other in others if Path(other).exists() for mine in ours):
        raise InputError(f"{name}: is an input or output; name another file for the report")
    return lambda tally: write_whole(path, html(tally).encode("utf-8", "replace"))


def html(tally: Tally) -> str:
    """The report. The same tally gives the same text."""
    parts = [
        _summary(tally),
        _section("诈骗类型", _types(tally)),
        _section("分数分布", _scores(tally), "whole"),
        _section("按日期", _timeline(tally), "whole"),
        _section("命中最多的发送方", _senders(tally)),
        _section("手法", _tactics(tally)),
        _section("分数最高的消息", _messages(tally)),
        _section("没有判断的、特别处理的", _left_out(tally)),
        _section("怎样读这份报告", _reading()),
    ]
    return _PAGE.format(body="\n".join(filter(None, parts)))


def _section(title: str, content: str, kind: str = "") -> str:
    return f'<section class="{kind}">\n<h2>{title}</h2>\n{content}\n</section>' if content else ""


def _text(value: str) -> str:
    """Anything from outside, safe between tags and in attributes, invisible characters written out."""
    return escape(visible(value))


def _name(value: str) -> str:
    """The same of a name, which is cut where it is longer than any name is."""
    return _text(value if len(value) <= _NAME else f"{value[:_NAME]}…")


def _share(part: int, whole: int) -> str:
    if not part or not whole:
        return "0%"
    return f"{100 * part / whole:.1f}%" if part >= whole / 1000 else "&lt;0.1%"


def _summary(tally: Tally) -> str:
    scored = tally.verdicts.total()
    left = tally.skipped.total() + tally.rejected.total()
    tiles = "".join(
        f'<div class="tile" style="--c: var(--{v})">{VERDICT_NAMES[v]}<b>{tally.verdicts[v]:,}</b>'
        f'<span class="soft">{_share(tally.verdicts[v], scored)}</span></div>'
        for v in VERDICTS
    )
    inputs = "、".join(f"{_name(Path(name).name)}（{rows:,} 条）" for name, rows in list(tally.inputs.items())[:8])
    more = f" 等 {len(tally.inputs)} 个文件" if len(tally.inputs) > 8 else ""
    days = _days(tally)
    period = f"　时间：{days[0]} 至 {days[-1]}" if days else ""
    return "\n".join(
        [
            "<h1>冒充类诈骗标注报告</h1>",
            f'<p class="soft">来源：{inputs or "无"}{more}{period}　模型：{_text(tally.model)}</p>',
            f'<p class="lead">共读取 <b>{tally.rows:,}</b> 条消息，判断了 <b>{scored:,}</b> 条'
            f"{f'，另有 {left:,} 条没有判断（见后文）' if left else ''}。其中 <b>{tally.verdicts['impersonation']:,}</b> 条是冒充类诈骗"
            f"（{_share(tally.verdicts['impersonation'], scored)}）。</p>",
            f'<div class="tiles">{tiles}</div>',
        ]
    )


def _bars(rows: Iterable[tuple[str, int, str]], head: tuple[str, str, str], whole: int) -> str:
    """A table with a bar to each row: (name, count, more), all of them HTML but the count."""
    rows = list(rows)
    most = max((count for _, count, _ in rows), default=1)
    body = "".join(
        f'<tr><td>{name}</td><td class="n">{count:,}</td><td class="n">{_share(count, whole)}</td>'
        f'<td class="bar"><i style="width: {100 * count / most:.1f}%"></i></td>{f"<td>{more}</td>" if head[2] else ""}</tr>'
        for name, count, more in rows
    )
    return (
        f'<table class="bars{" explained" if head[2] else ""}"><thead><tr><th>{head[0]}</th><th class="n">条数</th>'
        f'<th class="n">{head[1]}</th><th></th>'
        f"{f'<th>{head[2]}</th>' if head[2] else ''}</tr></thead><tbody>{body}</tbody></table>"
    )


def _types(tally: Tally) -> str:
    names = [t for t in (*IMPERSONATION, "other_fraud") if tally.types[t]]
    if not names:
        return "<p>没有消息被判为诈骗。</p>"
    rows = [(TYPE_NAMES[t], tally.types[t], "") for t in sorted(names, key=lambda t: -tally.types[t])]
    return _bars(rows, ("类型", "占诈骗", ""), tally.types.total())


def _scores(tally: Tally) -> str:
    if not sum(tally.scores):
        return ""
    width, height, left, top, bottom = 900, 210, 10, 22, 34
    most = max(tally.scores)
    step = (width - 2 * left) / BINS
    # A square root keeps the few high scores visible beside the many low ones; the counts stand above the bars.
    bars = []
    for k, count in enumerate(tally.scores):
        tall = (height - top - bottom) * (count / most) ** 0.5
        x, y = left + k * step, height - bottom - tall
        bars.append(f'<rect x="{x + 2:.1f}" y="{y:.1f}" width="{step - 4:.1f}" height="{tall:.1f}" rx="1.5" fill="var(--bar)"/>')
        if count:
            bars.append(f'<text x="{x + step / 2:.1f}" y="{y - 5:.1f}" text-anchor="middle">{_short(count)}</text>')
    ticks = "".join(
        f'<text x="{left + k * step:.1f}" y="{height - bottom + 16}" text-anchor="middle">{k / BINS:.1f}</text>' for k in range(0, BINS + 1, 2)
    )
    axis = f'<line x1="{left}" x2="{width - left}" y1="{height - bottom}" y2="{height - bottom}" stroke="#9aa3ad"/>'
    label = f'<text x="{width / 2}" y="{height - 3}" text-anchor="middle">冒充类诈骗概率 scam_score</text>'
    return _svg(width, height, "分数分布", "".join(bars) + axis + ticks + label) + '<p class="soft">柱高按条数的平方根画，柱上是条数。</p>'


def _short(count: int) -> str:
    return f"{count:,}" if count < 100_000 else f"{count / 10_000:.0f}万"


def _svg(width: int, height: int, title: str, content: str) -> str:
    return (
        f'<div class="chart"><svg viewBox="0 0 {width} {height}" role="img" aria-label="{title}" xmlns="http://www.w3.org/2000/svg">'
        f"{content}</svg></div>"
    )


def _days(tally: Tally) -> list[date]:
    """The days of messages that carry one, in order, each once."""
    days = set()
    for day, _ in tally.days:
        with suppress(ValueError):
            days.add(date.fromisoformat(day))
    return sorted(days)


def _periods(first: date, last: date) -> tuple[str, int, list[str]]:
    """How days are put together (天, 月 or 年; the length of what they share), and every such period from the first to the last."""
    if (last - first).days < _PERIODS:
        return "天", 10, [(first + timedelta(days=k)).isoformat() for k in range((last - first).days + 1)]
    months = range(12 * first.year + first.month - 1, 12 * last.year + last.month)
    if len(months) <= _PERIODS:
        return "月", 7, [f"{month // 12:04}-{month % 12 + 1:02}" for month in months]
    return "年", 4, [f"{year:04}" for year in range(first.year, last.year + 1)]


def _timeline(tally: Tally) -> str:
    days = _days(tally)
    if not days:
        return ""
    unit, cut, every_period = _periods(days[0], days[-1])
    periods = every_period[-_PERIODS:]
    counts = {p: dict.fromkeys(VERDICTS, 0) for p in periods}
    for (day, verdict), count in tally.days.items():
        if day[:cut] in counts:
            counts[day[:cut]][verdict] += count
    width, height, left, right, top, bottom = 900, 216, 44, 34, 16, 26
    most = max(sum(c[v] for v in _WARNED) for c in counts.values())
    if not most:
        return f"<p>带时间的 {sum(tally.days.values()):,} 条消息里没有可疑的。</p>"
    most += most % 2  # so that half of it is a number of messages too
    step = min(60.0, (width - left - right) / len(periods))
    base = height - bottom
    content = []
    for share in (0.5, 1):
        y = base - (base - top) * share
        content.append(f'<line x1="{left}" x2="{width - right}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e3e6ea"/>')
        content.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{_short(int(most * share))}</text>')
    every = max(1, -(-_LABEL // int(step))) if step >= 1 else _LABEL
    labelled = ""
    for k, period in enumerate(periods):
        x, y = left + k * step, float(base)
        for verdict in _WARNED:
            tall = (base - top) * counts[period][verdict] / most
            y -= tall
            if tall:
                content.append(
                    f'<rect x="{x + step * 0.1:.1f}" y="{y:.1f}" width="{step * 0.8:.1f}" height="{tall:.1f}" fill="var(--fill-{verdict})"/>'
                )
        if k % every == 0:
            shown = period[5:] if cut == 10 and labelled[:4] == period[:4] else period  # the year where it is new
            content.append(f'<text x="{x + step / 2:.1f}" y="{base + 16}" text-anchor="middle">{shown}</text>')
            labelled = period
    content.append(f'<line x1="{left}" x2="{width - right}" y1="{base}" y2="{base}" stroke="#9aa3ad"/>')
    key = "".join(f'<span><i style="--c: var(--fill-{v})"></i>{VERDICT_NAMES[v]}</span>' for v in _WARNED)
    note = f"每{unit}的可疑消息数；带时间的消息共 {sum(tally.days.values()):,} 条。"
    note += f"只画最近 {_PERIODS} {unit}。" if len(periods) < len(every_period) else ""
    return f'<div class="key">{key}</div>' + _svg(width, height, "按日期的可疑消息数", "".join(content)) + f'<p class="soft">{note}</p>'


def _senders(tally: Tally) -> str:
    found = tally.senders.most_common(_SENDERS)
    if not found:
        return ""
    fraud = tally.verdicts["impersonation"] + tally.verdicts["other_fraud"]
    return _bars([(_name(sender), count, "") for sender, count in found], ("发送方", "占诈骗", ""), fraud)


def _tactics(tally: Tally) -> str:
    found = tally.tactics.most_common(_TACTICS)
    if not found:
        return ""
    explain = load_tactics().explain
    warned = sum(tally.verdicts[v] for v in _WARNED)
    return _bars([(_text(name), count, _text(explain.get(name, ""))) for name, count in found], ("手法", "占可疑", "为什么可疑"), warned)


def _messages(tally: Tally) -> str:
    order = sorted(tally.top.values(), key=lambda e: -e.score)
    return "\n".join(_message(e) for e in order)


def _message(example: Example) -> str:
    facts = [
        f"<b>{100 * example.score:.1f}%</b>" if example.score < 0.9995 else "<b>&gt;99.9%</b>",
        TYPE_NAMES[example.kind],
        _name(example.sender),
        _text(re.sub(r"(?:[+-]\d\d:\d\d|Z)$", "", example.time.replace("T", " "))),  # all times are Chinese time
        f"{_name(Path(example.where).name)} 第 {example.number} 行",
        f"同一内容共 {example.count:,} 行（重复的消息，或长短信的几段）" if example.count > 1 else "",
        f"全文 {example.size:,} 字，这里是开头" if example.size > len(example.text) else "",
    ]
    out, last = [], 0
    for start, end in _marks(example.evidence or (), example.tactics):
        out += [_text(example.text[last:start]), f"<mark>{_text(example.text[start:end])}</mark>" if start < len(example.text) else ""]
        last = end
    text = "".join([*out, _text(example.text[last:])])
    tags = "".join(f'<span class="tag">{_text(name)}</span>' for name in example.tactics)
    header = "".join(f"<span>{fact}</span>" for fact in facts if fact)
    return f'<article class="message"><header>{header}</header><blockquote>{text}</blockquote>{tags}</article>'


def _marks(evidence: Sequence[Evidence], tactics: Sequence[str]) -> list[tuple[int, int]]:
    """What is marked: the evidence and the tactics named, without single characters, which tell a reader nothing, where there is more of it."""
    spans = spans_for(evidence, tactics)
    return [span for span in spans if span[1] - span[0] > 1] or spans


def _left_out(tally: Tally) -> str:
    rejected: Counter[str] = Counter()
    for problem, count in tally.rejected.items():
        rejected[in_chinese(problem, kind=True)] += count
    rows = [("跳过：" + SKIPPED_NAMES.get(why, _text(why)), count) for why, count in tally.skipped.most_common()]
    rows += [("读不出：" + _text(problem), count) for problem, count in rejected.most_common(20)]
    rows += [("已判断：" + _STATUS_NAMES[status], count) for status, count in tally.statuses.most_common() if status in _STATUS_NAMES]
    parts = []
    if rows:
        body = "".join(f'<tr><td>{name}</td><td class="n">{count:,}</td></tr>' for name, count in rows)
        parts.append(f'<table><thead><tr><th>原因</th><th class="n">条数</th></tr></thead><tbody>{body}</tbody></table>')
    if tally.examples:
        lines = "".join(
            f"<tr><td>{_name(Path(w).name)}</td><td class='n'>{n}</td><td>{_text(in_chinese(problem))}</td></tr>" for w, n, problem in tally.examples
        )
        parts.append(
            f'<p>读不出的前 {len(tally.examples)} 行：</p><table><thead><tr><th>文件</th><th class="n">行</th><th>问题</th></tr></thead>'
            f"<tbody>{lines}</tbody></table>"
        )
    if tally.unreadable:
        lines = "".join(f"<tr><td>{_name(Path(name).name)}</td><td>{_text(in_chinese(why))}</td></tr>" for name, why in tally.unreadable.items())
        parts.append(f"<p>没有读成的文件：</p><table><thead><tr><th>文件</th><th>原因</th></tr></thead><tbody>{lines}</tbody></table>")
    return "\n".join(parts) or ("<p>所有消息都判断了。</p>" if tally.rows else "<p>文件里没有消息。</p>")


def _reading() -> str:
    return (
        f'<p class="next">{NEXT_STEP["impersonation"]}</p>'
        "<p>分数是“冒充类诈骗”的概率估计，按训练语料校准；真实流量里诈骗少得多，请以结论和标出的依据为准，人工核对后再处置。"
        "“存疑”不等于安全。标黄的文字是判断的主要依据，判断由程序给出，可能有误。</p>"
        '<p class="soft">本报告含消息原文（用 --redact 生成时已隐去部分个人信息），请按个人信息妥善保管。</p>'
    )
