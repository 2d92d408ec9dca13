"""The check of a corpus: what it finds in a record, between records, and in the habits of all of them."""

import json
import random
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from classifier.cli import main
from classifier.corpus import Example
from classifier.corpus_check import Report, check
from classifier.corpus_check.copies import NEAR, RUN, SHORTEST, pairs
from classifier.corpus_check.personal import personal_data
from classifier.corpus_check.probes import FEWEST, PROBES, probe
from classifier.corpus_check.schema import faults
from classifier.errors import InputError
from classifier.normalise import fold
from classifier.retrain import corpus_root

Fields = dict[str, Any]

HAN = (
    "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳云腾致雨露结为霜金生丽水玉出昆冈剑号巨阙珠称夜光果珍李柰菜重芥姜海咸河淡鳞潜羽翔"
)


def message(number: int, text: str, type: str = "legit", **changes: Any) -> Fields:
    fields = {"id": f"a1-{number:04d}", "text": text, "type": type, "channel": "sms", "kind": "chat", "group": f"a1-{number:04d}"}
    return {**fields, "twin": None, "tactics": [], "year": 2024, "batch": "a1", "notes": "", **changes}


def call(number: int, turns: Sequence[tuple[str, str]], type: str = "legit", **changes: Any) -> Fields:
    fields = message(number, "", type, channel="call", turns=[{"speaker": s, "text": t} for s, t in turns], alarm_turn=None if type == "legit" else 1)
    del fields["text"]
    return {**fields, **changes}


def corpus_of(directory: Path, records: Iterable[Fields | str]) -> Path:
    """A corpus directory of one file; a record given as text is written as it is."""
    (directory / "messages").mkdir()
    lines = (r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in records)
    (directory / "messages/a1.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return directory


def found(report: Report, check_name: str) -> list[str]:
    return [f.what for f in report.findings if f.check == check_name]


def chatter(seed: int, length: int = 20) -> str:
    """Characters in no order: texts that share nothing but their alphabet."""
    return "".join(random.Random(seed).choices(HAN, k=length))


FINE = [
    message(1, "刚才那笔款收到了吗，收到回我一句", "ecommerce", group="a1-t1", twin="a1-t1"),
    message(2, "刚才那场雨真大啊，你们那边停了吗", group="a1-t1", twin="a1-t1"),
]


# schema


def test_a_sound_record_has_no_fault() -> None:
    assert faults(message(1, "晚上回家吃饭")) == ()
    assert faults(call(1, [("A", "喂"), ("", "您好")])) == ()
    assert faults(call(1, [("A", "我是警察"), ("B", "啊")], "authority", tactics=["涉案通缉"], alarm_turn=2)) == ()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"id": " "}, "id is empty"),
        ({"type": "scam"}, "type is none of"),
        ({"channel": "fax"}, "channel is none of"),
        ({"kind": "Quality refund"}, "kind is not a snake_case word"),
        ({"group": ""}, "group is empty"),
        ({"twin": ""}, "twin is empty"),
        ({"twin": "a1-t9"}, "twin is neither null nor its group"),
        ({"tactics": ["安全帐户吧"]}, "tactics names one"),
        ({"tactics": ["扫码", "扫码"]}, "tactics names one"),
        ({"tactics": "扫码"}, "tactics names one"),
        ({"year": 2015}, "year is not"),
        ({"year": "2024"}, "year is not"),
        ({"year": True}, "year is not"),
        ({"batch": ""}, "batch is empty"),
        ({"notes": None}, "notes is not text"),
        ({"text": " \n"}, "text is empty or unreadable"),
        ({"text": "验证\ufffd码"}, "text is empty or unreadable"),
        ({"text": None}, "text is empty or unreadable"),
        ({"extra": 1}, "fields: has extra"),
        ({"alarm_turn": None}, "fields: has alarm_turn"),
    ],
)
def test_a_fault_of_a_message_is_named(changes: Fields, fault: str) -> None:
    assert [f.startswith(fault) for f in faults({**message(1, "晚上回家吃饭"), **changes})].count(True) == 1


