"""The report: complete, quiet, and safe to open whatever the messages say."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import Classifier, readers
from classifier.batch import label_texts
from classifier.chunks import chunks
from classifier.cli import main
from classifier.errors import InputError
from classifier.readers import source
from classifier.reasons import in_chinese
from classifier.records import TYPE_NAMES, Evidence, Row
from classifier.report import html, report_file
from classifier.tally import Example, Tally

SCAM = "我是小红书客服，您买的面膜质检不合格，给您双倍赔付，请加我微信，把验证码发给我，转到安全账户"
FINE = "您的快递已到菜鸟驿站，取件码5-2-1033，请及时领取"
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "</style><script>alert(1)</script>",
    "{}{body}{0}",
    "&lt;b&gt;",
    "javascript:alert(1)",
    "\u202e反过来",
    "验\u200b证码",
    "\x1b[2J\x00\ud83d",
    "]]>--><!--",
]
_CLOSED = {"meta", "br", "img", "link", "input"}


class Page(HTMLParser):
    """Elements, their attributes and their text; open elements must be closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.elements: list[tuple[str, list[tuple[str, str]]]] = []
        self.text: list[str] = []
        self.marked: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.elements.append((tag, [(name, value or "") for name, value in attrs]))
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in _CLOSED:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.elements.append((tag, [(name, value or "") for name, value in attrs]))
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.text.append(data)
            if "mark" in self._open:
                self.marked.append(data)


def tally_of(classifier: Classifier, rows: list[Row], where: str = "导出.csv") -> Tally:
    tally = Tally(classifier.model.id)
    texts = [row.text for row in rows if not row.problem and not row.skipped]
    (chunk,) = chunks(rows)
    assert chunk.texts == texts
    tally.add(where, rows, chunk.labels(label_texts(classifier, texts)), chunk.text)
    tally.explain(lambda texts: classifier.score_batch(texts, evidence=True))
    return tally


def page_of(tally: Tally) -> Page:
    return Page(html(tally))


def test_it_says_what_was_found(shipped: Classifier) -> None:
    rows = [Row(k, SCAM if k % 3 == 0 else FINE, {}, sender="小红书客服", time=f"2026-03-{k % 28 + 1:02}T10:00:00") for k in range(30)]
    rows += [Row(31, "好的", {}, skipped="sent"), Row(32, "", {}, problem="not JSON: Expecting value")]
    text = "".join(page_of(tally_of(shipped, rows)).text)
    for expected in (
        "共读取 32 条",
        "判断了 30 条",
        "另有 2 条",
        "10 条是冒充类诈骗",
        "小红书客服",
        "自己发出的",
        "不是有效的 JSON",
        "索要验证码",
        "2026-03-01",
        "同一内容共 10 行（重复的消息，或长短信的几段）",
    ):
        assert expected in text, expected


def test_the_marks_are_the_evidence(shipped: Classifier) -> None:
    marked = page_of(tally_of(shipped, [Row(1, SCAM, {})])).marked
    verdict = shipped.score(SCAM)
    spans = [SCAM[e.span[0] : e.span[1]] for e in verdict.evidence if e.span and e.contribution > 0.05]
    assert marked
    assert all(part in SCAM and len(part) > 1 for part in marked)  # a lone character tells a reader nothing
    assert all(any(span in part for part in marked) for span in spans if len(span) > 1)


def test_of_a_long_message_the_label_is_shown(shipped: Classifier) -> None:
    text = "今天天气很好，我们去公园走走吧。\n" * 1400 + SCAM
    verdict = shipped.score(text)
    assert verdict.scam_verdict == "impersonation"
    assert shipped.score(text[:20_000]).scam_verdict == "legit"
    page = page_of(tally_of(shipped, [Row(1, text, {})]))
    facts = [fact for fact in page.text if fact in (">99.9%", f"{100 * verdict.scam_score:.1f}%", TYPE_NAMES[verdict.scam_type])]
    assert len(facts) >= 2
    assert "正常" not in page.text[page.text.index("分数最高的消息") :]
    assert f"全文 {len(text):,} 字，这里是开头" in page.text
    assert set(verdict.tactics) <= set(page.text)


