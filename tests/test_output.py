"""One output at a time under one name: locks between runs, and what becomes of a file while one run ends and another begins."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from labelling import SCAM, files, make

from classifier import Classifier
from classifier.errors import InputError, LockError, OutputError
from classifier.label import Options, label_files
from classifier.output import Output, Position
from classifier.writers import WRITERS


def test_two_runs_into_one_file(tmp_path: Path) -> None:
    first = Output(tmp_path / "out.csv", WRITERS["csv"], Position())
    with pytest.raises(LockError, match="another run"):
        Output(tmp_path / "out.csv", WRITERS["csv"], Position())
    first.discard()
    assert files(tmp_path) == []


def test_a_run_that_goes_on_is_not_called_interrupted(shipped: Classifier, tmp_path: Path) -> None:
    source = make(tmp_path / "in.csv", [SCAM] * 3)
    (tmp_path / "out.csv.checkpoint").write_text("{}")
    other = Output(tmp_path / "out.csv", WRITERS["csv"], Position())
    with pytest.raises(LockError, match="another run is writing it"):
        label_files(shipped, [source], str(tmp_path / "out.csv"), Options())
    other.close()
    with pytest.raises(InputError, match="--resume goes on"):
        label_files(shipped, [source], str(tmp_path / "out.csv"), Options())


def test_a_file_that_another_run_completes_meanwhile_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between opening the part and having its lock, the other may have given it its name."""
    fcntl = pytest.importorskip("fcntl", reason="without it there is no lock")
    first, lock = Output(tmp_path / "out.csv", WRITERS["csv"], Position()), fcntl.flock
    first.begin(("text",))

    def late(handle: int, how: int) -> None:
        first.publish(first.complete())
        first.close()
        lock(handle, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(LockError, match="another run"):
        Output(tmp_path / "out.csv", WRITERS["csv"], Position())
    assert files(tmp_path) == ["out.csv"]
    assert "text" in (tmp_path / "out.csv").read_text(encoding="utf-8-sig")


def test_what_another_run_begins_while_one_ends_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fcntl", reason="without it there is no lock")
    path, began = tmp_path / "out.csv", list[Output]()

    def then_another(step: Any) -> Any:
        def stepped(*names: Any) -> None:
            step(*names)
            monkeypatch.undo()
            began.append(Output(path, WRITERS["csv"], Position()))

        return stepped

    first = Output(path, WRITERS["csv"], Position())
    first.begin(("text",))
    monkeypatch.setattr(os, "replace", then_another(os.replace))
    first.publish(first.complete())
    first.close()
    began[0].begin(("text", "more"))
    began[0].publish(began[0].complete())
    began[0].close()
    assert "more" in path.read_text(encoding="utf-8-sig")

    given_up = Output(path, WRITERS["csv"], Position())
    monkeypatch.setattr(os, "close", then_another(os.close))
    given_up.discard()
    began[1].begin(("text",))
    began[1].publish(began[1].complete())
    began[1].close()
    assert "more" not in path.read_text(encoding="utf-8-sig")


def test_a_part_that_somebody_removes_or_replaces_is_an_error(shipped: Classifier, tmp_path: Path) -> None:
    source, part = make(tmp_path / "in.csv", [SCAM] * 3), tmp_path / "out.csv.part"

    class Meddling:
        total: float | None = None

        def __init__(self, then: Callable[[], object]) -> None:
            self.then = then

        def update(self, rows: int) -> None:
            part.unlink()
            self.then()

    for then in (lambda: None, lambda: part.write_text("not ours")):
        with pytest.raises(OutputError, match=r"out\.csv"):
            label_files(shipped, [source], str(tmp_path / "out.csv"), Options(), progress=Meddling(then), force=True)
        assert not (tmp_path / "out.csv").exists()


def test_a_file_system_without_locks_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl", reason="without it there is no lock")

    def unable(handle: int, how: int) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", unable)
    out = Output(tmp_path / "out.csv", WRITERS["csv"], Position())
    out.begin(("text",))
    out.publish(out.complete())
    out.close()
    assert files(tmp_path) == ["out.csv"]
