"""Work over processes: its order, and what happens when one of them dies."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pool_work
import pytest

from classifier.errors import OutputError
from classifier.pool import Pool


def ordered(work: Callable[[Any], Any], parts: Iterable[Any], start: int = 0) -> list[Any]:
    with Pool(2, pool_work.begin, (start,)) as pool:
        return list(pool.ordered(work, parts))


def test_results_come_in_the_order_of_the_parts() -> None:
    assert ordered(pool_work.add, range(40), 100) == list(range(100, 140))


def test_nothing_to_do() -> None:
    assert ordered(pool_work.add, []) == []


def test_a_process_that_dies_costs_no_part_and_doubles_none(tmp_path: Path) -> None:
    parts = [(k, str(tmp_path / "died")) for k in range(20)]
    assert ordered(pool_work.die_once, parts) == list(range(20))
    assert (tmp_path / "died").exists()


def test_a_part_that_kills_twice_ends_the_run() -> None:
    with pytest.raises(OutputError, match="died twice"):
        ordered(pool_work.die, range(20))


def test_an_error_of_the_work_is_its_own() -> None:
    with pytest.raises(LookupError, match="own"):
        ordered(pool_work.fail, range(5))


def test_parts_are_drawn_only_as_they_are_needed() -> None:
    drawn = []

    def parts():  # type: ignore[no-untyped-def]
        for k in range(1000):
            drawn.append(k)
            yield k

    with Pool(2, pool_work.begin, (0,)) as pool:
        assert next(pool.ordered(pool_work.add, parts())) == 0
    assert len(drawn) < 20


def test_closing_early_leaves_no_process() -> None:
    code = (
        "import os, pool_work, multiprocessing\n"
        "from classifier.pool import Pool\n"
        "results = Pool(2, pool_work.begin, (0,)).ordered(pool_work.add, range(100))\n"
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
    with Pool(2, pool_work.begin, (100,)) as pool:
        assert next(pool.ordered(pool_work.add, range(10))) == 100
        assert [path.stat().st_mode & 0o77 for path in tmp_path.glob("scamcall-*")] == [0]
    assert list(tmp_path.glob("scamcall-*")) == []


def test_the_same_processes_do_one_work_after_the_other() -> None:
    with Pool(2, pool_work.begin, (0,)) as pool:
        first, second = (set(pool.ordered(pool_work.whose, range(20))) for _ in range(2))
        assert len(first | second) <= 2
        assert os.getpid() not in first
        results = pool.ordered(pool_work.whose, range(20))
        next(results)
        results.close()  # in the middle: what was in work must not come up in the next
        assert list(pool.ordered(pool_work.add, range(20))) == list(range(20))


def test_nothing_is_begun_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "is not there"))
    assert ordered(pool_work.add, []) == []
