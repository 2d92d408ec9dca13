"""Work for the processes of test_pool: loky imports it by name in each of them."""

import os
import signal
from pathlib import Path

state: list[int] = []


def begin(start: int) -> None:
    state[:] = [start]


def add(part: int) -> int:
    return state[0] + part


def die_once(part: tuple[int, str]) -> int:
    """Dies over one part, the first time that it comes."""
    number, mark = part
    if number == 3 and not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return state[0] + number


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
