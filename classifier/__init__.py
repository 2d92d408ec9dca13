"""scamcall: how likely is a Chinese message, chat or call impersonation fraud, by which tactics, and where in the text.

>>> from classifier import load
>>> verdict = load().score("您的快递已到菜鸟驿站，取件码5-2-1033")
>>> verdict.scam_verdict
'legit'
"""

from functools import lru_cache
from pathlib import Path

from .calls import Call, listen
from .classify import Classifier
from .errors import ScamcallError
from .model_files import load as load_model
from .records import TYPES, VERDICTS, Evidence, Verdict

__version__ = "0.1.0"


def load(model: str | Path | None = None, prior: float | None = None, max_false_alarms: float | None = None) -> Classifier:
    """A classifier with the model in a directory, or with the one in use; for `prior` and `max_false_alarms` see `Model.at`.

    Raises ModelError where there is no model or it is damaged, InputError where it cannot be what is asked.
    """
    from .registry import current

    return _loaded(Path(model) if model is not None else current(), prior, max_false_alarms)


@lru_cache(maxsize=4)
def _loaded(directory: Path, prior: float | None, max_false_alarms: float | None) -> Classifier:
    return Classifier(load_model(directory).at(prior, max_false_alarms))


def score(text: str) -> Verdict:
    """Score one message with the model in use.

    >>> score("好的").scam_verdict
    'unsure'
    """
    return load().score(text)


__all__ = ["TYPES", "VERDICTS", "Call", "Classifier", "Evidence", "ScamcallError", "Verdict", "listen", "load", "score"]
