"""How Chinese characters sound: each is read as one of some 290 syllables, without tone, what is often confused taken as one.

Owns the table `data/sounds.tsv` and which sounds count as the same. Knows nothing of words or features.
A character has the reading it has most often; 行 is always xing. What is compared was read the same way, so that costs little.
"""

import re
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

_SPACE = 0x110000  # what is heard is never taken for what is read: a character without a syllable is its code point and this
_FIRST = 2 * _SPACE  # the first syllable
_SAME = ((r"^([zcs])h", r"\1"), (r"^n(?=[aeiouv])", "l"), (r"ng$", "n"))  # zh z, ch c, sh s; n l; ang an, eng en, ing in: southern speech


def merged(syllable: str) -> str:
    """The name of all syllables that sound much like this one.

    >>> merged("zhuang"), merged("nian")
    ('zuan', 'lian')
    """
    for pattern, same in _SAME:
        syllable = re.sub(pattern, same, syllable)
    return syllable


@lru_cache(maxsize=1)
def syllables() -> dict[str, str]:
    """Syllable, as it is written without tone -> the characters so read."""
    lines = (files("classifier") / "data/sounds.tsv").read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines if not line.startswith("#"))


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """The merged syllables, sorted."""
    return tuple(sorted({merged(syllable) for syllable in syllables()}))


def code(syllable: str) -> int:
    """The number that stands for a syllable. Raises ValueError where it is none."""
    if merged(syllable) not in names():
        raise ValueError(f"{syllable!r} is no syllable")
    return _FIRST + names().index(merged(syllable))


def show(sound: int) -> str:
    """A syllable's name, or the character that has none; a letter in quotes, as it is none."""
    if sound >= _FIRST:
        return names()[sound - _FIRST]
    char = chr(sound - _SPACE)
    return f"'{char}'" if "a" <= char <= "z" else char


@lru_cache(maxsize=1)
def _table() -> NDArray[np.uint32]:
    table = np.arange(_SPACE, 2 * _SPACE, dtype=np.uint32)
    index = {name: _FIRST + k for k, name in enumerate(names())}
    for syllable, chars in syllables().items():
        table[np.frombuffer(chars.encode("utf-32-le"), dtype="<u4")] = index[merged(syllable)]
    return table


def sounds_of(codes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """uint32, parallel to `codes`: a number for the syllable of each Chinese character, for any other character one of its own.

    >>> a, b = (sounds_of(np.frombuffer(t.encode("utf-32-le"), dtype="<u4")) for t in ("转账", "专章"))
    >>> a.tolist() == b.tolist()
    True
    """
    return _table().take(codes)
