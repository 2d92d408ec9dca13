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
    """Within it, the first SIGINT raises KeyboardInterrupt, or SIGTERM SystemExit(143); later ones change nothing, so that what is being
    put in order is not cut short. Inside the context managers that it gives, the first one waits for their end. In a thread other than
    the main one, where nothing can be handled, it changes nothing."""
    depth, pending, raised = 0, 0, False

    def settle() -> None:
        nonlocal raised
        if pending and not depth and not raised:
            raised = True
            if pending == signal.SIGINT:
                raise KeyboardInterrupt
            raise SystemExit(128 + pending)

    def handle(number: int, _: FrameType | None) -> None:
        nonlocal pending
        pending = pending or number
        settle()

    @contextmanager
    def hold() -> Iterator[None]:
        nonlocal depth
        depth += 1
        try:
            yield
        finally:
            depth -= 1
        settle()

    try:
        before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:
        before = {}
    try:
        yield hold
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
