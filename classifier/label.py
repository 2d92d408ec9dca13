"""Batch labelling: rows in, the same rows with their labels out, in their order, as a stream.

Owns the labels' columns, which input becomes which output, and how a run is interrupted and gone on with. Knows formats only by the
tables of readers and writers.

    rows -> chunks -> labels (in this process or in several) -> the rows that are wanted -> output, tally, checkpoint
"""

import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from glob import glob, has_magic
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from .chunks import Chunk, chunks
from .classify import EVIDENCE_ITEMS, STATUS, Classifier, Scored
from .errors import InputError, LimitError
from .model import Model
from .output import Checkpoint, Output, Pipe, Position, fingerprint, make_directory, publish, sibling, written
from .pool import ordered
from .readers import Source, open_source, recognise
from .records import TYPES, VERDICTS, Label, Row
from .redact import redact, redact_columns, redact_person
from .signals import Hold, interruptible
from .tally import Tally
from .writers import WRITERS, Record

CHECKPOINT = 32  # chunks between two checkpoints: about a second's work, a few milliseconds of the disk's
COLUMNS = Label._fields[:-1]
_EVIDENCE = Label._fields[-1:]
_VERSION = 1  # of the checkpoint's notes


class Progress(Protocol):
    """Is told of rows as they are done; `total` is set to an estimate of how many there will be."""

    total: float | None

    def update(self, rows: int) -> object: ...


@dataclass(frozen=True)
class Options:
    """What decides on the content of the output; with another choice a run cannot be gone on with.

    text_column  the column that holds the message; None: found by its name or content
    format       the reader's name; None: recognised
    only         verdicts of the rows that are written; empty: all rows are
    evidence     add the strongest reasons
    redact       mask personal data
    """

    text_column: str | None = None
    format: str | None = None
    only: tuple[str, ...] = ()
    evidence: bool = False
    redact: bool = False


def label_texts(classifier: Classifier, texts: Sequence[str], evidence: bool = False) -> list[Label]:
    """A label for each text. Pure: the same for a text in whatever company, so it can run in any process, on any machine."""
    scored = classifier.scan(texts)
    rounded = scored.outcome[:, 0].round(6).tolist()
    columns = zip(rounded, scored.verdict.tolist(), scored.type.tolist(), scored.tactics, scored.status.tolist(), strict=True)
    labels = [Label(score, VERDICTS[v], TYPES[kind], "、".join(names), STATUS[status]) for score, v, kind, names, status in columns]
    if evidence:
        labels = [label._replace(scam_evidence=_reasons(scored, k, label.scam_verdict)) for k, label in enumerate(labels)]
    return labels


def _reasons(scored: Scored, k: int, verdict: str | None) -> list[dict[str, Any]]:
    _, reasons = scored.contributions(k, int(verdict == "other_fraud"), EVIDENCE_ITEMS)
    return [{"feature": e.feature, "contribution": round(e.contribution, 4), "span": e.span} for e in reasons]


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
    tasks, checkpoint = _plan(inputs, output)
    run = _Run(classifier, options, jobs, progress, warn, tasks, checkpoint)
    run.begin(force, resume)
    with interruptible() as hold:
        for task in tasks:
            run.file(task, hold)
        run.explain()
        finish(run.tally)
        if checkpoint:
            checkpoint.delete()
    return run.tally


@dataclass(frozen=True)
class Task:
    """An input and the file it becomes; None for standard output."""

    name: str
    target: Path | None


def _plan(inputs: Sequence[str], output: str) -> tuple[list[Task], Checkpoint | None]:
    """What becomes what, and where the run's notes are kept (nowhere for pipes)."""
    names = [name for pattern in inputs for name in matches(pattern)]
    if output == "-":
        if len(names) > 1:
            raise InputError("several inputs cannot share standard output; name a directory for the output")
        return [Task(names[0], None)], None
    target = Path(output)
    if len(names) == 1 and list(inputs) == names and not target.is_dir() and not output.endswith(("/", os.sep)):
        tasks = [Task(names[0], target)]
        checkpoint = Checkpoint(sibling(target, "checkpoint")) if names[0] != "-" else None
    else:
        if "-" in names:
            raise InputError("standard input cannot be one of several inputs")
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


