"""The pure function of a batch: what a text gets does not hang on its company, and its reasons are those of its verdict."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from strategies import batches

from classifier import Classifier
from classifier.batch import COLUMNS, EVIDENCE, label_texts
from classifier.classify import BATCH_CHARS, Scored
from classifier.normalise import fold
from classifier.records import Labels


def only(labels: Labels, k: int) -> Labels:
    """The labels of one text."""
    return Labels(*(column and [column[k]] for column in labels))


@given(batches)
def test_a_label_does_not_depend_on_company(shipped: Classifier, batch: list[str]) -> None:
    labels = label_texts(shipped, batch, evidence=True)
    assert [only(labels, k) for k in range(len(batch))] == [label_texts(shipped, [text], evidence=True) for text in batch]


def test_labels_say_what_verdicts_say(shipped: Classifier, texts: list[str]) -> None:
    labels = label_texts(shipped, texts)
    verdicts = shipped.score_batch(texts)
    assert labels.scam_score == pytest.approx([v.scam_score for v in verdicts], abs=1e-6)
    assert labels.scam_verdict == [v.scam_verdict for v in verdicts]
    assert labels.scam_type == [v.scam_type for v in verdicts]
    assert labels.scam_tactics == ["、".join(v.tactics) for v in verdicts]
    assert labels.scam_status == [v.status for v in verdicts]
    assert labels.scam_evidence is None


def test_what_is_not_called_legit_has_the_reasons_of_its_verdict(shipped: Classifier, texts: list[str]) -> None:
    labels = label_texts(shipped, texts, evidence=True)
    assert labels.scam_evidence is not None
    kinds = set()
    for verdict, reasons in zip(shipped.score_batch(texts, evidence=True), labels.scam_evidence, strict=True):
        kinds.add(verdict.scam_verdict)
        if verdict.scam_verdict == "legit":
            assert reasons is None
        else:
            assert reasons == [{"feature": e.feature, "contribution": round(e.contribution, 4), "span": e.span} for e in verdict.evidence]
    assert kinds == {"impersonation", "other_fraud", "unsure", "legit"}


def test_what_is_not_read_from_left_to_right_is_shown_where_it_stands(shipped: Classifier) -> None:
    texts = ["嘿澳注\n一門册\n倍威送\n官尼就\n网斯了，加我微信领取", "把\u202e码证验\u202c发给我，我是客服", "嘿澳注\n一門册\n倍威送\n官尼就\n网斯了"]
    labels = label_texts(shipped, texts, evidence=True)
    assert any(labels.scam_evidence or ())
    for text, verdict, reasons in zip(texts, shipped.score_batch(texts, evidence=True), labels.scam_evidence or (), strict=True):
        assert reasons is None or [item["span"] for item in reasons] == [e.span for e in verdict.evidence]
        for e in verdict.evidence:
            family, _, name = e.feature.partition(":")
            if family == "char" and e.span:
                assert set(name) <= {fold([c]).text(0) for c in text[slice(*e.span)]}, e


def test_a_number_that_is_turned_round_in_part_is_shown_whole(shipped: Classifier) -> None:
    text = "把\u202e码证验\u202c发给我，我是客服，您的号码12\u202e43\u202c，加我微信领取"
    shown = [text[slice(*e.span)] for e in shipped.scan([text]).contributions(0)[1] if e.span and e.feature.startswith("char:") and "0" in e.feature]
    assert shown
    assert all("12\u202e43" in part for part in shown)


def test_any_number_of_texts_is_labelled_a_batch_at_a_time(shipped: Classifier, texts: list[str]) -> None:
    several, scans = [text * 40 for text in texts[:40]] * (BATCH_CHARS // 20_000), []

    class Watched(Classifier):
        def scan(self, texts: Sequence[str]) -> Scored:
            scans.append(sum(map(len, texts)))
            return super().scan(texts)

    labels = label_texts(Watched(shipped.model), several, evidence=True)
    assert len(scans) > 2
    assert max(scans) <= BATCH_CHARS < sum(scans) == sum(map(len, several))
    assert [only(labels, k) for k in range(40)] == [label_texts(shipped, [text], evidence=True) for text in several[:40]]
    assert all(only(labels, k) == only(labels, k % 40) for k in range(len(several)))


def test_no_texts_have_no_labels(shipped: Classifier) -> None:
    assert label_texts(shipped, [], evidence=True) == Labels([], [], [], [], [], [])
    assert (*COLUMNS, EVIDENCE) == Labels._fields
