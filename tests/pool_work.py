"""Work for the processes of test_pool: they import it by name."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

state: list[int] = []


def begin(start: int) -> None:
    state[:] = [start]


def add(part: int) -> int:
    return state[0] + part


def slowly(work: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """For the process that helps: the same, so slow that the others are begun in the meantime."""

    def slow(part: Any) -> Any:
        time.sleep(0.5)
        return work(part)

    return slow


def first(part: tuple[int, str]) -> int:
    return part[0]


add_slowly = slowly(int)
first_slowly = slowly(first)
answer_slowly = slowly(lambda part: bytes(1 << 20))


def die_once(part: tuple[int, str]) -> int:
    """Dies over one part, the first time that it comes."""
    number, mark = part
    if number == 3 and not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return state[0] + number


def die_answering(part: tuple[int, str]) -> bytes:
    """Dies while a long answer is on its way, the first time."""
    number, mark = part
    if number == 3 and not Path(mark).exists():
        Path(mark).touch()
        Thread(target=_soon).start()
    return bytes(1 << 20)


def _soon() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die(part: int) -> int:
    """Dies over one part, each time."""
    if part == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return part


def fail(part: int) -> int:
    if part == 2:
        raise LookupError("of the work's own")
    return part


def whose(part: int) -> int:
    """The process that did it."""
    return os.getpid()


def fail_always(part: int) -> int:
    raise LookupError("of the work's own")


whose_slowly = slowly(whose)
fail_slowly = slowly(fail_always)
