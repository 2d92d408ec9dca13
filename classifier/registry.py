"""Where models live and which one is in use: the shipped one, and a user's own versions.

Owns the directories, the pointer CURRENT and the lock. Knows nothing of what is inside a model.
A version is published whole: written under a temporary name, synced, renamed, and only then pointed to.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from .errors import InputError, LockError, ModelError, OutputError
from .output import sync_directory

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
_POINTER = "CURRENT"


@dataclass(frozen=True)
class Version:
    """A model that can be used. `shipped` ones come with the package."""

    id: str
    path: Path
    shipped: bool
    current: bool


def shipped_root() -> Path:
    """Where the package's own models are: inside it when installed, beside it in a source tree."""
    inside = Path(__file__).parent / "shipped" / "models"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "models"


def user_root() -> Path:
    """Where a user's versions are: $SCAMCALL_MODELS, else the XDG data directory."""
    named = os.environ.get("SCAMCALL_MODELS")
    if named:
        return Path(named)
    base = os.environ.get("XDG_DATA_HOME")
    try:
        return (Path(base) if base else Path.home() / ".local" / "share") / "scamcall" / "models"
    except RuntimeError:  # no home directory
        return Path("/nonexistent/scamcall/models")


def versions() -> list[Version]:
    """All versions, shipped ones first, then by id."""
    current = _current_id()
    return [
        Version(path.name, path, shipped, path.name == current)
        for root, shipped in ((shipped_root(), True), (user_root(), False))
        for path in (sorted(root.iterdir()) if root.is_dir() else [])
        if _ID.match(path.name) and (path / "manifest.json").is_file()
    ]


def current() -> Path:
    """The directory of the model in use. Raises ModelError where there is none."""
    wanted = _current_id()
    for version in versions():
        if version.id == wanted:
            return version.path
    raise ModelError(f"no model {wanted or 'at all'}; scamcall models lists them, scamcall train makes one")


def _current_id() -> str:
    for root in (user_root(), shipped_root()):
        with suppress(OSError):
            return (root / _POINTER).read_text(encoding="ascii", errors="backslashreplace").strip()
    return ""


def use(model_id: str) -> None:
    """Make a version the one in use. Raises InputError where there is no such version."""
    if model_id not in [v.id for v in versions()]:
        raise InputError(f"no model {model_id}; there are {', '.join(v.id for v in versions()) or 'none'}")
    with locked(user_root()):
        _point(user_root(), model_id)


def publish(root: Path, model_id: str, write: Callable[[Path], None]) -> Path:
    """Add a version: `write` fills a directory, which then appears under its name and is pointed to. Returns its path.

    Call it inside `locked(root)`. Raises InputError for an id that is no file name, OutputError where writing fails.
    """
    if not _ID.match(model_id):
        raise InputError(f"{model_id!r} is no model id: small letters, digits, . _ - and at most 64 of them")
    temporary, old = root / f".{model_id}.{os.getpid()}.part", root / f".{model_id}.{os.getpid()}.old"
    try:
        write(temporary)
        sync_directory(temporary)
        target = root / model_id
        try:
            if target.exists():
                os.replace(target, old)
            os.replace(temporary, target)
        except BaseException:
            if old.exists() and not target.exists():
                os.replace(old, target)
            raise
        sync_directory(root)
        shutil.rmtree(old, ignore_errors=True)
        _point(root, model_id)
    except OSError as e:
        raise OutputError(f"{root}: {e.strerror}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def _point(root: Path, model_id: str) -> None:
    temporary = root / f".{_POINTER}.{os.getpid()}.part"
    try:
        with open(temporary, "w", encoding="ascii") as file:
            file.write(f"{model_id}\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, root / _POINTER)
        sync_directory(root)
    except OSError as e:
        raise OutputError(f"{root}: {e.strerror}") from None
    finally:
        with suppress(OSError):
            temporary.unlink()


def next_number(root: Path) -> int:
    """The number after the highest of the versions `v0001-…` in a root."""
    numbers = [int(m[1]) for p in (root.iterdir() if root.is_dir() else []) if (m := re.match(r"v(\d+)-", p.name))]
    return max(numbers, default=0) + 1


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Alone in a root; the lock goes with the process, however it ends. Raises LockError where another holds it."""
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = open(root / ".lock", "a+")  # noqa: SIM115 held until the block below ends
    except OSError as e:
        raise OutputError(f"{root}: {e.strerror}") from None
    with file:
        try:
            import fcntl
        except ImportError:  # Windows: without it two trainings at once may give two versions one number, nothing worse
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise LockError(f"{root}: in use by process {file.read().strip() or 'unknown'}; try again when it is done") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
