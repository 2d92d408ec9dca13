"""Work shared out over this process and others, its results in the order of its parts.

Owns the others, and what happens when one dies: the part that it was at is done once more. Knows nothing of rows or models. This process
draws the parts and makes use of the results; where it would wait for the next, it does a part that no other has yet.
A process is told its parts through its standard input and answers through its standard output, so whichever side dies, the other reads
an end: nothing waits for ever, and no process outlives the one that began it, not even where that was killed. Ready-made pools (loky,
concurrent.futures) hold both ends of their pipes open: of 60 runs in which one worker was killed 2 hung for good, and a killed parent
left its workers behind every time.
"""

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO, Any, TypeVar

from .errors import OutputError
from .signals import Hold

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

_AHEAD = 4  # parts that are on their way for each process, this one included
_THERE = 2  # of these, how many one has: one in work and one that waits, so that it never idles; the others are for whoever is free
_TRIES = 2
_DIED = "a worker process died twice over the same rows; --jobs 1 needs the least memory, --resume goes on"
# Apart from the terminal's other processes, so that Ctrl-C is the parent's alone to answer.
_APART: Any = {"process_group": 0} if os.name == "posix" else {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
# Their memory in large pages, where the system has them: a twentieth faster, as arrays are all they hold (glibc 2.35 and later).
_LARGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
_LENGTH = 8  # bytes that say how long what follows is
_PIPE = 1 << 20  # bytes that a pipe holds, where the system lets it: a whole part. With 64 KiB both sides waited, and it took some 3% longer
_END_WAIT = 1.0  # seconds given to threads whose process was ended

Part = TypeVar("Part")
Result = TypeVar("Result")


class Pool:
    """So many processes beside this one, each of which calls `begin(*arguments)` once; they are begun when there is work, and end with the
    context.

    `begin`, and what is to be done, are functions of a module. `hold` keeps signals away while processes are begun or ended.
    """

    def __init__(self, others: int, begin: Callable[..., None], arguments: tuple[Any, ...], hold: Hold = nullcontext) -> None:
        self._others, self._begin, self._arguments, self._hold = others, begin, arguments, hold
        self._processes: _Processes | None = None

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def ordered(self, work: Callable[[Part], Result], here: Callable[[Part], Result], parts: Iterable[Part]) -> Generator[Result, None, None]:
        """`work(part)` for each part; `here` does the same in this process, which helps where it would wait.

        Another process that dies (killed for its memory, say) costs nothing but time; a part over which two died is given up: OutputError.
        Closing the iterator, or an exception, ends the processes.
        """
        waiting: deque[Future[Result]] = deque()
        iterator = iter(parts)
        try:
            while True:
                while len(waiting) < _AHEAD * (self._others + 1) and (part := next(iterator, None)) is not None:
                    with self._hold():
                        waiting.append(self._submit(work, part))
                if not waiting:
                    return
                while not waiting[0].done() and self._processes is not None and self._processes.help(here):
                    pass
                yield waiting.popleft().result()
        except BaseException:
            self._end()
            raise

    def _submit(self, work: Callable[[Part], Result], part: Part) -> "Future[Result]":
        if self._processes is None:
            self._processes = _Processes(_packed((self._begin, self._arguments)), self._others)
        return self._processes.submit(_Task(work, part, Future()))

    def _end(self) -> None:
        with self._hold():
            processes, self._processes = self._processes, None
            if processes is not None:
                processes.end()


@dataclass
class _Task:
    work: Callable[[Any], Any]
    part: Any
    future: "Future[Any]"
    tries: int = 0


class _Processes:
    """Tasks in a queue, and for each process a thread that brings them there."""

    def __init__(self, told: bytes, others: int) -> None:
        self._told = told
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()  # None wakes one that waits when the pool ends
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._threads = [Thread(target=self._serve, args=(k,), daemon=True) for k in range(others)]
        self._ending = False

    def submit(self, task: _Task) -> "Future[Any]":
        self._tasks.put(task)
        for thread in self._threads:
            if not thread.ident:  # the first part begins them all
                thread.start()
        return task.future

    def help(self, here: Callable[[Any], Any]) -> bool:
        """Do a task that no process has yet; False where there is none. One over which a process died is left to another."""
        try:
            task = self._tasks.get_nowait()
        except Empty:
            return False
        if task is None or task.tries:
            self._tasks.put(task)
            return False
        try:
            task.future.set_result(here(task.part))
        except Exception as e:
            task.future.set_exception(e)
        return True

    def end(self) -> None:
        self._ending = True
        for process in list(self._processes.values()):
            process.kill()
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            if thread.ident:
                thread.join(_END_WAIT)

    def _serve(self, k: int) -> None:
        """One process after the other, as each dies, until the pool ends. None is begun without a task, so each death has one to answer for."""
        there: deque[_Task] = deque()  # in this process: the first in work
        while not self._ending and (first := self._tasks.get()) is not None:
            there.append(first)
            try:
                self._converse(k, there)
            except Exception as e:  # whatever reading from or writing to a process that died raises
                for task in there:
                    task.tries += task is there[0]
                    if task.tries == _TRIES:
                        error = OutputError(_DIED)
                        error.__cause__ = e
                        task.future.set_exception(error)
                    else:
                        self._tasks.put(task)
                there.clear()

    def _converse(self, k: int, there: deque[_Task]) -> None:
        code = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import serve; serve()"
        command, environment = [sys.executable, "-c", code], _LARGE_PAGES | os.environ
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, **_APART)
        assert process.stdin is not None
        assert process.stdout is not None
        self._processes[k] = process
        for pipe in (process.stdin, process.stdout):
            _widen(pipe)
        try:
            _send(process.stdin, self._told)
            new: _Task | None = there[0]
            while not self._ending:
                while new is not None:
                    _send(process.stdin, _packed((new.work, new.part)))
                    new = self._next(there)
                result, error = _receive(process.stdout)
                task = there.popleft()
                if error is None:
                    task.future.set_result(result)
                else:
                    task.future.set_exception(error)
                new = self._next(there)
        finally:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    pipe.close()
            process.wait()

    def _next(self, there: deque[_Task]) -> _Task | None:
        """One more task for a process, where it has not enough; None where there is none yet and it has still to do."""
        if len(there) < _THERE:
            with suppress(Empty):
                task = self._tasks.get(block=not there)
                there.extend([task] if task else [])
                return task
        return None


