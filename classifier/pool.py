"""Work shared out over processes, its results in the order of its parts.

Owns the processes, and what happens when one dies: the parts that were in work are done once more. Knows nothing of rows or models.
"""

import pickle
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import BrokenExecutor, Future
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from .errors import OutputError
from .signals import Hold

_AHEAD = 2  # parts in work or waiting for each process: none idles, memory stays small, and loky's own queue holds them all (one that does
# not fit there when the processes are ended makes it print a KeyError)
_TRIES = 2
_DIED = "a worker process died twice over the same rows; --jobs 1 needs the least memory, --resume goes on"

Part = TypeVar("Part")
Result = TypeVar("Result")


def ordered(
    work: Callable[[Part], Result], parts: Iterable[Part], jobs: int, begin: Callable[..., None], arguments: tuple[Any, ...], hold: Hold = nullcontext
) -> Generator[Result, None, None]:
    """`work(part)` for each part, by so many processes, each of which calls `begin(*arguments)` once.

    A process that dies (killed for its memory, say) costs nothing but time; a part that was twice in work when one died is given up:
    OutputError. Closing the iterator, or an exception, ends the processes. `hold` keeps signals away while processes are begun or ended.
    """
    from joblib.externals.loky.process_executor import ProcessPoolExecutor

    def started() -> Any:
        return ProcessPoolExecutor(jobs, initializer=_begin, initargs=(begin, str(kept)))

    with hold():
        place = TemporaryDirectory(prefix="scamcall-")
        kept = Path(place.name) / "arguments"
        kept.write_bytes(pickle.dumps(arguments, pickle.HIGHEST_PROTOCOL))
        executor = started()
    waiting: deque[tuple[Part, Future[Result], int]] = deque()
    iterator = iter(parts)
    try:
        while True:
            while len(waiting) < _AHEAD * jobs and (part := next(iterator, None)) is not None:
                with hold():
                    waiting.append((part, _submit(executor, work, part), 1))
            if not waiting:
                return
            try:
                result = waiting[0][1].result()
            except BrokenExecutor:
                with hold():
                    executor.shutdown(kill_workers=True)
                    if any(tries == _TRIES and _lost(future) for _, future, tries in waiting):
                        raise OutputError(_DIED) from None
                    executor = started()
                    waiting = deque((p, _submit(executor, work, p), n + 1) if _lost(f) else (p, f, n) for p, f, n in waiting)
                continue
            waiting.popleft()
            yield result
    finally:
        with hold():
            executor.shutdown(kill_workers=True)
            place.cleanup()


def _submit(executor: Any, work: Callable[[Part], Result], part: Part) -> "Future[Result]":
    """Submit, to a pool that may have broken a moment ago: then the future says so, as that of any other lost part."""
    try:
        future: Future[Result] = executor.submit(work, part)
    except BrokenExecutor as e:
        future = Future()
        future.set_exception(e)
    return future


def _lost(future: "Future[Any]") -> bool:
    return not future.done() or future.cancelled() or isinstance(future.exception(), BrokenExecutor)


def _begin(begin: Callable[..., None], arguments: str) -> None:
    """Begin a process. Its arguments are in a file of ours: handed over as they are, a model would fill the pipe through which a process is
    told what to do, and each process would be started only when the one before has read it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to all; the parent ends its workers
    with open(arguments, "rb") as file:
        begin(*pickle.load(file))
