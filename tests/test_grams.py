"""Keys of n-grams: equal for equal characters wherever they stand, different for all that the corpus holds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import grams
from classifier.corpus import Example
from classifier.normalise import fold


def codes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4")


words = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8)


@given(words, words.filter(bool), words)
def test_a_text_is_found_wherever_it_stands(before: str, text: str, after: str) -> None:
    whole = codes(before + text + after)
    at, which = grams.Literals([text]).find(whole, grams.char_grams(whole, 4))
    joined = before + text + after
    assert sorted(at.tolist()) == [k for k in range(len(joined)) if joined.startswith(text, k)]
    assert not which.any()


@given(st.sets(words.filter(bool), min_size=1, max_size=6).map(sorted), words)
def test_texts_of_all_lengths_are_found_together(texts: list[str], between: str) -> None:
    joined = between.join([*texts, *texts])
    whole = codes(joined)
    at, which = grams.Literals(texts).find(whole, grams.char_grams(whole, 4))
    expected = {(k, n) for n, text in enumerate(texts) for k in range(len(joined)) if joined.startswith(text, k)}
    assert set(zip(at.tolist(), which.tolist(), strict=True)) == expected


@given(st.lists(words, max_size=6))
def test_keys_of_several_texts_are_those_of_each(texts: list[str]) -> None:
    assert grams.of_texts(texts).tolist() == [int(grams.of_texts([t])[0]) for t in texts]


@given(words, words, st.integers(1, 4))
def test_an_n_gram_has_one_key_wherever_it_stands(before: str, text: str, n: int) -> None:
    here, there = grams.char_grams(codes(text), n), grams.char_grams(codes(before + text), n)
    assert [len(keys) for keys in here] == [max(len(text) - k, 0) for k in range(n)]
    for k in range(n):
        assert here[k].tolist() == there[k][len(before) :][: len(here[k])].tolist()


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_no_two_n_grams_of_the_corpus_share_slot_and_print(corpus: list[Example], n: int) -> None:
    joined = fold([e.text for e in corpus[:3000]]).joined
    distinct = sorted({joined[i : i + n] for i in range(len(joined) - n + 1)})
    keys = grams.char_grams(codes("".join(distinct)), n)[-1][::n]
    told_apart = set(zip(grams.slots(keys).tolist(), grams.prints(keys).tolist(), strict=True))
    assert len(told_apart) == len(distinct)


@given(st.lists(st.integers(0, 2**64 - 1), max_size=50))
def test_slots_and_prints_fit_their_tables(values: list[int]) -> None:
    keys = np.array(values, dtype=np.uint64)
    assert (grams.slots(keys) >= 0).all()
    assert (grams.slots(keys) < 1 << grams.SLOT_BITS).all()
    assert grams.prints(keys).dtype == np.uint32


def test_kinds_of_one_text_have_different_keys() -> None:
    one = grams.of_texts(["客服"])
    assert len({int(grams.salt(one, kind)[0]) for kind in range(1, 10)} | {int(one[0])}) == 10


@given(st.lists(st.integers(0, 2**62), max_size=50))
def test_distinct(values: list[int]) -> None:
    assert grams.distinct(np.array(values, dtype=np.int64)).tolist() == sorted(set(values))