def test_a_missing_field_is_named() -> None:
    fields = message(1, "晚上回家吃饭")
    del fields["year"]
    assert faults(fields) == ("fields: lacks year",)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"type": "authority", "alarm_turn": None}, "alarm_turn is not one of its 2 turns"),
        ({"type": "authority", "alarm_turn": 0}, "alarm_turn is not one of its 2 turns"),
        ({"type": "authority", "alarm_turn": 3}, "alarm_turn is not one of its 2 turns"),
        ({"type": "authority", "alarm_turn": True}, "alarm_turn is not one of its 2 turns"),
        ({"alarm_turn": 1}, "alarm_turn on a legit call"),
        ({"turns": []}, "0 turns"),
        ({"turns": [{"speaker": "A", "text": "喂"}] * 21}, "21 turns"),
        ({"turns": [{"speaker": "A", "text": ""}]}, "a turn is empty or unreadable"),
        ({"turns": [{"speaker": None, "text": "喂"}]}, "a turn is empty or unreadable"),
        ({"turns": [{"text": "喂"}]}, "turns are not a list of speaker and text"),
        ({"turns": "喂"}, "turns are not a list of speaker and text"),
        ({"text": "喂"}, "fields: has text"),
    ],
)
def test_a_fault_of_a_call_is_named(changes: Fields, fault: str) -> None:
    assert [f.startswith(fault) for f in faults({**call(1, [("A", "喂"), ("B", "您好")]), **changes})] == [True]


def test_faults_name_file_and_line_and_the_rest_is_checked(tmp_path: Path) -> None:
    records = [*FINE, "{", "[]", {**FINE[0], "text": "另一句话"}, message(4, chatter(1), year=1999), message(5, "加我电话13912345678")]
    report = check(corpus_of(tmp_path, records))
    assert found(report, "schema") == [
        "messages/a1.jsonl:3 : not JSON in UTF-8",
        "messages/a1.jsonl:4 : not a JSON object",
        "messages/a1.jsonl:5 a1-0001: its id stands at messages/a1.jsonl:1 already",
        "messages/a1.jsonl:6 a1-0004: year is not 2016 to 2026",
    ]
    assert found(report, "personal data") == ["a1-0005: what looks like a real phone"]


def test_a_file_that_is_not_utf8_is_a_finding(tmp_path: Path) -> None:
    (corpus_of(tmp_path, FINE) / "messages/b1.jsonl").write_bytes(json.dumps(message(9, "晚上回家"), ensure_ascii=False).encode("gb18030"))
    assert found(check(tmp_path), "schema") == ["messages/b1.jsonl:1 : not JSON in UTF-8"]


def test_no_corpus_is_an_error_that_names_the_place(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=re.escape(str(tmp_path))):
        check(tmp_path)


# personal data


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("打我电话13912345678", ["phone"]),
        ("打我电话139-1234-5678", ["phone"]),
        ("打我电话１３９ １２３４ ５６７８", ["phone"]),
        ("打我电话幺三九一二三四五六七八", ["phone"]),
        ("身份证11010519491231002X", ["identity number"]),
        ("身份证11010519491231002x，姓名", ["identity number"]),
        ("卡号6222021234567894", ["bank card"]),
        ("卡号 6222 0212 3456 7894", ["bank card"]),
        ("写信到 zhang.san@163.com", ["e-mail address"]),
        ("13912345678，zhang.san@163.com", ["phone", "e-mail address"]),
        ("打我电话138****5678", []),
        ("打我电话1380000xxxx", []),
        ("热线95588、12306、400-000-0000", []),
        ("运单号139123456789", []),
        ("身份证110105194912310021", []),  # the check character is wrong
        ("身份证110105194913310026", []),  # no such day
        ("卡号6222021234567895", []),  # Luhn's digit is wrong
        ("卡号6222****7894", []),
        ("写信到 risk@example.com 或 a@mail.example.org", []),
        ("写信到 zh***n@163.com", []),
        ("直接@我", []),
    ],
)
def test_what_looks_like_personal_data(text: str, what: list[str]) -> None:
    assert personal_data(text) == what


# copies


def test_a_copy_is_seen_through_numbers_links_punctuation_and_disguise() -> None:
    copies = ["您尾号0427的订单已退款，请在支付宝账单里查看", "您尾号3391的訂單已退款。请在支付寶账单里查 看！https://a.example.com"]
    assert [(p.a, p.b, p.longer) for p in pairs(copies)] == [(0, 1, 1.0)]


def test_short_texts_are_copies_only_as_a_whole() -> None:
    assert [(p.a, p.b) for p in pairs(["收到，谢谢", "好的", "收到谢谢", "收到谢谢你", "", "123", "456"])] == [(0, 2)]


