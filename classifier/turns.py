"""Who speaks in a transcript: finds the speaker labels at the beginnings of lines, and says which side of a call they name.

Owns the rule for telling a label from text with a colon; the words are data (`data/roles.tsv`). Knows nothing of folding or scores; the
labels are cut out before anything is read, so that no score can hang on how a recogniser names its speakers.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

_TIME = r"(?:[\[(【]?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?[\])】]?\s*)?"
_NAME = r"[^\s:：,，。！？!?\[\]()（）【】\d]{1,8}|[^\W\d_]{1,9}[ _]?\d{1,3}"  # 客服, 王先生, SPEAKER_00
_LABEL = re.compile(rf"^[ \t]*{_TIME}[\[(【]?({_NAME})[\])】]?[ \t]*{_TIME}[:：](?!//)[ \t]*", re.M)
_NUMBERED = re.compile(r"([^\W\d_]+)(?:[ _]?\d{1,3})?")
_MIN_SHARE = 0.6  # of the lines must carry a label before unknown names count as speakers


@dataclass(frozen=True)
class Label:
    """A speaker label; raw[start:end] is the label with its colon, `name` the speaker."""

    start: int
    end: int
    name: str


def transcript(turns: Iterable[tuple[str, str]]) -> str:
    """A call as text: `speaker：words`, a turn a line.

    >>> transcript([("A", "喂"), ("", "您好")])
    'A：喂\\n您好'
    """
    return "\n".join(f"{speaker}：{text}" if speaker else text for speaker, text in turns)


def is_role(name: str) -> bool:
    """Is a name taken as a speaker's wherever a line begins with it? A number behind a word of two characters or more changes nothing.

    >>> is_role("客服2"), is_role("B"), is_role("B2"), is_role("持卡人"), is_role("王经理")
    (True, True, False, False, False)
    """
    match = _NUMBERED.fullmatch(name)
    word = match[1].casefold() if match else ""
    return word in _roles() and _roles()[word][1] and (len(word) > 1 or len(name) == 1)


def split_label(line: str) -> tuple[str, str]:
    """(speaker, words) of a line that is known to be one turn, whatever the speaker is called; speaker "" where there is no label.

    >>> split_label("王经理：您好"), split_label("喂？")
    (('王经理', '您好'), ('', '喂？'))
    """
    label = _LABEL.match(line)
    return (label[1], line[label.end() :]) if label else ("", line)


@lru_cache(maxsize=1)
def _roles() -> dict[str, tuple[str, bool]]:
    """Role word -> (side, is it a label wherever a line begins with it?), from `data/roles.tsv`."""
    lines = (files("classifier") / "data/roles.tsv").read_text(encoding="utf-8").splitlines()
    words = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {word: ("" if side == "neither" else side, not name) for word, side, *name in words}


def side_of(speaker: str) -> str:
    """The side of a call that a speaker's label names, "caller" or "called"; "" where it does not say.

    >>> side_of("客服2"), side_of("机主"), side_of("说话人1")
    ('caller', 'called', '')
    """
    return _roles().get(speaker.strip().rstrip("0123456789 _").casefold(), ("", False))[0]


def label_spans(text: str) -> list[Label]:
    """The speaker labels of a transcript, in order; empty where the text is none.

    >>> [(l.name, l.end) for l in label_spans("A：喂，您好\\nB：你是哪位")]
    [('A', 2), ('B', 9)]
    >>> label_spans("温馨提示：您的快递已到")
    []
    """
    if "\n" not in text:  # the usual case, in half the time
        label = _LABEL.match(text)
        return [_label(label)] if label and is_role(label[1]) else []
    found = list(map(_label, _LABEL.finditer(text)))
    if all(is_role(label.name) for label in found):
        return found
    lines = sum(1 for line in text.split("\n") if line.strip())
    names = [label.name for label in found]
    if len(found) >= 3 and len(found) >= _MIN_SHARE * lines and len(set(names)) <= max(2, len(names) // 2):
        return found
    return [label for label in found if is_role(label.name)] if len(found) >= 2 else []


def _label(match: re.Match[str]) -> Label:
    return Label(match.start(), match.end(), match[1])
