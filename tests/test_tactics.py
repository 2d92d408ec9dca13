"""Tactics: every file keeps its word, the notation is checked, and nothing in a message makes the search slow."""

import re
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from strategies import ATTACKS, batches

from classifier.errors import InputError
from classifier.normalise import LINK, PADS, fold
from classifier.tactics import GAP, STAGES, Tactic, TacticSet, load_tactics, parse_tactic

TACTICS = load_tactics()
PLAIN = {
    "name": "测试",
    "side": "fraud",
    "stage": "借口",
    "explain": "说明",
    "source": "出处",
    "phrases": ["加微信"],
    "patterns": [],
    "hits": [],
    "misses": [],
}


def toml(**changed: object) -> str:
    return "\n".join(
        f"{k} = {str(v).replace(chr(39), chr(34)) if isinstance(v, list) else f'{chr(34)}{v}{chr(34)}'}" for k, v in {**PLAIN, **changed}.items()
    )


def names(text: str, tactics: TacticSet = TACTICS, negated: bool = False) -> list[str]:
    hits = tactics.find(fold([text]))
    return [tactics.tactics[t].name for t, n in zip(hits.tactic, hits.negated, strict=True) if bool(n) == negated]


def single(*patterns: str, phrases: tuple[str, ...] = ()) -> TacticSet:
    return TacticSet([parse_tactic(toml(phrases=list(phrases), patterns=list(patterns)), "test.toml")], ["请勿", "不会"])


def examples(kind: str) -> list[object]:
    return [pytest.param(tactic, text, id=f"{tactic.file}: {text[:20]}") for tactic in TACTICS.tactics for text in getattr(tactic, kind)]


@pytest.mark.parametrize(("tactic", "text"), examples("hits"))
def test_a_files_own_hits_are_found(tactic: Tactic, text: str) -> None:
    assert tactic.name in names(text)


@pytest.mark.parametrize(("tactic", "text"), examples("misses"))
def test_a_files_own_misses_are_not(tactic: Tactic, text: str) -> None:
    assert tactic.name not in names(text)


@pytest.mark.parametrize("tactic", TACTICS.tactics, ids=lambda t: t.file)
def test_a_file_is_complete(tactic: Tactic) -> None:
    assert tactic.hits
    assert tactic.misses
    assert len(tactic.explain) >= 10
    assert tactic.source
    assert tactic.stage in STAGES


def test_phrases_are_written_as_texts_are_read() -> None:
    """Simplified, lower case, a run of digits one 0: a phrase written otherwise is never found."""
    written = [(t.file, part) for t in TACTICS.tactics for source in (*t.phrases, *t.patterns) for part in re.split(r"[\[\]|…]", source)]
    assert [(file, part) for file, part in written if fold([part.replace(LINK, "链")]).text(0) != part.replace(LINK, "链")] == []


def test_no_two_files_name_one_tactic() -> None:
    assert len({t.name for t in TACTICS.tactics}) == len(TACTICS.tactics) == len(TACTICS.explain)
    assert [TACTICS.index(t.name) for t in TACTICS.tactics] == list(range(len(TACTICS.tactics)))
    listed = sorted(p.name for p in (files("classifier") / "data/tactics").iterdir())
    assert [t.file for t in TACTICS.tactics] == listed


# -- notation


@pytest.mark.parametrize(
    ("pattern", "hits", "misses"),
    [
        (
            "[把|将]…验证码",
            ["把验证码", "将你的验证码", "把" + "中" * GAP + "验证码"],
            ["验证码", "把。验证码", "把" + "中" * (GAP + 1) + "验证码", "把\n验证码"],
        ),
        ("[点|]链接[领取|办理]", ["点链接领取", "链接办理"], ["链接", "领取链接"]),
        ("验证码…发…给我", ["验证码发给我", "验证码是多少发一下给我"], ["验证码给我"]),
        ("c++.*账户", ["c++.*账户"], ["ccc账户", "c++xx账户"]),
    ],
)
def test_notation(pattern: str, hits: list[str], misses: list[str]) -> None:
    tactics = single(pattern)
    assert all(names(text, tactics) for text in hits)
    assert not any(names(text, tactics) for text in misses)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("[把|将…验证码", "bracket"),
        ("把]…验证码", "bracket"),
        ("[把|[将]]验证码", "bracket"),
        ("甲乙…丙丁…戊己…庚辛", "gaps"),
        ("[把|将]…[码|号]", "two characters"),
        ("[验证码|]", "two characters"),
        ("码", "two characters"),
        ("", "two characters"),
    ],
)
def test_a_fault_in_the_notation_names_file_and_pattern(pattern: str, why: str) -> None:
    with pytest.raises(InputError, match=rf"^test\.toml: .*{why}") as error:
        single(pattern)
    assert repr(pattern) in str(error.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("name = ", "not TOML"),
        (toml() + "\nextra = 1", "extra"),
        (toml().replace("explain", "explains"), "explain"),
        (toml(side="both"), "side"),
        (toml(stage="别的"), "stage"),
        (toml(phrases="加微信"), "phrases should be a list of strings"),
        (toml(phrases=[1]), "phrases should be a list of strings"),
        (toml(explain=["说明"]), "explain should be a string"),
    ],
)
def test_a_fault_in_a_file_names_the_file(text: str, why: str) -> None:
    with pytest.raises(InputError, match=rf"^test\.toml: .*{why}"):
        parse_tactic(text, "test.toml")


