"""A file that appears under its name whole or not at all, and that an interrupted run can go on with; and the notes such a run keeps.

Owns `<name>.part` (what is written so far), `<name>.checkpoint` (how far it is good) and the order of writing them to disk:
rows reach the disk before the note that counts them; the note that a file is complete comes before its new name, and carries what
the file can be known by. So whatever is cut off, a later run finds its place. Knows nothing of rows' meaning, or of formats beyond
the table of writers. Everything is written by os.write, unbuffered: a batch of rows is one call.
"""

import hashlib
import json
import os
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import InputError, LockError, OutputError
from .writers import Columns, Record, Writer

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True)
class Position:
    """How far an output has come: its first `offset` bytes are on the disk and good; `header` is its columns."""

    offset: int = 0
    header: tuple[str, ...] = ()


class Output:
    """One output on its way. Errors of the disk are raised as OutputError, with the file's name and what to do."""

    def __init__(self, path: Path, writer: Writer, position: Position) -> None:
        """Begin, or go on from a position. Raises InputError where what is there is less than the position says, LockError where another
        run is at the file."""
        self._path, self._writer = path, writer
        self._part, self._packed = sibling(path, "part"), sibling(path, "packed")
        self._header = position.header
        try:
            self._file = os.open(self._part, _FLAGS, 0o600)
        except OSError as e:
            raise _failure(self._part, e) from None
        try:
            _lock(self._file, self._part)
            if os.fstat(self._file).st_size < position.offset:
                raise InputError(f"{self._part}: shorter than its checkpoint says; --force starts over")
            os.ftruncate(self._file, position.offset)
            os.lseek(self._file, position.offset, os.SEEK_SET)
        except OSError as e:
            self.close()
            raise _failure(self._part, e) from None
        except BaseException:
            self.close()
            raise

    def begin(self, header: Sequence[str]) -> None:
        """The columns; once, before the first rows."""
        self._header = tuple(header)
        self._put(self._writer.begin(self._header))

    def write(self, records: Sequence[Record], added: Columns) -> list[str]:
        """Add records, with columns behind their own. Returns names of columns that the file has no room for, once for each record."""
        self._put(self._writer.encode(self._header, records, added))
        return self._writer.lost(self._header, records)

    def _put(self, data: bytes) -> None:
        try:
            write_all(self._file, data)
        except OSError as e:
            raise _failure(self._path, e) from None

    @property
    def header(self) -> tuple[str, ...]:
        """The file's columns; empty before `begin`."""
        return self._header

    def sync(self) -> Position:
        """Bring what is written to the disk."""
        try:
            os.fsync(self._file)
            return Position(os.lseek(self._file, 0, os.SEEK_CUR), self._header)
        except OSError as e:
            raise _failure(self._path, e) from None

    def complete(self) -> list[int]:
        """Everything on the disk, in the file's format, not yet under its name. Returns what it can be known by (see `publish`)."""
        self.sync()
        try:
            if not os.path.samestat(os.fstat(self._file), os.lstat(self._part)):
                raise OutputError(f"{self._part}: was replaced while it was written; label anew")
            if self._writer.pack is None:
                return _mark(self._part)
            with suppress(FileNotFoundError):
                os.unlink(self._packed)  # what packs would write through a link that someone put there
            self._writer.pack(self._part, self._packed)
            os.chmod(self._packed, 0o600)
            handle = os.open(self._packed, os.O_RDWR)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
            return _mark(self._packed)
        except OSError as e:
            raise _failure(self._path, e) from None

    def publish(self, mark: Sequence[int]) -> None:
        """Give the complete file its name, before another run can have the lock (see `publish`)."""
        if fcntl is None:  # Windows: no file that is open can be renamed
            self.close()
        publish(self._path, mark)

    def discard(self) -> None:
        """Leave nothing behind."""
        if fcntl is None:  # Windows: no file that is open can be removed
            self.close()
        for path in (self._part, self._packed):
            with suppress(OSError):
                path.unlink()
        self.close()

    def close(self) -> None:
        """Let go of the file; what is written stays, to go on with."""
        handle, self._file = self._file, -1
        if handle >= 0:
            with suppress(OSError):
                os.close(handle)


