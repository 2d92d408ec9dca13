"""SIGINT and SIGTERM that wait while something must not be cut in two.

Owns the handlers for the time of a run. Knows nothing of what runs.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

Hold = Callable[[], AbstractContextManager[None]]


@contextmanager
def interruptible() -> Iterator[Hold]:
    """Within it, SIGINT raises KeyboardInterrupt and SIGTERM SystemExit(143), except inside the context managers that it gives: there
    they wait until the end. In a thread other than the main one, where nothing can be handled, it changes nothing."""
    depth, pending = 0, 0

    def handle(number: int, _: FrameType | None) -> None:
        nonlocal pending
        pending = number
        if not depth:
            _raise(number)

    @contextmanager
    def hold() -> Iterator[None]:
        nonlocal depth
        depth += 1
        try:
            yield
        finally:
            depth -= 1
        if pending and not depth:
            _raise(pending)

    try:
        before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:
        before = {}
    try:
        yield hold
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _raise(number: int) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)