# -- search


@pytest.mark.parametrize(
    ("text", "turned"),
    [
        ("请勿加微信", True),
        ("我们不会让您加微信", True),
        ("请勿轻信，加微信", False),
        ("请勿" + "中" * 20 + "加微信", False),
        ("加微信", False),
    ],
)
def test_a_negation_in_the_same_clause_turns_a_hit_round(text: str, turned: bool) -> None:
    tactics = single(phrases=("加微信",))
    assert names(text, tactics, negated=turned) == ["测试"]
    assert names(text, tactics, negated=not turned) == []


def test_disguise_hides_no_tactic() -> None:
    for text in ("安 全 账 户", "安全\u200b账户", "安全賬戶", "安·全·账·户", "★安★全★账★户★"):
        assert "安全账户" in names(f"请把钱转到{text}"), text


@given(batches)
def test_hits_lie_in_order_inside_their_message(texts: list[str]) -> None:
    folded = fold(texts)
    hits = TACTICS.find(folded)
    order = list(zip(hits.message.tolist(), hits.start.tolist(), hits.tactic.tolist(), strict=True))
    assert order == sorted(order)
    assert (hits.start < hits.stop).all()
    assert (hits.start >= folded.bounds[hits.message]).all()
    assert (hits.stop <= folded.bounds[hits.message + 1] - PADS).all()


@given(batches)
def test_a_batch_is_searched_as_its_messages_alone(texts: list[str]) -> None:
    folded = fold(texts)
    hits = TACTICS.find(folded)
    for k, text in enumerate(texts):
        alone, mine = TACTICS.find(fold([text])), hits.message == k
        assert hits.tactic[mine].tolist() == alone.tactic.tolist()
        assert hits.negated[mine].tolist() == alone.negated.tolist()
        assert (hits.start[mine] - folded.bounds[k]).tolist() == alone.start.tolist()
        assert (hits.stop[mine] - folded.bounds[k]).tolist() == alone.stop.tolist()


def test_the_search_finds_what_trying_everything_would(texts: list[str]) -> None:
    """The anchors only save work: with every phrase tried in every message the tactics are the same."""
    folded = fold(texts)
    hits = TACTICS.find(folded)
    found = set(zip(hits.message.tolist(), hits.tactic.tolist(), strict=True))
    tried = set()
    for t, tactic in enumerate(TACTICS.tactics):
        anywhere = re.compile("|".join(as_regex(source) for source in (*tactic.phrases, *tactic.patterns)))
        tried |= {(k, t) for k in range(len(texts)) if anywhere.search(folded.text(k))}
    assert found == tried


def as_regex(source: str) -> str:
    """The notation, read anew: […|…] a choice, … a gap within a sentence."""
    parts = re.findall(r"\[[^\]]*\]|…|[^\[…]+", source)
    return "".join(
        rf"[^。!?;\n]{{0,{GAP}}}" if p == "…" else f"(?:{'|'.join(map(re.escape, p[1:-1].split('|')))})" if p[0] == "[" else re.escape(p)
        for p in parts
    )


# -- time, by counting steps


def steps(tree: Any) -> int:
    """How many ways a parsed expression can be tried at one position, at most; infinite repetition is refused."""
    total = 1
    for op, value in tree:
        match str(op):
            case "LITERAL" | "NOT_LITERAL" | "IN" | "ANY" | "AT":
                pass
            case "MAX_REPEAT":
                low, high, inner = value
                assert high <= GAP, "repetition without an end"
                total *= (high - low + 1) * steps(inner)
            case "SUBPATTERN":
                total *= steps(value[-1])
            case "BRANCH":
                total *= sum(steps(branch) for branch in value[1])
            case other:
                raise AssertionError(f"{other} has no place in a tactic")
    return total


@pytest.mark.parametrize("tactic", TACTICS.tactics, ids=lambda t: t.file)
def test_every_pattern_takes_bounded_steps_at_a_position(tactic: Tactic) -> None:
    from re import _parser  # type: ignore[attr-defined]

    for source in tactic.patterns:
        assert steps(_parser.parse(as_regex(source))) <= 200_000, source


@pytest.mark.parametrize("unit", ATTACKS, ids=lambda u: u.encode("unicode_escape").decode())
def test_attacks_by_repetition_end(unit: str) -> None:
    hits = TACTICS.find(fold([(unit * (100_000 // len(unit)))[:100_000]]))
    assert len(hits.tactic) <= 100_000


def test_attacks_by_a_files_own_beginnings_end() -> None:
    """What brings a pattern to its last part again and again, and then does not match."""
    for tactic in TACTICS.tactics:
        for source in tactic.patterns[:3]:
            head = re.sub(r"\[([^|\]]*)[^\]]*\]", r"\1", source).split("…")[0] or "把"
            TACTICS.find(fold([head * (10_000 // len(head))]))