class Pipe:
    """Standard output, with what an `Output` has of reading and writing. A reader that goes away is a BrokenPipeError, as everywhere."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.header: tuple[str, ...] = ()

    def begin(self, header: Sequence[str]) -> None:
        """The columns; once, before the first rows."""
        self.header = tuple(header)
        self._put(self._writer.begin(self.header))

    def write(self, records: Sequence[Record], added: Columns) -> list[str]:
        """Add records, with columns behind their own, and pass them on at once."""
        self._put(self._writer.encode(self.header, records, added))
        return self._writer.lost(self.header, records)

    def _put(self, data: bytes) -> None:
        if sys.stdout is None:  # the shell closed it
            raise OutputError("standard output: is closed; name a file for the output")
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise
        except OSError as e:
            raise OutputError(f"standard output: {e.strerror}") from None


def publish(path: Path, mark: Sequence[int]) -> None:
    """Give a complete file its name; nothing to do where it has it already. The mark is its size and time of last change, which a new
    name leaves as they are. Raises InputError where no file is the one that was completed."""
    left = [sibling(path, "packed"), sibling(path, "part")]
    try:
        if not mark or _mark(path) != list(mark):
            ready = next((name for name in left if mark and _mark(name) == list(mark)), None)
            if ready is None:
                raise InputError(f"{path}: not as it was left by the interrupted run; --force starts over")
            os.replace(ready, path)
            left.remove(ready)  # what is called so from now on is another run's
        for rest in left:
            if rest.exists():
                os.unlink(rest)
        sync_directory(path.parent)
    except OSError as e:
        raise _failure(path, e) from None


def _mark(path: Path) -> list[int]:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return []
    return [found.st_size, found.st_mtime_ns] if stat.S_ISREG(found.st_mode) else []


def sibling(path: Path, kind: str) -> Path:
    """The name of a file that belongs to an output: `out.csv.part`."""
    return path.with_name(f"{path.name}.{kind}")


def make_directory(path: Path) -> None:
    """A directory for outputs, for its owner alone."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as e:
        raise _failure(path, e) from None


def written(path: Path) -> list[Path]:
    """The names under which something is written on the way to an output."""
    return [path, *(sibling(path, kind) for kind in ("part", "packed"))]


def write_whole(path: Path, data: bytes, temporary: Path | None = None) -> None:
    """Write a small file so that it is there whole, or as it was before; `temporary` is where it is written first, if not beside it."""
    temporary = temporary or sibling(path, "new")
    try:
        handle = os.open(temporary, _FLAGS | os.O_TRUNC, 0o600)
        try:
            write_all(handle, data)
            os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(temporary, path)
        sync_directory(path.parent)
    except OSError as e:
        with suppress(OSError):
            temporary.unlink()
        raise _failure(path, e) from None


class Checkpoint:
    """The notes of a run: one JSON object in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.written = [path, sibling(path, "new")]

    def read(self) -> dict[str, Any] | None:
        """What an earlier run noted; None where there is nothing. Raises InputError where it is damaged."""
        try:
            notes = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as e:
            raise _failure(self._path, e) from None
        except (ValueError, RecursionError):
            notes = None
        if not isinstance(notes, dict):
            raise InputError(f"{self._path}: damaged; --force starts over")
        return notes

    def write(self, notes: dict[str, Any]) -> None:
        """Replace the notes."""
        write_whole(self._path, json.dumps(notes, ensure_ascii=True).encode())

    def delete(self) -> None:
        """The run is over."""
        try:
            self._path.unlink(missing_ok=True)
            sync_directory(self._path.parent)
        except OSError as e:
            raise _failure(self._path, e) from None


def fingerprint(path: Path) -> dict[str, Any]:
    """Size and SHA-256 of an input, to tell whether it has changed."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
            return {"bytes": file.tell(), "sha256": digest.hexdigest()}
    except OSError as e:
        raise InputError(f"{path}: {e.strerror}") from None


def write_all(handle: int, data: bytes) -> None:
    """os.write until all is written: a call may take less than it is given."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def sync_directory(path: Path) -> None:
    """Make a rename in a directory survive a power loss, where the system can."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:  # Windows opens no directories
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def see_alone(path: Path) -> None:
    """Raises LockError where another run is writing an output."""
    part = sibling(path, "part")
    with suppress(OSError), open(part, "r+b") as file:
        _lock(file.fileno(), part)


def _lock(handle: int, path: Path) -> None:
    """Alone at a file. Raises LockError where another run is, or was when the file was opened and has given it another name since."""
    if fcntl is None:  # Windows: two runs into one file are the user's to avoid
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        alone = os.path.samestat(os.fstat(handle), os.lstat(path))
    except (BlockingIOError, FileNotFoundError):
        alone = False
    except OSError:  # a file system without locks, as on Windows
        return
    if not alone:
        raise LockError(f"{path}: another run is writing it")


def _failure(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{path}: {error.strerror or error}; once that is remedied, the same command with --resume goes on")
