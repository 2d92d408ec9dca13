"""Work over processes: its order, and what happens when one of them dies."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pool_work
import pytest

from classifier.errors import OutputError
from classifier.pool import Pool


def ordered(
    work: Callable[[Any], Any],
    parts: Iterable[Any],
    begin: Callable[..., None],
    arguments: tuple[Any, ...],
    here: Callable[[Any], Any] = pool_work.add_slowly,
) -> Iterator[Any]:
    """By two processes and this one, which is too slow to leave nothing to them."""
    with Pool(2, begin, arguments) as pool:
        yield from pool.ordered(work, here, parts)


def test_results_come_in_the_order_of_the_parts() -> None:
    before = set(threading.enumerate())
    assert list(ordered(pool_work.add, range(40), pool_work.begin, (0,))) == list(range(40))
    assert set(threading.enumerate()) <= before  # and nothing is still waited for


def test_nothing_to_do() -> None:
    assert list(ordered(pool_work.add, [], pool_work.begin, (0,))) == []


def test_this_process_helps_and_leaves_enough_to_the_others() -> None:
    whose = list(ordered(pool_work.whose, range(40), pool_work.begin, (0,), pool_work.whose_slowly))
    assert len(whose) == 40
    assert len(set(whose)) == 3
    assert os.getpid() in whose


def test_an_error_of_this_process_is_raised_in_its_turn() -> None:
    good: list[int] = []
    with pytest.raises(LookupError, match="own"):
        good.extend(ordered(pool_work.add, range(40), pool_work.begin, (0,), pool_work.fail_slowly))
    assert good == list(range(len(good)))


def test_a_process_that_dies_costs_no_part_and_doubles_none(tmp_path: Path) -> None:
    parts = [(k, str(tmp_path / "died")) for k in range(20)]
    assert list(ordered(pool_work.die_once, parts, pool_work.begin, (0,), pool_work.first_slowly)) == list(range(20))
    assert (tmp_path / "died").exists()


def test_a_part_that_kills_twice_ends_the_run() -> None:
    with pytest.raises(OutputError, match="died twice"):
        list(ordered(pool_work.die, range(20), pool_work.begin, (0,)))


def test_a_process_that_cannot_begin_is_an_error_and_no_endless_trying() -> None:
    with pytest.raises(OutputError, match="died twice"):
        list(ordered(pool_work.add, range(20), pool_work.die, (3,)))
    with pytest.raises(LookupError, match="own"):
        list(ordered(pool_work.add, range(20), pool_work.fail, (2,)))


def test_a_process_that_dies_in_the_middle_of_its_answer_is_noticed(tmp_path: Path) -> None:
    parts = [(k, str(tmp_path / "died")) for k in range(6)]
    assert [len(answer) for answer in ordered(pool_work.die_answering, parts, pool_work.begin, (0,), pool_work.answer_slowly)] == [1 << 20] * 6
    assert (tmp_path / "died").exists()


def test_an_error_of_the_work_is_its_own() -> None:
    with pytest.raises(LookupError, match="own"):
        list(ordered(pool_work.fail, range(5), pool_work.begin, (0,)))


def test_parts_are_drawn_only_as_they_are_needed() -> None:
    drawn = []

    def parts():  # type: ignore[no-untyped-def]
        for k in range(1000):
            drawn.append(k)
            yield k

    results = ordered(pool_work.add, parts(), pool_work.begin, (0,))
    assert next(results) == 0
    assert len(drawn) < 20
    results.close()


def test_closing_early_leaves_no_process() -> None:
    code = (
        "import glob, pool_work\n"
        "from classifier.pool import Pool\n"
        "results = Pool(2, pool_work.begin, (0,)).ordered(pool_work.add, pool_work.add_slowly, range(100))\n"
        "next(results); results.close()\n"
        "print([open(f).read() for f in glob.glob('/proc/self/task/*/children') if open(f).read()])\n"
    )
    if not Path("/proc/self/task").exists():
        pytest.skip("children are counted in /proc")
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_processes_end_with_a_parent_that_is_killed() -> None:
    if not Path("/proc/self/task").exists():
        pytest.skip("children are found in /proc")
    code = (
        "import glob, os, signal, pool_work\n"
        "from classifier.pool import Pool\n"
        "results = Pool(2, pool_work.begin, (0,)).ordered(pool_work.add, pool_work.add_slowly, range(100))\n"
        "next(results)\n"
        "print(*(open(f).read() for f in glob.glob('/proc/self/task/*/children')), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, stdout=subprocess.PIPE, text=True, check=False)
    workers = done.stdout.split()
    assert len(workers) == 2
    for _ in range(100):  # ten seconds at most; it takes a few milliseconds
        if not any(Path(f"/proc/{worker}").exists() for worker in workers):
            return
        time.sleep(0.1)
    pytest.fail("they live on")


def test_the_same_processes_do_one_work_after_the_other() -> None:
    with Pool(2, pool_work.begin, (0,)) as pool:
        first, second = (set(pool.ordered(pool_work.whose, pool_work.whose_slowly, range(20))) for _ in range(2))
        assert len((first | second) - {os.getpid()}) <= 2
        results = pool.ordered(pool_work.whose, pool_work.whose_slowly, range(20))
        next(results)
        results.close()  # in the middle: what was in work must not come up in the next
        assert list(pool.ordered(pool_work.add, pool_work.add_slowly, range(20))) == list(range(20))