class _Run:
    """The state of one call: what has been done, and the tally of it."""

    def __init__(
        self,
        classifier: Classifier,
        options: Options,
        jobs: int,
        progress: Progress | None,
        warn: Callable[[str], object],
        tasks: Sequence[Task],
        checkpoint: Checkpoint | None,
    ) -> None:
        self.tally = Tally(classifier.model.id)
        self._classifier, self._options, self._jobs, self._progress, self._warn = classifier, options, jobs, progress, warn
        self._tasks, self._checkpoint = tasks, checkpoint
        self._same = {"version": _VERSION, "model": classifier.model.id, "options": asdict(options), "inputs": [t.name for t in tasks]}
        self._done: dict[str, dict[str, Any]] = {}  # input -> its fingerprint, and what its output is known by
        self._current: dict[str, Any] = {}  # of the input in work: fingerprint, rows, position
        self._bytes = sum(Path(t.name).stat().st_size for t in tasks if Path(t.name).is_file())
        self._bytes_before = 0

    def begin(self, force: bool, resume: bool) -> None:
        """Take up an earlier run's notes, or see that there is none. Raises InputError where it cannot go on, or would replace a file."""
        if resume and self._checkpoint is None:
            raise InputError("a pipe cannot be gone on with; name files for input and output, or leave out --resume")
        notes = self._checkpoint.read() if self._checkpoint and (resume or not force) else None
        if notes is not None:
            if not resume:
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
                raise InputError(f"{self._tasks[0].target}: the interrupted run had another {key.rstrip('s')}; --force starts over")
        try:
            self._done, self._current, self.tally = notes["done"], notes["current"], Tally.from_state(notes["tally"])
        except (KeyError, TypeError, ValueError):
            raise InputError(f"{self._tasks[0].target}: its checkpoint is damaged; --force starts over") from None

    def explain(self) -> None:
        """Make the tally ready to be kept or shown."""
        self.tally.explain(partial(self._classifier.score_batch, evidence=True))

    def file(self, task: Task, hold: Hold) -> None:
        """Label one input, or see that it is done."""
        known = fingerprint(Path(task.name)) if self._checkpoint else {}
        done = self._done.get(task.name)
        noted = done or (self._current if self._current.get("name") == task.name else None)
        if noted and noted["input"] != known:
            raise InputError(f"{task.name}: has changed since the run was interrupted; --force starts over")
        if task.target and done:
            publish(task.target, done["mark"])
        else:
            if not noted:
                self.explain()
                before = self.tally.state() if len(self._tasks) > 1 else None
                self._current = {"name": task.name, "input": known, "rows": 0, "offset": 0, "header": [], "before": before}
            self._label(task, hold)
        self._bytes_before += known.get("bytes", 0)

    def _label(self, task: Task, hold: Hold) -> None:
        try:
            source = open_source(task.name)
            reader = recognise(source, self._options.format)
        except (InputError, LimitError) as e:
            self._give_up(task, e)
            return
        with source.stream:
            rows = reader.read(source, self._options.text_column)
            if task.target is None:
                self._fill(Pipe(WRITERS["jsonl" if reader.name == "jsonl" else "csv"]), source, rows, hold)
            else:
                self._write(task, task.target, source, rows, hold)
        for note in source.notes:
            self._warn(f"{task.name}: {note}")

    def _write(self, task: Task, target: Path, source: Source, rows: Iterator[Row], hold: Hold) -> None:
        out = Output(target, WRITERS[target.suffix.lstrip(".").lower()], Position(self._current["offset"], tuple(self._current["header"])))
        try:
            self._fill(out, source, islice(rows, self._current["rows"], None), hold)
            mark = out.complete()
            self._done[task.name] = {"input": self._current["input"], "mark": mark}
            self._current = {}
            self._note(None)
        except (InputError, LimitError) as e:
            out.discard()
            self._give_up(task, e)
            return
        except BaseException as e:
            if self._checkpoint is None:
                out.discard()
            elif isinstance(e, (KeyboardInterrupt, SystemExit)) and self._current:
                self._note(out.sync())
            raise
        finally:
            out.close()
        publish(target, mark)

    def _fill(self, out: Output | Pipe, source: Source, rows: Iterator[Row], hold: Hold) -> None:
        for count, (chunk, labels) in enumerate(self._scored(rows, hold), 1):
            with hold():
                self._commit(source, out, chunk, labels)
            if isinstance(out, Output) and count % CHECKPOINT == 0:
                self._note(out.sync())
        if not out.header:
            out.begin([*COLUMNS, *_EVIDENCE * self._options.evidence])

    def _give_up(self, task: Task, error: InputError | LimitError) -> None:
        """An input that cannot be read: among several it is passed over, alone it is the end."""
        if len(self._tasks) == 1:
            if self._checkpoint:
                self._checkpoint.delete()
            raise error
        self.tally = Tally.from_state(self._current["before"])
        self.tally.unreadable[task.name] = str(error)
        self._warn(str(error))

    def _note(self, position: Position | None) -> None:
        if self._checkpoint:
            if position:
                self._current |= {"offset": position.offset, "header": position.header}
            self.explain()
            self._checkpoint.write({**self._same, "done": self._done, "current": self._current, "tally": self.tally.state()})

    def _scored(self, rows: Iterator[Row], hold: Hold) -> Iterator[tuple[Chunk, list[Label]]]:
        """The chunks with a label for each row, in order."""
        if self._jobs == 1:
            for chunk in chunks(rows):
                yield chunk, chunk.labels(label_texts(self._classifier, chunk.texts, self._options.evidence))
            return
        sent: deque[Chunk] = deque()

        def texts() -> Iterator[list[str]]:
            for chunk in chunks(rows):
                sent.append(chunk)
                yield chunk.texts

        arguments = (self._classifier.model, self._options.evidence)
        with closing(ordered(_label_there, texts(), self._jobs, _begin_there, arguments, hold)) as results:
            for scored in results:
                chunk = sent.popleft()
                yield chunk, chunk.labels(scored)

    def _commit(self, source: Source, out: Output | Pipe, chunk: Chunk, labels: Sequence[Label]) -> None:
        """Write and count a chunk."""
        names = COLUMNS + _EVIDENCE * self._options.evidence
        rows = chunk.rows
        shown: Callable[[str], str] = str
        if self._options.redact:
            rows = [replace(r, columns=redact_columns(r.columns), sender=redact_person(r.sender)) for r in rows]
            shown = redact
        only = self._options.only
        records: list[Record] = [
            {**row.columns, **dict(zip(names, label, strict=False))}
            for row, label in zip(rows, labels, strict=True)
            if not only or label.scam_verdict in only
        ]
        if not out.header:
            columns = dict.fromkeys(name for row in rows for name in row.columns)
            out.begin([*(name for name in columns if name not in names), *names])
        self.tally.lost.update(out.write(records))
        self.tally.written += len(records)
        self.tally.add(source.name, rows, labels, [chunk.text(k) for k in range(len(rows))], shown)
        self._current["rows"] += len(rows)
        if self._progress is not None:
            self._progress.total = self._estimate(source)
            self._progress.update(len(rows))

    def _estimate(self, source: Source) -> float | None:
        """How many rows there will be, from the share of the bytes that has been read; None where that cannot be told."""
        size = self._current["input"].get("bytes", self._bytes)
        with suppress(OSError, ValueError):  # a stream that cannot tell where it is
            read = self._bytes_before + (size if source.stream.closed else source.stream.tell())  # closed: read to its end
            if read > 0 and self._bytes:
                return float(max(1.0, self._bytes / read) * self.tally.rows)
        return None


_there: list[tuple[Classifier, bool]] = []  # in a worker process: what it labels with


def _begin_there(model: Model, evidence: bool) -> None:
    _there[:] = [(Classifier(model), evidence)]


def _label_there(texts: list[str]) -> list[Label]:
    classifier, evidence = _there[0]
    return label_texts(classifier, texts, evidence)
