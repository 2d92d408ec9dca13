"""What the tests share: a place of their own for models, the model in use, a small corpus and a model trained from it."""

import os
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Before anything asks for a model: no test sees or changes the versions of whoever runs the suite.
_models = tempfile.TemporaryDirectory(prefix="scamcall-tests-")
os.environ["SCAMCALL_MODELS"] = str(Path(_models.name) / "models")
os.environ.pop("NO_COLOR", None)

# No deadline: a slow machine is no failure. `--hypothesis-profile=deep` looks twenty times as far.
_QUIET = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("suite", max_examples=100, **_QUIET)
settings.register_profile("deep", max_examples=2000, **_QUIET)
settings.load_profile("suite")

from classifier import Classifier, load  # noqa: E402 the environment comes first
from classifier.corpus import Example, read  # noqa: E402
from classifier.model_files import save  # noqa: E402
from classifier.records import TYPES  # noqa: E402
from classifier.retrain import corpus_root  # noqa: E402
from classifier.train import Trained, train  # noqa: E402


@pytest.fixture(scope="session")
def corpus() -> list[Example]:
    """All of the corpus that comes with the package."""
    return read(corpus_root())


@pytest.fixture(scope="session")
def texts(corpus: list[Example]) -> list[str]:
    """A sample of its texts, short ones and long ones, always the same."""
    return [e.text for e in random.Random(7).sample(corpus, 600)]


@pytest.fixture(scope="session")
def small_corpus(corpus: list[Example]) -> list[Example]:
    """Enough of the corpus to train on in seconds: some of every type, in the corpus's order."""
    by_type = {t: [e for e in corpus if e.type == t] for t in TYPES}
    chosen = {e.id for t, mine in by_type.items() for e in random.Random(11).sample(mine, min(len(mine), 400 if t == "legit" else 80))}
    return [e for e in corpus if e.id in chosen]


@pytest.fixture(scope="session")
def trained(small_corpus: list[Example]) -> Trained:
    """A small model, with what was measured on the way."""
    return train(small_corpus)


@pytest.fixture(scope="session")
def small_model(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small model as a directory; copy it before changing anything."""
    directory = tmp_path_factory.mktemp("models") / "small"
    save(trained.model, directory)
    return directory


@pytest.fixture(scope="session")
def shipped() -> Classifier:
    """The model that comes with the package."""
    return load()


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory for versions of one's own, in use as such."""
    root = tmp_path / "models"
    monkeypatch.setenv("SCAMCALL_MODELS", str(root))
    return root
