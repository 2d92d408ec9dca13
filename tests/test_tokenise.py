"""Words: jieba's, whichever segmenter cuts them, with a class for each word of the domain dictionary, and no cache file."""

import json
import marshal
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from strategies import batches, hostile

from classifier.corpus import Example
from classifier.normalise import PADS, fold
from classifier.tokenise import Cut, Tokens, classes, dictionary, python_cut, tokenise


@pytest.fixture(scope="module")
def rust() -> Cut:
    pytest.importorskip("rjieba", reason="an optional speed-up; there is no second segmenter to compare with")
    from classifier.tokenise import rust_cut

    return rust_cut()


@pytest.fixture(scope="module")
def python() -> Cut:
    return python_cut()


def words(text: str, cut: Cut | None = None) -> list[str]:
    folded = fold([text])
    tokens = tokenise(folded, cut)
    return [folded.joined[a:b] for a, b in zip(tokens.start, tokens.stop, strict=True)]


def test_both_segmenters_give_the_same_words_on_the_whole_corpus(corpus: list[Example], rust: Cut, python: Cut) -> None:
    folded = fold([e.text for e in corpus])
    differ = [e.id for k, e in enumerate(corpus) if rust(folded.text(k)) != python(folded.text(k))]
    assert differ == []


@given(hostile)
def test_both_segmenters_give_the_same_words_on_any_text(rust: Cut, python: Cut, text: str) -> None:
    once = fold([text]).joined
    assert rust(once) == python(once)


@given(batches)
def test_words_lie_in_order_inside_their_message(texts: list[str]) -> None:
    folded = fold(texts)
    tokens = tokenise(folded)
    assert (tokens.start < tokens.stop).all()
    assert (tokens.stop[:-1] <= tokens.start[1:]).all()
    owner = folded.message_of[tokens.start]
    assert (tokens.stop <= folded.bounds[owner + 1] - PADS).all()
    assert not any(folded.joined[a:b].isspace() for a, b in zip(tokens.start, tokens.stop, strict=True))


@given(batches)
def test_a_batch_is_cut_as_its_messages_alone(texts: list[str]) -> None:
    folded = fold(texts)
    tokens = tokenise(folded)
    owner = folded.message_of[tokens.start]
    for k, text in enumerate(texts):
        alone = tokenise(fold([text]))
        assert (tokens.start[owner == k] - folded.bounds[k]).tolist() == alone.start.tolist()
        assert tokens.keys[owner == k].tolist() == alone.keys.tolist()
        assert tokens.cls[owner == k].tolist() == alone.cls.tolist()


def test_domain_words_have_their_class() -> None:
    listed = dictionary()
    folded = fold(list(listed))
    assert [folded.text(k) for k in range(len(folded))] == list(listed), "the dictionary is written as texts are read"
    assert set(classes()) == set(listed.values())
    for word, cls in listed.items():
        tokens: Tokens = tokenise(fold([word]), lambda text: [text[:-PADS], *text[-PADS:]])
        assert [classes()[c] for c in tokens.cls] == [cls], word


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("请转到安全账户", "安全账户"),
        ("开通百万保障", "百万保障"),
        ("京东好期贷额度", "好期贷"),
        ("打开屏幕共享", "屏幕共享"),
        ("走来分期提现", "来分期"),
    ],
)
def test_domain_words_win_over_their_parts(text: str, word: str) -> None:
    assert word in words(text)


def test_unknown_characters_are_words_of_their_own() -> None:
    """With its hidden Markov model jieba would join them, in quadratic time."""
    rare = "".join(chr(c) for c in range(0x9000, 0x9000 + 3000))
    assert max(map(len, words(rare))) <= 3


def test_a_planted_cache_file_is_never_read(tmp_path: Path) -> None:
    """jieba un-marshals $TMPDIR/jieba.cache; one that makes a word of everything would show in the words."""
    cache = tmp_path / "jieba.cache"
    cache.write_bytes(marshal.dumps(({"请把钱转到安全账户": 10**9}, 10**9)))
    before = cache.stat()
    program = """
import json, sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
from classifier.normalise import fold
from classifier.tokenise import python_cut
words = python_cut()(fold(["请把钱转到安全账户"]).text(0))
print(json.dumps({"words": words, "opened": opened}))
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path), "TEMP": str(tmp_path), "TMP": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, encoding="utf-8", check=True)
    result = json.loads(done.stdout)
    assert result["words"] == ["请", "把", "钱", "转", "到", "安全账户"]
    assert not [path for path in result["opened"] if str(tmp_path) in path or path.endswith("jieba.cache")]
    assert (cache.stat().st_mtime_ns, cache.stat().st_size) == (before.st_mtime_ns, before.st_size)
    assert list(tmp_path.iterdir()) == [cache]