def _widen(pipe: IO[bytes]) -> None:
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):  # a user may have so many pages for pipes, and a pipe of its first size does as well
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)


def _packed(what: Any) -> bytes:
    return pickle.dumps(what, pickle.HIGHEST_PROTOCOL)


def _send(pipe: IO[bytes], data: bytes) -> None:
    """In one piece: at each of several, the thread would let another one run and wait for its turn."""
    pipe.write(len(data).to_bytes(_LENGTH, "big") + data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> Any:
    """What was packed and sent. Raises EOFError where the other side is gone."""
    head = pipe.read(_LENGTH)
    length = int.from_bytes(head, "big")
    if len(head) < _LENGTH or len(data := pipe.read(length)) < length:
        raise EOFError
    return pickle.loads(data)


def serve() -> None:
    """What a process of the pool does: it works on parts as they come in, until its parent is gone. What is printed goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    begin, arguments = _receive(sys.stdin.buffer)
    parts: SimpleQueue[Any] = SimpleQueue()
    Thread(target=_read, args=(parts,), daemon=True).start()
    failed: Exception | None = None
    try:
        begin(*arguments)
    except Exception as e:
        failed = e
    with suppress(BrokenPipeError):
        while True:
            work, part = parts.get()
            try:
                answer = (None, failed) if failed else (work(part), None)
            except Exception as e:
                answer = (None, e)
            _send(answers, _packed(answer))


def _read(parts: "SimpleQueue[Any]") -> None:
    """Takes in the next part while one is in work, so that the parent never waits to be rid of it; ends the process with the parent."""
    with suppress(Exception):
        while True:
            parts.put(_receive(sys.stdin.buffer))
    os._exit(0)
