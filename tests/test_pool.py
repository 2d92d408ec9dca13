"""Work over processes: its order, and what happens when one of them dies."""

import subprocess
import sys
from pathlib import Path

import pool_work
import pytest

from classifier.errors import OutputError
from classifier.pool import ordered


def test_results_come_in_the_order_of_the_parts() -> None:
    assert list(ordered(pool_work.add, range(40), 2, pool_work.begin, (100,))) == list(range(100, 140))


def test_nothing_to_do() -> None:
    assert list(ordered(pool_work.add, [], 2, pool_work.begin, (0,))) == []


def test_a_process_that_dies_costs_no_part_and_doubles_none(tmp_path: Path) -> None:
    parts = [(k, str(tmp_path / "died")) for k in range(20)]
    assert list(ordered(pool_work.die_once, parts, 2, pool_work.begin, (0,))) == list(range(20))
    assert (tmp_path / "died").exists()


def test_a_part_that_kills_twice_ends_the_run() -> None:
    with pytest.raises(OutputError, match="died twice"):
        list(ordered(pool_work.die, range(20), 2, pool_work.begin, (0,)))


def test_an_error_of_the_work_is_its_own() -> None:
    with pytest.raises(LookupError, match="own"):
        list(ordered(pool_work.fail, range(5), 2, pool_work.begin, (0,)))


def test_parts_are_drawn_only_as_they_are_needed() -> None:
    drawn = []

    def parts():  # type: ignore[no-untyped-def]
        for k in range(1000):
            drawn.append(k)
            yield k

    results = ordered(pool_work.add, parts(), 2, pool_work.begin, (0,))
    assert next(results) == 0
    assert len(drawn) < 20
    results.close()


def test_closing_early_leaves_no_process() -> None:
    code = (
        "import os, pool_work, multiprocessing\n"
        "from classifier.pool import ordered\n"
        "results = ordered(pool_work.add, range(100), 2, pool_work.begin, (0,))\n"
        "next(results); results.close()\n"
        "children = open(f'/proc/{os.getpid()}/task/{os.getpid()}/children').read().split()\n"
        "print([open(f'/proc/{c}/cmdline').read() for c in children if b'resource_tracker' not in open(f'/proc/{c}/cmdline','rb').read()])\n"
    )
    if not Path("/proc/self/task").exists():
        pytest.skip("children are counted in /proc")
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_the_processes_are_begun_with_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    results = ordered(pool_work.add, range(10), 2, pool_work.begin, (100,))
    assert next(results) == 100
    assert [path.stat().st_mode & 0o77 for path in tmp_path.glob("scamcall-*")] == [0]
    results.close()
    assert list(tmp_path.glob("scamcall-*")) == []
