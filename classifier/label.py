"""Batch labelling: rows in, the same rows with their labels out, in their order, as a stream.

Owns the labels' columns, which input becomes which output, and how a run is interrupted and gone on with. Knows formats only by the
tables of readers and writers.

    rows -> chunks -> labels (in this process or in several) -> the rows that are wanted -> output, tally, checkpoint
"""

import gc
import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass
from functools import partial
from glob import glob, has_magic
from itertools import compress, islice
from pathlib import Path
from typing import Any, Protocol

from .batch import COLUMNS, EVIDENCE, begin, keep_memory, label_texts, label_there
from .chunks import Chunk, chunks
from .classify import Classifier
from .errors import InputError, LimitError
from .output import Checkpoint, Output, Pipe, Position, fingerprint, make_directory, publish, see_alone, sibling, written
from .pool import Pool
from .readers import Source, is_pipe, known_encoding, open_source, recognise, refuse_directory
from .records import Labels, Row
from .redact import redact, redact_columns, redact_person
from .signals import Hold, interruptible
from .tally import Tally
from .writers import WRITERS

CHECKPOINT = 16  # chunks between two checkpoints: about a second's work, a few milliseconds of the disk's
_COLLECTED = 50_000  # new objects: more than the rows that are in work
_VERSION = 2  # of the checkpoint's notes
_KINDS = {"model": "model, --prior or --max-false-alarms", "options": "option", "inputs": "input"}


class Progress(Protocol):
    """Is told of rows as they are done; `total` is set to an estimate of how many there will be."""

    total: float | None

    def update(self, rows: int) -> object: ...


@dataclass(frozen=True)
class Options:
    """What decides on the content of the output; with another choice a run cannot be gone on with.

    text_column  the column that holds the message; None: found by its name or content
    format       the reader's name; None: recognised
    encoding     that of the text; "": found
    only         verdicts of the rows that are written; empty: all rows are
    evidence     add the strongest reasons to what is not called legit
    redact       mask personal data
    """

    text_column: str | None = None
    format: str | None = None
    encoding: str = ""
    only: tuple[str, ...] = ()
    evidence: bool = False
    redact: bool = False


def label_files(
    classifier: Classifier,
    inputs: Sequence[str],
    output: str,
    options: Options,
    *,
    jobs: int = 1,
    force: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
    warn: Callable[[str], object] = lambda line: None,
    finish: Callable[[Tally], object] = lambda tally: None,
) -> Tally:
    """Label files. With several inputs (or a pattern, or a directory's name) `output` is a directory.

    Each output appears whole or not at all. Interrupted by a signal or a fault of the disk, a run leaves what `resume` goes on with;
    `finish` is called when all outputs have their names, and again by the run that goes on if it did not come back. An input among
    several that cannot be read is noted in the tally, and the others go on. Raises ScamcallError.
    """
    tasks, checkpoint = plan(inputs, output)
    keep_memory()
    with _few_collections(), interruptible() as hold, _processes(classifier, options, jobs, hold) as pool:
        run = Run(classifier, options, tasks, checkpoint, pool, progress, warn)
        run.begin(force, resume)
        for task in tasks:
            run.file(task, hold)
        run.end(finish)
    return run.tally


