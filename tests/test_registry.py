"""Where models live: published whole or not at all, switched and switched back, one change at a time."""

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from classifier import load as load_in_use
from classifier import registry
from classifier.errors import InputError, LockError, ModelError, OutputError
from classifier.model_files import load
from classifier.retrain import add_section


@pytest.fixture
def writer(small_model: Path) -> Callable[[Path], None]:
    """Fills a directory with a model."""
    return lambda path: shutil.copytree(small_model, path) and None


def ids() -> list[str]:
    return [v.id for v in registry.versions() if not v.shipped]


def test_the_shipped_model_is_in_use_at_first(models: Path) -> None:
    (version,) = [v for v in registry.versions() if v.current]
    assert version.shipped
    assert registry.current() == version.path
    load(version.path)


def test_published_is_in_use_and_can_be_switched_back(models: Path, writer: Callable[[Path], None]) -> None:
    shipped = registry.current()
    with registry.locked(models):
        path = registry.publish(models, "v0001-abc", writer)
    assert path == models / "v0001-abc" == registry.current()
    assert [(v.id, v.current) for v in registry.versions() if not v.shipped] == [("v0001-abc", True)]
    load(path)
    registry.use(shipped.name)
    assert registry.current() == shipped
    registry.use("v0001-abc")
    assert registry.current() == path


def test_what_is_in_use_is_asked_each_time(models: Path, writer: Callable[[Path], None]) -> None:
    shipped = load_in_use().model.id
    with registry.locked(models):
        registry.publish(models, "v0001-abc", writer)
    assert load_in_use().model.id == load(models / "v0001-abc").id != shipped


def test_a_card_that_could_not_be_written_leaves_the_model_as_it_was(
    models: Path, writer: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with registry.locked(models):
        path = registry.publish(models, "v0001-abc", writer)
    (path / "card.md").write_text("# Model\n", encoding="utf-8")

    def stopped(*names: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", stopped)
        with pytest.raises(KeyboardInterrupt):
            add_section(path / "card.md", "## Found\n\nmuch\n")
    load(path)
    add_section(path / "card.md", "## Found\n\nmuch\n")
    assert "much" in (path / "card.md").read_text(encoding="utf-8")
    assert [v.id for v in registry.versions() if not v.shipped] == ["v0001-abc"]


def test_nothing_is_left_beside_a_published_model(models: Path, writer: Callable[[Path], None]) -> None:
    with registry.locked(models):
        for _ in range(2):
            registry.publish(models, "v0001-abc", writer)
    assert sorted(p.name for p in models.iterdir()) == [".lock", "CURRENT", "v0001-abc"]


@pytest.mark.parametrize("model_id", ["v0001-abc", "v0002-def"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("a fault")], ids=["disk", "fault"])
def test_a_write_that_fails_leaves_all_as_it_was(models: Path, writer: Callable[[Path], None], model_id: str, error: Exception) -> None:
    with registry.locked(models):
        old = registry.publish(models, "v0001-abc", writer)

        def fails(path: Path) -> None:
            writer(path)
            (path / "weights.f4").write_bytes(b"half")
            raise error

        with pytest.raises(OutputError if isinstance(error, OSError) else ValueError, match=r"No space|a fault"):
            registry.publish(models, model_id, fails)
    assert registry.current() == old
    assert sorted(p.name for p in models.iterdir()) == [".lock", "CURRENT", "v0001-abc"]
    load(old)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["disk", "interrupted"])
@pytest.mark.parametrize("failing", [1, 2])
def test_a_version_that_cannot_be_replaced_stays(
    models: Path, writer: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch, failing: int, error: BaseException
) -> None:
    replace, calls = os.replace, itertools.count(1)

    def fails(source: Path, target: Path) -> None:
        if next(calls) == failing:
            raise error
        replace(source, target)

    with registry.locked(models):
        path = registry.publish(models, "v0001-abc", writer)
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", fails)
            with pytest.raises((OutputError, KeyboardInterrupt)):
                registry.publish(models, "v0001-abc", writer)
    assert registry.current() == path
    assert sorted(p.name for p in models.iterdir()) == [".lock", "CURRENT", "v0001-abc"]
    load(path)


@pytest.mark.parametrize("model_id", ["", ".", "..", "../x", "/x", "a/b", "A", "模型", "v 1", "-x", ".hidden", "a" * 65, "x\n", "x\x00"])
def test_ids_that_are_no_file_names_are_refused(models: Path, writer: Callable[[Path], None], model_id: str) -> None:
    with registry.locked(models):
        before = sorted(models.parent.rglob("*"))
        with pytest.raises(InputError, match="is no model id"):
            registry.publish(models, model_id, writer)
    assert sorted(models.parent.rglob("*")) == before


@pytest.mark.parametrize("model_id", ["v9999-none", "", "..", "../models"])
def test_using_what_is_not_there_is_refused_with_what_is(models: Path, model_id: str) -> None:
    shipped = registry.current()
    with pytest.raises(InputError, match=shipped.name):
        registry.use(model_id)
    assert registry.current() == shipped


@pytest.mark.parametrize("content", [b"", b"v0007-gone\n", b"\xff\xfe\x00", b"../../x", b"x\x1b[2J"])
def test_a_pointer_to_nothing_is_a_model_error(models: Path, content: bytes) -> None:
    models.mkdir()
    (models / "CURRENT").write_bytes(content)
    with pytest.raises(ModelError, match="scamcall models"):
        registry.current()
    assert any(v.shipped for v in registry.versions())


def test_numbers_go_up(models: Path, writer: Callable[[Path], None]) -> None:
    assert registry.next_number(models) == 1
    with registry.locked(models):
        registry.publish(models, "v0001-abc", writer)
        registry.publish(models, "v0041-abc", writer)
    assert registry.next_number(models) == 42


def test_strange_things_in_the_directory_are_no_models(models: Path) -> None:
    (models / "empty").mkdir(parents=True)
    (models / ".v0001-abc.123.part").mkdir()
    (models / "file").write_text("x")
    assert ids() == []


def test_a_place_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("SCAMCALL_MODELS", str(tmp_path / "file" / "models"))
    with pytest.raises(OutputError, match="file"):
        registry.use(registry.current().name)


def test_a_lock_held_by_another_process(models: Path) -> None:
    pytest.importorskip("fcntl", reason="without it there is no lock")
    program = """
import sys
from pathlib import Path
from classifier.registry import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", program, str(models)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockError, match=str(holder.pid)) as error, registry.locked(models):
            pass
        assert error.value.exit_code == 6
        shipped = registry.current().name
        command = [sys.executable, "-m", "classifier", "models", "use", shipped]
        done = subprocess.run(command, env={**os.environ, "SCAMCALL_MODELS": str(models)}, capture_output=True, text=True, encoding="utf-8")
        assert done.returncode == 6
        assert len(done.stderr.splitlines()) == 1
        holder.stdin.close()
        holder.wait()
    with registry.locked(models):
        pass  # it went with its process


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"SCAMCALL_MODELS": "/a/models"}, "/a/models"),
        ({"XDG_DATA_HOME": "/b"}, "/b/scamcall/models"),
        ({"HOME": "/c"}, "/c/.local/share/scamcall/models"),
        ({"SCAMCALL_MODELS": "", "HOME": "/c"}, "/c/.local/share/scamcall/models"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="the home directory is found otherwise")
def test_where_a_users_versions_are(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str) -> None:
    for name in ("SCAMCALL_MODELS", "XDG_DATA_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert registry.user_root() == Path(expected)
