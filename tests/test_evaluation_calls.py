"""The measure of calls: honest folds, and a table that counts what was heard."""

import json
from pathlib import Path

import pytest

from classifier import listen
from classifier.classify import Classifier
from classifier.corpus import Example, folds
from classifier.evaluation import EVALUATIONS
from classifier.evaluation.calls import Case, section, sides_known
from classifier.evaluation.held_out import held_out
from classifier.train import FOLDS

SCAM = (("客服", "您好"), ("客户", "喂"), ("客服", "我是京东客服，您的账户异常需要注销，把验证码发给我，把钱转到安全账户"))
CALM = (("A", "您订的蛋糕做好了，您看几点来取"), ("B", "四点吧"))


def example(turns: tuple[tuple[str, str], ...], kind: str, alarm: int | None = None, twin: bool = False) -> Example:
    return Example("x", "", kind, "call", "k", "g", twin=twin, turns=turns, alarm_turn=alarm)


def heard(shipped: Classifier, e: Example) -> Case:
    return Case(e, listen(shipped, e.turns))


@pytest.mark.parametrize(("marked", "early", "late"), [(3, True, 0), (2, False, 1), (1, False, 2)])
def test_early_is_at_the_marked_turn_or_before(shipped: Classifier, marked: int, early: bool, late: int) -> None:
    case = heard(shipped, example(SCAM, "ecommerce", marked))
    assert case.found.alarm_turn == 3
    assert (case.ever, case.end, case.early, case.late, case.known) == (True, True, early, late, True)


def test_the_section_counts(shipped: Classifier) -> None:
    cases = [heard(shipped, example(SCAM, "ecommerce", marked)) for marked in (3, 3, 3, 1)]
    cases += [
        heard(shipped, example(CALM, "ecommerce", 1)),
        heard(shipped, example(CALM, "legit")),
        heard(shipped, example(SCAM, "legit", twin=True)),
    ]
    nameless = [Case(c.example, listen(shipped, [({"客服": "B", "客户": "A"}[s], w) for s, w in c.example.turns])) for c in cases if c.known]
    told = section(cases, nameless)
    assert "| all | 5 | 60.0% | 80.0% | 80.0% | 0 |" in told
    assert "| other fraud | 0 | – | – | – | – |" in told
    assert "| all | 2 | 50.0% | 50.0% |" in told
    assert "| ordinary | 1 | 0.0% | 0.0% |" in told
    assert "| twins of scams, their openings the same | 1 | 100.0% | 100.0% |" in told
    assert "is the caller in 100.0% of frauds" in told
    assert "`scamcall evaluate calls`" in told


def test_no_model_has_seen_the_calls_it_judges(small_corpus: list[Example], corpus: list[Example]) -> None:
    some = [*small_corpus, *[e for e in corpus if e.turns and e.id not in {s.id for s in small_corpus}][:40]]
    fold_of = dict(zip((e.id for e in some), folds([e.group for e in some], FOLDS), strict=True))
    judged = []
    for k, (classifier, unseen) in enumerate(held_out(some)):
        assert {fold_of[e.id] for e in unseen} <= {k}
        assert sum(classifier.model.manifest["examples"].values()) == sum(fold != k for fold in fold_of.values())
        judged += unseen
    assert sorted(e.id for e in judged) == sorted(e.id for e in some)


def test_it_runs_on_the_directory_of_a_corpus(small_corpus: list[Example], tmp_path: Path) -> None:
    (tmp_path / "calls").mkdir()
    with open(tmp_path / "calls" / "some.jsonl", "w", encoding="utf-8") as file:
        for e in small_corpus:
            body = {"turns": [{"speaker": s, "text": t} for s, t in e.turns], "alarm_turn": e.alarm_turn} if e.turns else {"text": e.text}
            record = {"id": e.id, "type": e.type, "channel": e.channel, "kind": e.kind, "group": e.group, **body}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    told = EVALUATIONS["calls"](tmp_path)
    assert told.startswith("## Calls")
    calls = [e for e in small_corpus if e.turns]
    assert f"Each of {len(calls)} calls" in told
    assert f"| all | {sum(e.type != 'legit' for e in calls)} |" in told
    assert any(map(sides_known, calls))
