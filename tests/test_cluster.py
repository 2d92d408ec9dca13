"""Labelling by a real cluster of two worker processes, one of which is killed."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from classifier import Classifier, cluster
from classifier.cli import main
from classifier.cluster import label_on_cluster
from classifier.errors import InputError, LockError, ModelError
from classifier.label import Options, label_files
from classifier.output import Output, Position
from classifier.writers import WRITERS

distributed = pytest.importorskip("distributed", reason="needs scamcall[dask]")

PARTS, ROWS = 8, 6000


@pytest.fixture(scope="module")
def two_workers() -> Iterator[Any]:
    """A cluster on this machine, its workers processes of their own."""
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local:
        yield local


@pytest.fixture
def parts(texts: list[str], tmp_path: Path) -> list[str]:
    """Some inputs, different each from the others."""
    short = [text.replace("\n", " ")[:100] for text in texts]
    names = []
    for part in range(PARTS):
        lines = [f'{k},"{short[(k * (part + 2)) % len(short)]}"' for k in range(ROWS)]
        (tmp_path / f"part-{part}.csv").write_text("\n".join(["编号,短信内容", *lines, "坏,行,多了"]), encoding="utf-8")
        names.append(str(tmp_path / f"part-{part}.csv"))
    return names


@pytest.fixture
def plain(shipped: Classifier, parts: list[str], tmp_path: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """What a run on this machine alone gives: the outputs, and the tally."""
    tally = label_files(shipped, parts, str(tmp_path / "plain"), Options())
    return content(tmp_path / "plain"), tally.state()


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


class Watching:
    """A progress bar at which something happens once so many files are done."""

    total: float | None = None

    def __init__(self, after: int, then: Callable[[], object]) -> None:
        self.left, self.then, self.rows = after, then, 0

    def update(self, rows: int) -> None:
        self.rows += rows
        self.left -= 1
        if not self.left:
            self.then()


def test_a_worker_that_is_killed_costs_no_row_and_doubles_none(
    shipped: Classifier, two_workers: Any, parts: list[str], plain: tuple[dict[str, bytes], dict[str, Any]], tmp_path: Path
) -> None:
    killed = []

    def kill() -> None:
        """The worker that is at a file the others wait for."""
        with distributed.Client(two_workers, set_as_default=False) as client:
            pids, at = client.run(os.getpid), client.processing()
            address = max(at, key=lambda a: len(at[a]))
            assert at[address]
            os.kill(pids[address], signal.SIGKILL)
            killed.append(pids[address])

    progress = Watching(1, kill)
    tally = label_on_cluster(shipped, parts, f"{tmp_path / 'out'}/", Options(), two_workers.scheduler_address, progress=progress)
    assert killed
    assert (content(tmp_path / "out"), tally.state()) == plain
    assert progress.rows == tally.rows == PARTS * (ROWS + 1)


def test_a_run_that_is_interrupted_goes_on(
    shipped: Classifier, two_workers: Any, parts: list[str], plain: tuple[dict[str, bytes], dict[str, Any]], tmp_path: Path
) -> None:
    address, out = two_workers.scheduler_address, str(tmp_path / "out")
    with pytest.raises(KeyboardInterrupt):
        label_on_cluster(shipped, parts, out, Options(), address, progress=Watching(2, lambda: os.kill(os.getpid(), signal.SIGINT)))
    assert (tmp_path / "out" / "scamcall.checkpoint").exists()
    with pytest.raises((InputError, LockError), match=r"--resume goes on|another run is writing"):  # as its workers are still at it, or not
        label_on_cluster(shipped, parts, out, Options(), address)
    progress = Watching(-1, lambda: None)
    tally = label_on_cluster(shipped, parts, out, Options(), address, resume=True, progress=progress)
    assert (content(tmp_path / "out"), tally.state()) == plain
    assert progress.rows == (PARTS - 2) * (ROWS + 1)


def test_a_file_that_another_run_is_still_at_is_waited_for(
    shipped: Classifier, two_workers: Any, parts: list[str], plain: tuple[dict[str, bytes], dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    other = Output(tmp_path / "out" / "part-1.csv", WRITERS["csv"], Position())
    tally = label_on_cluster(shipped, parts, str(tmp_path / "out"), Options(), two_workers.scheduler_address, progress=Watching(1, other.discard))
    assert (content(tmp_path / "out"), tally.state()) == plain


def test_a_run_that_is_interrupted_before_a_file_is_done_goes_on(
    shipped: Classifier, two_workers: Any, parts: list[str], plain: tuple[dict[str, bytes], dict[str, Any]], tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cluster, "_code", lambda: "0.0.0")
        with pytest.raises(ModelError):
            label_on_cluster(shipped, parts, str(tmp_path / "out"), Options(), two_workers.scheduler_address)
    (tmp_path / "out" / "part-5.csv").write_text("of a file that was done out of turn")
    tally = label_on_cluster(shipped, parts, str(tmp_path / "out"), Options(), two_workers.scheduler_address, resume=True)
    assert (content(tmp_path / "out"), tally.state()) == plain


def test_the_command_and_an_input_that_cannot_be_read(
    two_workers: Any, parts: list[str], plain: tuple[dict[str, bytes], dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(parts[3]).write_bytes(b"PK\x03\x04" + b"\xff" * 100)
    arguments = ["label", str(tmp_path / "part-*.csv"), "-o", f"{tmp_path / 'out'}/", "--dask", two_workers.scheduler_address]
    assert main(arguments) == 2
    assert "part-3.csv" in capsys.readouterr().err
    assert content(tmp_path / "out") == {name: data for name, data in plain[0].items() if name != "part-3.csv"}


def test_parquet_in_parquet_out(shipped: Classifier, two_workers: Any, texts: list[str], tmp_path: Path) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    for part in range(3):
        parquet.write_table(arrow.table({"text": texts[part::3]}), tmp_path / f"part-{part}.parquet")
    inputs = [str(tmp_path / "part-*.parquet")]
    label_files(shipped, inputs, str(tmp_path / "plain"), Options(evidence=True))
    label_on_cluster(shipped, inputs, str(tmp_path / "out"), Options(evidence=True), two_workers.scheduler_address)
    assert content(tmp_path / "out") == content(tmp_path / "plain")
    assert sorted(content(tmp_path / "out")) == [f"part-{part}.parquet" for part in range(3)]


def test_a_worker_with_another_version_is_refused(
    shipped: Classifier, two_workers: Any, parts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_code", lambda: "0.0.0")
    with pytest.raises(ModelError, match="another version"):
        label_on_cluster(shipped, parts, str(tmp_path / "out"), Options(), two_workers.scheduler_address)
    assert not list((tmp_path / "out").glob("*.csv"))


@pytest.mark.parametrize(
    ("inputs", "output", "address", "says"),
    [
        (["-"], "out.csv", "tcp://127.0.0.1:1", "name them"),
        (["a.csv"], "-", "tcp://127.0.0.1:1", "name them"),
        (["a.csv"], "out.csv", "tcp://127.0.0.1:1", "no Dask scheduler answers"),
        (["a.csv"], "out.csv", "nonsense://x", "no Dask scheduler answers"),
        (["a.csv"], "out.csv", "nonsense", "no Dask scheduler answers"),
    ],
)
def test_what_cannot_be_is_one_line(
    inputs: list[str], output: str, address: str, says: str, shipped: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE", 1)
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("text\n您好\n", encoding="utf-8")
    with pytest.raises(InputError, match=says):
        label_on_cluster(shipped, inputs, output, Options(), address)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_scheduler_without_workers_is_one_line(shipped: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE", 1)
    (tmp_path / "a.csv").write_text("text\n您好\n", encoding="utf-8")
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=None) as local,
        pytest.raises(InputError, match="has no workers"),
    ):
        label_on_cluster(shipped, [str(tmp_path / "a.csv")], str(tmp_path / "out.csv"), Options(), local.scheduler_address)