@contextmanager
def _few_collections() -> Iterator[None]:
    """Within it, cycles are looked for only among very many new objects. Rows are many and hold none: a thirtieth of the time went there."""
    before = gc.get_threshold()
    gc.set_threshold(_COLLECTED, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _processes(classifier: Classifier, options: Options, jobs: int, hold: Hold) -> AbstractContextManager[Pool | None]:
    """The processes that label beside this one; none where it is to be alone."""
    return nullcontext() if jobs == 1 else Pool(jobs - 1, begin, (classifier.model, options.evidence), hold)


@dataclass(frozen=True)
class Task:
    """An input and the file it becomes; None for standard output."""

    name: str
    target: Path | None


def plan(inputs: Sequence[str], output: str) -> tuple[list[Task], Checkpoint | None]:
    """What becomes what, and where the run's notes are kept (nowhere for pipes)."""
    names = [name for pattern in inputs for name in matches(pattern)]
    if output == "-":
        if len(names) > 1:
            raise InputError("several inputs cannot share standard output; name a directory for the output")
        return [Task(names[0], None)], None
    target = Path(output)
    if len(names) == 1 and list(inputs) == names and not target.is_dir() and not output.endswith(("/", os.sep)):
        tasks = [Task(names[0], target)]
        checkpoint = Checkpoint(sibling(target, "checkpoint")) if not is_pipe(names[0]) else None
    else:
        if pipe := next(filter(is_pipe, names), ""):
            raise InputError(f"{'standard input' if pipe == '-' else pipe}: a pipe cannot be one of several inputs; label it into a file of its own")
        if _writer_of(target) and not target.is_dir() and not output.endswith(("/", os.sep)):
            raise InputError(f"{output}: several inputs become as many outputs; name a directory for them: {target.with_suffix('')}{os.sep}")
        tasks = [Task(name, target / _output_name(name)) for name in names]
        make_directory(target)
        checkpoint = Checkpoint(target / "scamcall.checkpoint")
    twice = {str(task.target) for k, task in enumerate(tasks) for other in tasks[:k] if task.target == other.target}
    if twice:
        raise InputError(f"two inputs would become {min(twice)}; label them into different directories")
    for task in tasks:
        _check(task)
    _spare_inputs(tasks, checkpoint)
    return tasks, checkpoint


def matches(pattern: str) -> list[str]:
    """The files that a pattern names; a name that is none, as it is. Raises InputError where there is no such file."""
    if pattern == "-" or Path(pattern).exists() or not has_magic(pattern):
        return [pattern]
    found = sorted(name for name in glob(pattern, recursive=True) if Path(name).is_file())
    if not found:
        raise InputError(f"{pattern}: no file is called so")
    return found


def _output_name(name: str) -> str:
    path = Path(name.removesuffix(".gz"))
    return path.name if _writer_of(path) else f"{path.stem}.csv"


def _writer_of(path: Path) -> str | None:
    suffix = path.suffix.lstrip(".").lower()
    return suffix if suffix in WRITERS else None


def _check(task: Task) -> None:
    """Raises InputError where an output cannot be what its name says."""
    if task.target is None:
        return
    writer = _writer_of(task.target)
    if writer is None:
        raise InputError(f"{task.target}: its ending should say a format: {' '.join(f'.{name}' for name in WRITERS)}")
    WRITERS[writer].check()


def _spare_inputs(tasks: Sequence[Task], checkpoint: Checkpoint | None) -> None:
    """Raises InputError where something would be written over an input."""
    inputs = {_identity(task.name) for task in tasks} - {None}
    ours = [path for task in tasks if task.target for path in written(task.target)]
    for path in (*ours, *(checkpoint.written if checkpoint else ())):
        if _identity(path) in inputs:
            raise InputError(f"{path}: is the input; name another file for the output")


def _identity(path: str | Path) -> tuple[int, int] | None:
    with suppress(OSError, ValueError):
        found = os.stat(path)
        return found.st_dev, found.st_ino
    return None


class Run:
    """The state of one call: what has been done, and the tally of it.

    done  by input, its fingerprint, and what its output is known by
    """

    def __init__(
        self,
        classifier: Classifier,
        options: Options,
        tasks: Sequence[Task],
        checkpoint: Checkpoint | None = None,
        pool: Pool | None = None,
        progress: Progress | None = None,
        warn: Callable[[str], object] = lambda line: None,
    ) -> None:
        self.tally = Tally(classifier.model.id)
        self.done: dict[str, dict[str, Any]] = {}
        self._classifier, self._options, self._pool, self._progress, self._warn = classifier, options, pool, progress, warn
        self._tasks, self._checkpoint = tasks, checkpoint
        self._same = {"version": _VERSION, "model": classifier.model.id, "options": asdict(options), "inputs": [t.name for t in tasks]}
        self._part = Tally(classifier.model.id)  # of the input in work
        self._current: dict[str, Any] = {}  # of it: fingerprint, rows, position
        self._bytes = sum(Path(t.name).stat().st_size for t in tasks if Path(t.name).is_file())
        self._bytes_before = 0

    def begin(self, force: bool, resume: bool) -> None:
        """Take up an earlier run's notes, or see that there is none. Raises InputError where it cannot go on, or would replace a file."""
        if self._options.encoding:
            known_encoding(self._options.encoding)
        if resume and self._checkpoint is None:
            raise InputError("a pipe cannot be gone on with; name files for input and output, or leave out --resume")
        notes = self._checkpoint.read() if self._checkpoint and (resume or not force) else None
        if notes is not None:
            if not resume:
                for task in self._tasks:
                    if task.target:
                        see_alone(task.target)
                raise InputError(f"{self._tasks[0].target}: an earlier run was interrupted; --resume goes on, --force starts over")
            self._take_up(notes)
            return
        if self._checkpoint:
            self._checkpoint.delete()  # before anything is written: notes of an old run must never meet rows of a new one
        for task in self._tasks:
            if task.target and task.target.exists() and not force:
                raise InputError(f"{task.target}: exists; --force replaces it")

    def _take_up(self, notes: dict[str, Any]) -> None:
        for key, value in self._same.items():
            if notes.get(key) != json.loads(json.dumps(value)):
                raise InputError(f"{self._tasks[0].target}: the interrupted run had another {_KINDS.get(key, key)}; --force starts over")
        try:
            self.done, self._current = notes["done"], notes["current"]
            self.tally, self._part = Tally.from_state(notes["tally"]), Tally.from_state(notes["part"])
        except (KeyError, TypeError, ValueError):
            raise InputError(f"{self._tasks[0].target}: its checkpoint is damaged; --force starts over") from None

    def end(self, finish: Callable[[Tally], object]) -> None:
        """All outputs have their names: show the tally, and leave no notes."""
        self._explain(self.tally)
        finish(self.tally)
        if self._checkpoint:
            self._checkpoint.delete()

    def _explain(self, tally: Tally) -> None:
        tally.explain(partial(self._classifier.score_batch, evidence=True))

    def file(self, task: Task, hold: Hold) -> None:
        """Label one input, or see that it is done."""
        try:
            refuse_directory(task.name)
            known = fingerprint(Path(task.name)) if self._checkpoint else {}
        except InputError as e:
            if self._noted(task):
                raise
            self.give_up(task, e)
            return
        if not self.is_done(task, known):
            if self._current.get("name") != task.name:
                self._current = {"name": task.name, "input": known, "rows": 0, "offset": 0, "header": []}
                self._part = Tally(self._classifier.model.id)
            self._label(task, hold)
        self._bytes_before += known.get("bytes", 0)

    def is_done(self, task: Task, known: dict[str, Any]) -> bool:
        """Was an input labelled by the run that was interrupted? Its output has its name then. Raises InputError where it has changed."""
        noted, done = self._noted(task), self.done.get(task.name)
        if noted and noted["input"] != known:
            raise InputError(f"{task.name}: has changed since the run was interrupted; --force starts over")
        if task.target and done:
            publish(task.target, done["mark"])
        return done is not None

    def _noted(self, task: Task) -> dict[str, Any] | None:
        """What the run that was interrupted knew of an input, if it came to it."""
        return self.done.get(task.name) or (self._current if self._current.get("name") == task.name else None)

    def take(self, task: Task, done: dict[str, Any], part: Tally) -> None:
        """Note that an input is done, and what was counted of it."""
        self.tally.merge(part)
        self.done[task.name], self._current, self._part = done, {}, Tally(part.model)
        self.note()

    def _label(self, task: Task, hold: Hold) -> None:
        try:
            source = open_source(task.name, self._options.encoding)
            reader = recognise(source, self._options.format)
        except (InputError, LimitError) as e:
            self.give_up(task, e)
            return
        self._part.inputs.setdefault(source.name, 0)  # a file without rows was read too
        with source.stream:
            rows = reader.read(source, self._options.text_column)
            if task.target is None:
                self._fill(Pipe(WRITERS["jsonl" if reader.name == "jsonl" else "csv"]), source, rows, hold)
                self.tally.merge(self._part)
            else:
                self._write(task, task.target, source, rows, hold)
        for note in source.notes:
            self._warn(f"{task.name}: {note}")

    def _write(self, task: Task, target: Path, source: Source, rows: Iterator[Row], hold: Hold) -> None:
        at = Position(self._current["offset"], tuple(self._current["header"]))
        with closing(Output(target, WRITERS[target.suffix.lstrip(".").lower()], at)) as out:
            try:
                self._fill(out, source, islice(rows, self._current["rows"], None), hold)
                mark = out.complete()
                self._explain(self._part)
                with hold():
                    self.take(task, {"input": self._current["input"], "mark": mark}, self._part)
            except (InputError, LimitError) as e:
                out.discard()
                self.give_up(task, e)
                return
            except BaseException as e:
                if self._checkpoint is None:
                    out.discard()
                elif isinstance(e, (KeyboardInterrupt, SystemExit)) and self._current:
                    self.note(out.sync())
                raise
            out.publish(mark)

    def _fill(self, out: Output | Pipe, source: Source, rows: Iterator[Row], hold: Hold) -> None:
        for count, (chunk, labels) in enumerate(self._scored(rows), 1):
            with hold():
                self._commit(source, out, chunk, labels)
            if isinstance(out, Output) and count % CHECKPOINT == 0:
                self.note(out.sync())
        if not out.header:
            out.begin([*COLUMNS, *[EVIDENCE] * self._options.evidence])

    def give_up(self, task: Task, error: InputError | LimitError) -> None:
        """An input that cannot be read: among several it is passed over, alone it is the end."""
        if len(self._tasks) == 1:
            if self._checkpoint:
                self._checkpoint.delete()
            raise error
        self._current, self._part = {}, Tally(self._classifier.model.id)
        self.tally.unreadable[task.name] = str(error)
        self._warn(str(error))

    def note(self, position: Position | None = None) -> None:
        """Note how far the run has come; `position` is that of the output in work."""
        if self._checkpoint:
            if position:
                self._current |= {"offset": position.offset, "header": position.header}
            self._explain(self._part)
            state = {"done": self.done, "current": self._current, "tally": self.tally.state(), "part": self._part.state()}
            self._checkpoint.write({**self._same, **state})

    def _scored(self, rows: Iterator[Row]) -> Iterator[tuple[Chunk, Labels]]:
        """The chunks with a label for each row, in order."""
        if self._pool is None:
            for chunk in chunks(rows):
                yield chunk, chunk.labels(label_texts(self._classifier, chunk.texts, self._options.evidence))
            return
        sent: deque[Chunk] = deque()

        def texts() -> Iterator[list[str]]:
            for chunk in chunks(rows):
                sent.append(chunk)
                yield chunk.texts

        here = partial(label_texts, self._classifier, evidence=self._options.evidence)
        with closing(self._pool.ordered(label_there, here, texts())) as results:
            for scored in results:
                chunk = sent.popleft()
                yield chunk, chunk.labels(scored)

    def _commit(self, source: Source, out: Output | Pipe, chunk: Chunk, labels: Labels) -> None:
        """Write and count a chunk."""
        rows = chunk.rows
        shown: Callable[[str], str] = str
        if self._options.redact:
            rows = [r._replace(columns=redact_columns(r.columns), sender=redact_person(r.sender)) for r in rows]
            shown = redact
        records = [row.columns for row in rows]
        added = {name: column for name, column in labels._asdict().items() if column is not None}
        if not out.header:
            columns = dict.fromkeys(name for record in records for name in record)
            out.begin([*(name for name in columns if name not in added), *added])
        if only := self._options.only:
            wanted = [verdict in only for verdict in labels.scam_verdict]
            records, added = list(compress(records, wanted)), {name: list(compress(column, wanted)) for name, column in added.items()}
        self._part.lost.update(out.write(records, added))
        self._part.written += len(records)
        self._part.add(source.name, rows, labels, chunk.text, shown)
        self._current["rows"] += len(rows)
        read = self._read(source)
        self.show(len(rows), self._bytes_before + read if read else 0)

    def _read(self, source: Source) -> int:
        if source.stream.closed:  # read to its end
            return int(self._current["input"].get("bytes", self._bytes))
        try:
            return source.stream.tell()
        except (OSError, ValueError):
            return 0

    def show(self, rows: int, read: int) -> None:
        """Show that more rows are done, and how many there will be, by the share of the bytes that has been read (0: that cannot be told)."""
        if self._progress is not None:
            self._progress.total = max(1.0, self._bytes / read) * (self.tally.rows + self._part.rows) if read > 0 and self._bytes else None
            self._progress.update(rows)
