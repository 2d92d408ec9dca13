"""Terms: the words of the domain, the longest of those that overlap, each with its class, wherever they stand."""

import numpy as np
import pytest
from hypothesis import given
from strategies import batches

from classifier.normalise import PADS, fold
from classifier.terms import PLAIN, classes, dictionary, find_terms


def terms(text: str) -> list[tuple[str, str]]:
    folded = fold([text])
    found = find_terms(folded)
    return [(folded.joined[a:b], classes()[c]) for a, b, c in zip(found.start, found.stop, found.cls, strict=True)]


@given(batches)
def test_terms_lie_in_order_inside_their_message(texts: list[str]) -> None:
    folded = fold(texts)
    found = find_terms(folded)
    assert (found.start < found.stop).all()
    assert (found.stop[:-1] <= found.start[1:]).all()
    owner = folded.message_of[found.start]
    assert (found.stop <= folded.bounds[owner + 1] - PADS).all()


@given(batches)
def test_a_batch_is_searched_as_its_messages_alone(texts: list[str]) -> None:
    folded = fold(texts)
    found = find_terms(folded)
    owner = folded.message_of[found.start]
    for k, text in enumerate(texts):
        alone = find_terms(fold([text]))
        assert (found.start[owner == k] - folded.bounds[k]).tolist() == alone.start.tolist()
        assert (found.stop[owner == k] - folded.bounds[k]).tolist() == alone.stop.tolist()
        assert found.cls[owner == k].tolist() == alone.cls.tolist()


def test_domain_words_are_written_as_texts_are_read() -> None:
    listed = list(dictionary())
    folded = fold(listed)
    assert [folded.text(k) for k in range(len(folded))] == listed
    assert min(map(len, listed)) >= 2
    assert set(classes()) == (set(dictionary().values()) - {PLAIN}) | {"number"}


def test_every_domain_word_has_its_class() -> None:
    wrong = [word for word, cls in dictionary().items() if terms(word)[:1] != [(word, cls)] and cls != PLAIN and "0" not in word]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("请转到安全账户", ("安全账户", "account")),
        ("京东好期贷额度", ("好期贷", "lender")),
        ("走来分期提现", ("来分期", "lender")),
        ("打开zoom", ("zoom", "app")),
        ("点 https://a.cn/b", ("\ue001", "link")),
        ("共500元", ("0", "number")),
    ],
)
def test_terms_are_found(text: str, found: tuple[str, str]) -> None:
    assert found in terms(text)


@pytest.mark.parametrize(
    ("text", "word"), [("online", "line"), ("zoomer", "zoom"), ("员工行为规范", "工行"), ("新建行政楼", "建行"), ("转到安全账户", "账户")]
)
def test_a_word_is_not_seen_in_a_longer_one(text: str, word: str) -> None:
    assert word in dictionary()
    assert word not in [found for found, _ in terms(text)]


def test_no_words_at_all() -> None:
    assert find_terms(fold([])).start.dtype == np.int64
    assert terms("") == []
