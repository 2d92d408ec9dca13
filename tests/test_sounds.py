"""Sounds: characters that are spoken alike are one, others stay what they are."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.sounds import code, merged, show, sounds_of, syllables


def sounds(text: str) -> str:
    return " ".join(show(c) for c in sounds_of(np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")).tolist())


@pytest.mark.parametrize(
    ("one", "other"), [("微信", "薇芯"), ("转账", "专章"), ("银行", "印形"), ("登录", "灯路"), ("兰州", "南粥"), ("京东", "金洞")]
)
def test_the_same_sound(one: str, other: str) -> None:
    assert sounds(one) == sounds(other)


@pytest.mark.parametrize(("one", "other"), [("转账", "转帐户"), ("退款", "付款"), ("ab", "ba"), ("1", "一")])
def test_another_sound(one: str, other: str) -> None:
    assert sounds(one) != sounds(other)


def test_the_table_is_sound() -> None:
    every = "".join(syllables().values())
    assert len(every) == len(set(every)) > 20_000, "a character has one reading"
    assert all(syllable.isascii() and syllable.isalpha() and merged(merged(syllable)) == merged(syllable) for syllable in syllables())
    assert [show(code(syllable)) for syllable in syllables()] == [merged(syllable) for syllable in syllables()]
    assert min(map(code, syllables())) > 2 * sys.maxunicode, "neither a character, nor a character without a syllable"


def test_no_such_syllable() -> None:
    with pytest.raises(ValueError, match="xyz"):
        code("xyz")


@given(st.text(alphabet=st.characters(max_codepoint=0x33FF)))
def test_what_is_no_chinese_character_is_heard_as_itself_alone(text: str) -> None:
    heard = sounds_of(np.array([ord(c) for c in text], dtype=np.uint32)).tolist()
    assert [show(c).strip("'") or "'" for c in heard] == list(text)
    assert not set(heard) & {code(syllable) for syllable in syllables()}
    assert min(heard, default=sys.maxunicode + 1) > sys.maxunicode, "what is heard is never taken for what is read"
