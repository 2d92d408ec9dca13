"""The way from labelled data to a model in use: read, train, write the card, publish.

Owns the choice of where a model goes: the shipped corpus alone rebuilds the shipped model; added samples make a user's version.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from . import corpus, registry
from .card import with_section, write_card
from .errors import InputError
from .model import Model
from .model_files import load, save
from .output import write_whole
from .train import Trained, train


def corpus_root() -> Path:
    """The corpus that comes with the package: inside it when installed, beside it in a source tree."""
    inside = Path(__file__).parent / "shipped" / "corpus"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "corpus"


def retrain(directory: Path | None, added: Path | None, say: Callable[[str], None]) -> Path:
    """Train and put in use; returns the model's directory.

    Raises InputError for data that cannot be used, LockError where another training runs, OutputError where the model
    cannot be written. Until the last step the model in use stays.
    """
    own = added is not None or directory is not None
    root = registry.user_root() if own or _installed() else registry.shipped_root()
    examples = corpus.read(directory or corpus_root()) + (corpus.read_added(added) if added else [])
    with registry.locked(root):
        trained = train(examples, say)
        number = f"v{registry.next_number(root):04d}" if root == registry.user_root() else "base"
        model = replace(trained.model, id=f"{number}-{_fingerprint(trained.model)}")
        return registry.publish(root, model.id, lambda path: _write(replace(trained, model=model), examples, path))


def card_of(directory: Path) -> Path:
    """The card of the model in use. Raises InputError where that was trained on anything else than this corpus."""
    path = registry.current()
    if load(path).manifest["data"] != corpus.digest(corpus.read(directory)):
        raise InputError(f"{path}: trained on other data than {directory}; what is measured on that does not belong into its card")
    return path / "card.md"


def add_section(card: Path, section: str) -> None:
    """Put a measurement into a card. Raises OutputError where it cannot be written, LockError where another training runs."""
    root = card.parent.parent
    with registry.locked(root):  # and written there first: a stray file beside a model's own is refused
        write_whole(card, with_section(card.read_text(encoding="utf-8"), section).encode(), root / f".{card.parent.name}.card")


def _installed() -> bool:
    return (Path(__file__).parent / "shipped").is_dir()


def _fingerprint(model: Model) -> str:
    digest = hashlib.sha256()
    for array in (model.keys, model.scale, model.group, model.weights, model.bias, model.mix):
        digest.update(array.tobytes())
    digest.update(json.dumps(asdict(model.cutoffs)).encode())
    return digest.hexdigest()[:12]


def _write(trained: Trained, examples: list[corpus.Example], path: Path) -> None:
    save(trained.model, path)
    write_card(trained, examples, path / "card.md")
