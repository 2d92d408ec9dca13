"""Passages: they lie one behind the other, leave nothing out, and end where a sentence does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import hostile

from classifier.normalise import PADS, fold
from classifier.passages import LENGTH, LONGEST, passages_of, stop_of

long_texts = st.lists(st.tuples(hostile, st.integers(1, 8)).map(lambda p: p[0] * p[1]), max_size=5)


@given(long_texts)
def test_passages_cover_long_messages_and_no_others(texts: list[str]) -> None:
    folded = fold(texts)
    passages = passages_of(folded)
    for k in range(len(texts)):
        mine = np.flatnonzero(passages.message == k)
        begin, end = passages.begin[mine].tolist(), passages.end[mine].tolist()
        if begin:
            assert len(begin) > 1
            assert [folded.bounds[k], *end] == [*begin, folded.bounds[k + 1] - PADS]
            assert all(0 < b - a <= LONGEST + LONGEST for a, b in zip(begin, end, strict=True))  # a run of stops at the end is kept together
        else:
            assert folded.bounds[k + 1] - PADS - folded.bounds[k] <= LONGEST
    assert (np.diff(passages.message) >= 0).all()


@given(long_texts)
def test_a_batch_is_cut_as_its_messages_alone(texts: list[str]) -> None:
    folded = fold(texts)
    passages = passages_of(folded)
    for k, text in enumerate(texts):
        alone = passages_of(fold([text]))
        mine = passages.message == k
        assert (passages.begin[mine] - folded.bounds[k]).tolist() == alone.begin.tolist()
        assert (passages.end[mine] - folded.bounds[k]).tolist() == alone.end.tolist()


def cut(text: str) -> list[str]:
    folded = fold([text])
    passages = passages_of(folded)
    return [folded.joined[a:b] for a, b in zip(passages.begin.tolist(), passages.end.tolist(), strict=True)]


@pytest.mark.parametrize("stop", ["。", "!", "?", ";", "\n"])
def test_a_passage_ends_at_the_end_of_a_sentence(stop: str) -> None:
    sentence = "中" * (LENGTH + 4) + stop
    assert cut(sentence * 3) == [sentence] * 3


def test_a_comma_does_where_no_sentence_ends() -> None:
    clause = "中" * (LENGTH + 4) + ","
    assert cut(clause * 2 + "中" * 60) == [clause, clause, "中" * 60]


def test_it_is_cut_anyway_where_nothing_ends() -> None:
    assert [len(part) for part in cut("中" * 250)] == [LONGEST, LONGEST, 250 - 2 * LONGEST]


@given(st.text(alphabet="中。,\n", min_size=2 * LONGEST, max_size=4 * LONGEST), st.integers(0, LONGEST - 1))
def test_where_a_passage_ends_is_settled_by_what_stands_in_reach(text: str, start: int) -> None:
    near = start + LONGEST + 1
    assert stop_of(text, start, len(text), lines=False) == stop_of(text[:near], start, near, lines=False)
    assert start < stop_of(text, start, len(text), lines=False) <= start + LONGEST