def test_a_lone_character_is_marked_where_there_is_nothing_else() -> None:
    example = Example("验证码", "", 3, 0.99, "ecommerce", (), (Evidence("char:码", 1.0, (2, 3)),), "", "", "a.csv", 1)
    tally = Tally("m", rows=1, top={"验证码": example})
    assert page_of(tally).marked == ["码"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_in_a_message_is_obeyed(hostile: str, shipped: Classifier) -> None:
    tame = page_of(tally_of(shipped, [Row(1, SCAM, {}, sender="95588", time="2026-03-01T10:00:00")], "a.csv"))
    row = Row(1, f"{SCAM}{hostile}", {}, sender=hostile, time=hostile)
    page = page_of(tally_of(shipped, [row, Row(2, "", {}, problem=hostile)], f"{hostile}.csv"))
    assert "script" not in page.tags
    assert "img" not in page.tags
    assert set(page.tags) <= {*tame.tags, "td", "tr", "th", "table", "tbody", "thead"}
    assert not [a for a in page.attributes if a[0].startswith("on") or a[0] in ("src", "href")]
    assert not re.search("[\u202e\u200b\x1b\x00]", "".join(page.text))


@given(st.text(max_size=60))
def test_any_sender_and_problem_make_a_page(text: str) -> None:
    tally = Tally("m", rows=2)
    tally.senders[text] = 3
    tally.rejected[text] = 1
    tally.tactics[text] = 1
    tally.days[(text, "impersonation")] = 1
    tally.inputs[text] = 2
    tally.unreadable[text] = text
    assert "script" not in page_of(tally).tags
    html(tally).encode("utf-8", "replace")


def test_it_needs_nothing_and_allows_nothing(shipped: Classifier) -> None:
    text = html(tally_of(shipped, [Row(1, SCAM, {})]))
    page = Page(text)
    assert "default-src 'none'" in dict(page.attributes).get("content", "") or "default-src 'none'" in text
    assert not {"script", "link", "iframe", "object", "img", "form"} & set(page.tags)
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", text)
    assert "@media print" in text


def test_a_run_that_found_nothing_has_a_report_too(shipped: Classifier) -> None:
    found = "".join(page_of(tally_of(shipped, [Row(1, FINE, {}, time="2026-03-01T10:00:00")])).text)
    assert "没有消息被判为诈骗" in found
    assert "带时间的 1 条消息里没有可疑的" in found
    nothing = "".join(page_of(Tally("m", inputs={"空.csv": 0})).text)
    assert "共读取 0 条" in nothing
    assert "空.csv（0 条）" in nothing
    assert "文件里没有消息" in nothing


@pytest.mark.parametrize(("days", "unit"), [(100, "每天"), (1000, "每月"), (9000, "每年")])
def test_a_long_time_is_put_together(days: int, unit: str) -> None:
    from datetime import date, timedelta

    tally = Tally("m", rows=days)
    for k in range(days):
        tally.days[((date(2001, 1, 1) + timedelta(days=k)).isoformat(), "impersonation")] = 1
    page = page_of(tally)
    assert unit in "".join(page.text)
    assert page.tags.count("rect") <= 130


def test_days_without_a_message_keep_their_place() -> None:
    tally = Tally("m", rows=3)
    for day in ("2026-02-27", "2026-02-28", "2026-03-06"):
        tally.days[(day, "impersonation")] = 2
    page = page_of(tally)
    rects = [dict(attributes) for tag, attributes in page.elements if tag == "rect"]
    first, second, third = (float(rect["x"]) for rect in rects)
    assert third - second == pytest.approx(6 * (second - first), abs=0.3)
    assert {"2026-02-27", "03-01", "03-03"} <= set(page.text)
    assert all(float(attributes["x"]) + 40 < 900 for tag, raw in page.elements if tag == "text" for attributes in [dict(raw)])


def test_a_chart_that_a_narrow_screen_cuts_says_so_there_only() -> None:
    wide, narrow = html(Tally("x")).split("@media screen and (max-width: 40rem)")
    assert "左右滑动" in narrow
    assert "左右滑动" not in wide


def test_an_axis_names_whole_messages() -> None:
    for count in (1, 2, 3, 7):
        tally = Tally("m", rows=count)
        tally.days[("2026-03-01", "impersonation")] = count
        ticks = [text for text in page_of(tally).text if text.isdigit()]
        half = (count + count % 2) // 2
        assert {str(half), str(2 * half)} <= set(ticks)


def test_a_name_longer_than_names_are_is_cut(shipped: Classifier) -> None:
    page = page_of(tally_of(shipped, [Row(1, SCAM, {}, sender="长" * 500)], "名" * 500))
    assert "长" * 60 + "…" in page.text
    assert "长" * 61 not in "".join(page.text)
    assert "名" * 61 not in "".join(page.text)


def said_by_readers() -> Iterator[str]:
    """Every reason that a reader can give for a row or file that it could not read, and every note, from its code, with 7 for what it
    fills in."""
    for path in sorted(Path(readers.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                yield from texts_of(node.exc.args[0])
            elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "problem":
                yield from texts_of(node.value)
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "source.notes.append":
                yield from texts_of(node.args[0])
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Row" and len(node.args) > 3:
                yield from texts_of(node.args[3])


def texts_of(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        text = "".join(part.value if isinstance(part, ast.Constant) else "7" for part in node.values)  # type: ignore[misc]
        yield from [text] if re.search("[a-z]{2}", text) else []
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, (ast.IfExp, ast.BoolOp)):
        for part in (node.body, node.orelse) if isinstance(node, ast.IfExp) else node.values:
            yield from texts_of(part)


REASONS = sorted(set(said_by_readers()))
FILLED_IN = (source.UNDECODABLE, "x: a zip container without a format that is known; unpack it", "x: an XML or HTML document (<a>) of no known kind")


def test_reasons_are_found_in_the_code() -> None:
    assert len(REASONS) > 40


@pytest.mark.parametrize("reason", [*REASONS, *FILLED_IN, "x: JSON of no known shape", "x: No such file or directory"])
def test_every_reason_of_a_reader_has_its_chinese(reason: str) -> None:
    if re.fullmatch(r"7: 7(; .*)?", reason):
        pytest.skip("filled in from elsewhere")
    assert re.search("[一-鿿]", in_chinese(reason)), reason


def test_reasons_are_told_in_chinese_and_counted_by_their_kind() -> None:
    tally = Tally("m", rows=5, rejected=Counter({"2 fields where the first row has 4": 2, "3 fields where the first row has 4": 1, "neues": 1}))
    tally.examples = [("a.csv", 7, "2 fields where the first row has 4")]
    tally.unreadable = {"b.zip": "b.zip: the ZIP container is damaged or cut short"}
    text = " ".join(page_of(tally).text)
    assert "读不出：这一行有 N 列，首行有 N 列 3" in text
    assert "这一行有 2 列，首行有 4 列" in text
    assert "读不出：neues" in text
    assert "ZIP 压缩包已损坏或不完整" in text
    assert "fields" not in text


def test_the_command_writes_it(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(f"短信内容\n{SCAM}\n{FINE}\n", encoding="utf-8")
    arguments = ["label", str(tmp_path / "in.csv"), "-o", str(tmp_path / "out.csv"), "--report", str(tmp_path / "r.html")]
    assert main(arguments) == 0
    first = (tmp_path / "r.html").read_bytes()
    assert main(arguments) == 2  # both exist
    assert main([*arguments, "--force"]) == 0
    assert (tmp_path / "r.html").read_bytes() == first
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv", "out.csv", "r.html"]


@pytest.mark.parametrize("name", ["r.txt", "in.html", "d.html", "none/r.html"])
def test_a_name_that_cannot_be_used_is_refused_before_anything_is_done(name: str, tmp_path: Path) -> None:
    (tmp_path / "in.html").write_text("x")
    (tmp_path / "d.html").mkdir()
    with pytest.raises(InputError):
        report_file(str(tmp_path / name), [str(tmp_path / "in.html")], replace=True)
