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


class Pool:
    """So many processes, each of which calls `begin(*arguments)` once; they are begun when there is work, and end with the context.

    `hold` keeps signals away while processes are begun or ended.
    """

    def __init__(self, jobs: int, begin: Callable[..., None], arguments: tuple[Any, ...], hold: Hold = nullcontext) -> None:
        self._jobs, self._begin, self._arguments, self._hold = jobs, begin, arguments, hold
        self._executor: Any = None
        self._place: TemporaryDirectory[str] | None = None

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        with self._hold():
            self._end()
            if self._place:
                self._place.cleanup()
                self._place = None

    def ordered(self, work: Callable[[Part], Result], parts: Iterable[Part]) -> Generator[Result, None, None]:
        """`work(part)` for each part.

        A process that dies (killed for its memory, say) costs nothing but time; a part that was twice in work when one died is given up:
        OutputError. Closing the iterator, or an exception, ends the processes.
        """
        waiting: deque[tuple[Part, Future[Result], int]] = deque()
        iterator = iter(parts)
        try:
            while True:
                while len(waiting) < _AHEAD * self._jobs and (part := next(iterator, None)) is not None:
                    with self._hold():
                        waiting.append((part, self._submit(work, part), 1))
                if not waiting:
                    return
                try:
                    result = waiting[0][1].result()
                except BrokenExecutor:
                    with self._hold():
                        self._end()
                        if any(tries == _TRIES and _lost(future) for _, future, tries in waiting):
                            raise OutputError(_DIED) from None
                        waiting = deque((p, self._submit(work, p), n + 1) if _lost(f) else (p, f, n) for p, f, n in waiting)
                    continue
                waiting.popleft()
                yield result
        except BaseException:
            with self._hold():
                self._end()
            raise

    def _submit(self, work: Callable[[Part], Result], part: Part) -> "Future[Result]":
        """Submit, to processes one of which may have died a moment ago: then the future says so, as that of any other lost part."""
        if self._executor is None:
            self._executor = self._started()
        try:
            future: Future[Result] = self._executor.submit(work, part)
        except BrokenExecutor as e:
            future = Future()
            future.set_exception(e)
        return future

    def _started(self) -> Any:
        from joblib.externals.loky.process_executor import ProcessPoolExecutor

        if self._place is None:
            self._place = TemporaryDirectory(prefix="scamcall-")
            Path(self._place.name, "arguments").write_bytes(pickle.dumps(self._arguments, pickle.HIGHEST_PROTOCOL))
        return ProcessPoolExecutor(self._jobs, initializer=_begin, initargs=(self._begin, str(Path(self._place.name, "arguments"))))

    def _end(self) -> None:
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(kill_workers=True)


def _lost(future: "Future[Any]") -> bool:
    return not future.done() or future.cancelled() or isinstance(future.exception(), BrokenExecutor)


def _begin(begin: Callable[..., None], arguments: str) -> None:
    """Begin a process. Its arguments are in a file of ours: handed over as they are, a model would fill the pipe through which a process is
    told what to do, and each process would be started only when the one before has read it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to all; the parent ends its workers
    with open(arguments, "rb") as file:
        begin(*pickle.load(file))