def test_pairs_are_those_that_comparing_all_with_all_finds(texts: list[str]) -> None:
    some = [*texts[:150], *(t[: len(t) // 2] for t in texts[:40]), *(t + u for t, u in zip(texts[40:60], texts[60:80], strict=True))]
    folded = fold(some)
    han = [re.sub("[^\u3400-\u9fff]", "", folded.text(k)) for k in range(len(some))]
    runs = [{h[i : i + RUN] for i in range(len(h) - RUN + 1)} for h in han]
    long = [k for k, h in enumerate(han) if len(h) >= SHORTEST]
    expected = {(a, b): len(runs[a] & runs[b]) for a in long for b in long if a < b}
    near = {(a, b): n / min(len(runs[a]), len(runs[b])) for (a, b), n in expected.items() if n >= NEAR * min(len(runs[a]), len(runs[b]))}
    assert len(near) >= 50
    assert {(p.a, p.b): p.shorter for p in pairs(some) if len(han[p.a]) >= SHORTEST} == pytest.approx(near)


def test_near_copies_are_found_across_groups_and_left_alone_within(tmp_path: Path) -> None:
    text, other = chatter(1, 30), chatter(2, 30)
    near = [message(1, text), message(2, text[:25] + "？"), message(3, other, group="a1-g1"), message(4, other + "嗯", group="a1-g1")]
    assert found(check(corpus_of(tmp_path, near)), "near-copy") == [
        "a1-0001 and a1-0002 share 100% of the shorter's five-character runs, but no group"
    ]


def test_one_text_under_two_labels_is_a_conflict_even_among_twins(tmp_path: Path) -> None:
    text = chatter(1, 30)
    records = [message(1, text, "credit", group="a1-t1", twin="a1-t1"), message(2, text + "。", group="a1-t1", twin="a1-t1")]
    report = check(corpus_of(tmp_path, records))
    assert found(report, "label conflict") == ["a1-0001 and a1-0002 (credit and legit) say the same"]
    assert found(report, "near-copy") == []


# habits


def test_twins_stand_on_both_sides(tmp_path: Path) -> None:
    sets = {"a1-t1": ["credit", "legit"], "a1-t2": ["legit", "legit"], "a1-t3": ["credit"]}
    marked = [(group, type) for group, types in sets.items() for type in types]
    records = [message(k, chatter(k), type, group=group, twin=group) for k, (group, type) in enumerate(marked)]
    records += [message(8, chatter(8), group="a1-g4"), message(9, chatter(9), "credit", group="a1-g4")]
    assert found(check(corpus_of(tmp_path, records)), "twins") == [
        "a1-t2: all on one side",
        "a1-t3: one text",
        "a1-g4: on both sides, but not marked as twins",
    ]


def test_an_opening_of_one_side_is_found_once(tmp_path: Path) -> None:
    mine = [message(k, "骗子说" + chatter(k)) for k in range(12)]
    both = [message(k, "刚才那" + chatter(k), "legit" if k % 2 else "credit") for k in range(20, 40)]
    same_group = [message(k, "楼下的" + chatter(k), group="a1-g1") for k in range(40, 60)]
    report = check(corpus_of(tmp_path, [*mine, *both, *same_group]))
    assert found(report, "first words") == ["'骗子' opens texts of 0 fraud and 12 legit groups"]


def test_templates_leave_set_phrases(tmp_path: Path) -> None:
    frame = "尊敬的客户您的{}已经到期请您于今天之内{}办理完毕谢谢您的配合"
    report = check(
        corpus_of(tmp_path, [message(k, frame.format(chatter(k, 3), chatter(100 + k, 3)), "legit" if k % 2 else "credit") for k in range(10)])
    )
    assert len(found(report, "set phrases")) == 1


def test_a_length_or_a_trait_of_one_side_is_found(tmp_path: Path) -> None:
    fraud = [message(k, chatter(k, 60) + " t.cn/xxxx", "credit") for k in range(10)]
    legit = [message(20 + k, chatter(20 + k, 20)) for k in range(10)]
    assert found(check(corpus_of(tmp_path, [*fraud, *legit])), "balance") == [
        "0 to 25 characters: 0% of fraud, 100% of legit messages",
        "46 to 90 characters: 100% of fraud, 0% of legit messages",
        "no punctuation: 0% of fraud, 100% of legit messages",
        "a link: 100% of fraud, 0% of legit messages",
    ]


def test_a_side_that_outweighs_the_other_is_found(tmp_path: Path) -> None:
    report = check(corpus_of(tmp_path, [message(k, chatter(k), "legit" if k % 4 == 0 else "credit") for k in range(12)]))
    assert found(report, "balance") == ["75% of the messages are fraud; should be 35% to 65%"]


# probes


def examples(texts: Iterable[tuple[str, str]]) -> list[Example]:
    return [Example(f"a-{k}", text, type, "im", "chat", f"a-{k}") for k, (text, type) in enumerate(texts)]


def sides(count: int) -> Iterable[tuple[int, str]]:
    return ((k, "credit" if k % 2 else "legit") for k in range(count))


def leaks(given: list[Example]) -> set[str]:
    """The probes that go above the limit."""
    return {f.what.split(":")[0] for f in probe(given)[1]}


def test_a_corpus_without_shortcuts_passes_all_probes() -> None:
    assert leaks(examples((chatter(k, 40), type) for k, type in sides(400))) == set()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("first 6 characters", lambda k, fraud: ("刚才的事" if fraud else "昨天的事") + chatter(k, 36)),
        ("length and punctuation", lambda k, fraud: chatter(k, 40) + ("！" if fraud else "。")),
        ("sender and greeting words", lambda k, fraud: chatter(k, 10) + ("客服" if fraud else "妈妈") + chatter(1000 + k, 28)),
    ],
)
def test_a_probe_sees_its_shortcut_and_no_other(name: str, text: Any) -> None:
    assert leaks(examples((text(k, type != "legit"), type) for k, type in sides(400))) == {name}


def test_speaker_labels_are_probed_in_calls_alone() -> None:
    calls = [
        Example(
            f"c-{k}",
            chatter(k, 30),
            type,
            "call",
            "call",
            f"c-{k}",
            turns=(("骗子" if type != "legit" else "客服", chatter(k, 15)), ("我", chatter(k, 15))),
        )
        for k, type in sides(200)
    ]
    assert leaks([*calls, *examples((chatter(1000 + k, 30), type) for k, type in sides(200))]) == {"speaker labels (calls)"}


def test_no_group_is_divided_between_the_folds() -> None:
    """An opening that only one group has cannot be learned from the others."""
    given = [
        Example(f"a-{k}", chatter(k // 4, 6) + chatter(1000 + k, 30), "credit" if k % 8 < 4 else "legit", "im", "chat", f"g-{k // 4}")
        for k in range(400)
    ]
    assert leaks(given) == set()
    assert leaks([replace(e, group=e.id) for e in given]) == {"first 6 characters"}


def test_too_few_texts_are_not_judged() -> None:
    table, findings = probe(examples((("刚才" if type != "legit" else "昨天") + chatter(k), type) for k, type in sides(2 * FEWEST - 2)))
    assert findings == []
    assert {cell for row in table.rows for cell in row[1:]} == {"–"}
    assert [row[0] for row in table.rows] == [p.name for p in PROBES]


def test_without_scikit_learn_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with pytest.raises(InputError, match="pip install"):
        probe(examples([("好的", "legit")]))


# the command


def test_the_command_ends_with_0_when_clean_and_1_with_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clean, faulty = tmp_path / "clean", tmp_path / "faulty"
    clean.mkdir()
    faulty.mkdir()
    assert main(["corpus", "check", str(corpus_of(clean, FINE))]) == 0
    assert capsys.readouterr().out.endswith("clean: no findings\n")
    assert main(["corpus", "check", str(corpus_of(faulty, [*FINE, message(3, "打我电话13912345678")]))]) == 1
    out = capsys.readouterr().out
    assert "personal data: a1-0003" in out
    assert "13912345678" not in out
    assert main(["corpus", "check", str(tmp_path / "none")]) == InputError.exit_code


def test_columns_line_up_however_wide_the_characters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = [message(k, "请问有什么可以帮您" + chatter(k), "legit" if k % 2 else "credit") for k in range(4)]
    main(["corpus", "check", str(corpus_of(tmp_path, records))])
    lines = [line for line in capsys.readouterr().out.splitlines() if "请问有什么可以帮" in line or "groups  fraud" in line]
    ends = {sum(2 if c > "\u2e7f" else 1 for c in line) for line in lines}
    assert len(lines) >= 2
    assert len(ends) == 1


def test_the_corpus_that_comes_with_scamcall_is_clean() -> None:
    assert check(corpus_root()).findings == ()
