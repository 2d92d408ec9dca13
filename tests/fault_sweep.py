"""Every call that changes the disk, failing or killing the process, one at a time: what is left must be absent or whole, the input must
be as it was, and a run with --resume must end in the very bytes of a run that nothing disturbed.

    python tests/fault_sweep.py [WAY ...] [--rows 60] [--kernel] [--kinds EIO torn ...]

Each point is a run of the command of which one call is faulty. By default it runs in a forked child, where the functions of `os` are
replaced; with --kernel it is a process of its own under strace, which reaches what libraries write by themselves.
"""

import argparse
import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import classifier.chunks
import classifier.label
from classifier import load
from classifier.cli import main as command

HANDLES = ("write", "fsync", "ftruncate", "close")  # the functions of `os` that are given an open file
NAMES = ("open", "replace", "unlink", "mkdir", "rmdir", "chmod")  # … and those that are given its name
# One call fails, or all from it on (a disk that stays full), or the process is killed there; torn: half of what was to be written, and killed.
KINDS = ("EIO", "EIO for good", "ENOSPC", "ENOSPC for good", "killed before", "killed after", "torn")
SYSTEM_CALLS = ("write", "pwrite64", "fsync", "rename", "ftruncate", "unlink", "mkdir", "rmdir", "chmod")
KERNEL_KINDS = {"EIO": "error=EIO:when={}", "ENOSPC for good": "error=ENOSPC:when={}+", "killed before": "signal=KILL:when={}"}
TEXTS = (
    "您好，我是小红书客服，您买的面膜质检不合格，给您双倍赔付，请加我微信办理",
    "您的快递已到菜鸟驿站，取件码5-2-1033",
    "晚上一起吃饭吗？",
    "这里是公安局，您涉嫌洗钱，请把资金转到安全账户配合调查",
)
_ORPHANS = 5  # seconds that children have to end when their parent was killed
_ERROR, _PARTIAL = 5, 1  # exit codes: cannot write; done, some rows rejected


@dataclass(frozen=True)
class Way:
    """A way of labelling: one input, or two into a directory; over an output that is there; going on with a run that was killed halfway."""

    ending: str
    several: bool = False
    jobs: int = 1
    over: bool = False
    resumed: bool = False


WAYS = {
    "csv": Way("csv"),
    "jsonl": Way("jsonl"),
    "xlsx": Way("xlsx"),
    "parquet": Way("parquet"),
    "several-csv": Way("csv", several=True),
    "several-xlsx": Way("xlsx", several=True),
    "over-csv": Way("csv", over=True),
    "over-xlsx": Way("xlsx", over=True),
    "resumed-csv": Way("csv", resumed=True),
    "resumed-parquet": Way("parquet", resumed=True),
    "jobs-csv": Way("csv", jobs=2),
    "jobs-several-jsonl": Way("jsonl", several=True, jobs=2),
}


class Ended(NamedTuple):
    """How a run ended: its exit code (negative: the signal that killed it), whether the fault was met, processes it left behind."""

    code: int
    met: bool = False
    orphans: int = 0


class Place:
    """Inputs, and a directory for the outputs of one way."""

    def __init__(self, root: Path, way: Way, rows: int) -> None:
        self.way, self.inside, self.outside = way, root / "in", root / "out"
        self.inside.mkdir(parents=True)
        for name in ("first", "second")[: 1 + way.several]:
            lines = [f"{k},{TEXTS[(k * 7 + len(name)) % len(TEXTS)]}" for k in range(rows)]
            (self.inside / f"{name}.{way.ending}").write_text("\n".join(["编号,短信内容", *lines, "坏,行,多了"]), encoding="utf-8")
        self.inputs = content(self.inside)
        self.seed: dict[str, bytes] = {}
        self.fresh()

    def fresh(self) -> None:
        """The directory as it is before the run that is swept."""
        shutil.rmtree(self.outside, ignore_errors=True)
        self.outside.mkdir()
        for name, data in self.seed.items():
            (self.outside / name).parent.mkdir(exist_ok=True)
            (self.outside / name).write_bytes(data)

    def arguments(self, resume: bool) -> list[str]:
        """The command's words."""
        target = self.outside / "all" if self.way.several else self.outside / f"result.{self.way.ending}"
        more = ["--force"] * self.way.over + ["--resume"] * resume
        inputs = [str(self.inside / name) for name in self.inputs]
        report = ["--report", str(self.outside / "report.html")]
        return ["label", *inputs, "-o", str(target), *report, "--jobs", str(self.way.jobs), *more]


def content(directory: Path) -> dict[str, bytes]:
    """Every file below a directory."""
    return {str(p.relative_to(directory)): p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()}


def small_chunks() -> None:
    """A few rows make a chunk, and a few chunks a checkpoint, so that a short run has all that a long one has."""
    classifier.chunks.CHUNK, classifier.label.CHECKPOINT = 16, 2


def forked(place: Place, resume: bool, fault: tuple[int, str] | None = None) -> Ended:
    """Run the command in a child of this process, whose model is loaded already."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        code = 254
        try:
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            if fault:
                _arm(*fault, str(place.outside), writing)
            code = command(place.arguments(resume))
        finally:
            os._exit(code)
    os.close(writing)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    orphans = left_behind(child) if place.way.jobs > 1 else 0
    with os.fdopen(reading, "rb") as pipe:
        return Ended(code, bool(pipe.read()), orphans)


def _arm(at: int, kind: str, where: str, met: int) -> None:
    """From now on in this process, the call numbered `at` of those that change something below a directory is faulty."""
    count = 0
    really_write = os.write

    def faulty(real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            nonlocal count
            if not _concerns(name, args, where):
                return real(*args, **options)
            count += 1
            if count < at or (count > at and not kind.endswith("for good")):
                return real(*args, **options)
            if count == at:
                really_write(met, b"!")
            if kind.startswith("E"):
                if name == "close":
                    real(*args)  # a file whose close failed is closed all the same
                number = getattr(errno, kind.split()[0])
                if number == errno.ENOSPC and name == "write":
                    real(args[0], bytes(args[1])[: len(args[1]) // 2])  # a full disk takes what it can
                if number == errno.ENOSPC and name in ("unlink", "rmdir", "close"):
                    return None if name == "close" else real(*args, **options)  # these need no room
                raise OSError(number, os.strerror(number), str(args[0]))
            if kind == "torn" and name == "write":
                real(args[0], bytes(args[1])[: len(args[1]) // 2])
            elif kind == "killed after":
                real(*args, **options)
            os.kill(os.getpid(), signal.SIGKILL)

        return call

    for name in HANDLES + NAMES:
        # A killed process loses nothing that the kernel has, so syncing for real would only take time.
        setattr(os, name, faulty(getattr(os, name) if name != "fsync" else lambda handle: None, name))


def _concerns(name: str, args: Sequence[Any], where: str) -> bool:
    if name == "open" and not args[1] & os.O_CREAT:
        return False
    try:
        return (os.readlink(f"/proc/self/fd/{args[0]}") if name in HANDLES else os.path.abspath(args[0])).startswith(where)
    except OSError:
        return False


def traced(place: Place, resume: bool, fault: tuple[str, int, str] | None = None) -> Ended:
    """Run the command as a process of its own under strace, which fails the system call of this name, number and kind."""
    if fault is None:
        return forked(place, resume)
    name, at, kind = fault
    log = place.inside.parent / "log"
    injected = f"inject={name}:{KERNEL_KINDS[kind].format(at)}"
    words = ["strace", "-qq", "-o", str(log), "-e", f"trace={name}", "-e", injected, sys.executable, __file__, "--run", *place.arguments(resume)]
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    code = child.wait()
    return Ended(code, "(INJECTED" in log.read_text() or code == -signal.SIGKILL, left_behind(child.pid))


def left_behind(session: int) -> int:
    """How many processes of a session are still there after a while."""
    for _ in range(10 * _ORPHANS):
        found = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                state, _, _, of = stat.read_text().rpartition(") ")[2].split()[:4]
            except OSError:
                continue
            found += of == str(session) and state != "Z"
        if not found:
            return 0
        time.sleep(0.1)
    return found


def faults(kernel: bool, kinds: Sequence[str]) -> Iterator[Iterator[tuple[Any, ...]]]:
    """Sequences of faults, each to be followed until one is not met."""
    for kind in kinds:
        if kernel:
            yield from (((name, at, kind) for at in range(1, 10_000)) for name in SYSTEM_CALLS)
        else:
            yield ((at, kind) for at in range(1, 10_000))


def sweep(root: Path, way: Way, rows: int, kernel: bool, kinds: Sequence[str]) -> tuple[Counter[str], list[str]]:
    """All points of one way: how many of each kind, and what went wrong at any."""
    run: Any = traced if kernel else forked
    place = Place(root, way, rows)
    if forked(place, False).code != _PARTIAL:
        return Counter(), ["a run without a fault failed"]
    whole = content(place.outside)
    if way.over:
        place.seed = dict.fromkeys(whole, b"what was there before")
    if way.resumed:
        place.seed = next(left for at in range(1, 1000) if _halfway(left := _killed(place, at)))
    points: Counter[str] = Counter()
    wrong = []
    for sequence in faults(kernel, kinds):
        for fault in sequence:
            place.fresh()
            code, met, orphans = run(place, way.resumed, fault)
            if not met:
                break
            points[fault[-1]] += 1
            said = " ".join(map(str, fault))
            left = content(place.outside)
            if any(left[name] not in (whole[name], place.seed.get(name)) for name in whole if name in left):
                wrong.append(f"{said}: an output that is not whole")
            done = code == _PARTIAL and all(left.get(name) == data for name, data in whole.items())
            if code not in (_ERROR, -signal.SIGKILL) and not done:
                wrong.append(f"{said}: exit code {code}")
            if orphans:
                wrong.append(f"{said}: {orphans} processes left")
            if code != _PARTIAL:
                again = forked(place, True)
                if again.code != _PARTIAL and all(left.get(name) == data for name, data in whole.items()):
                    place.fresh()  # it was killed after all was done; there is nothing to go on with
                elif again.code != _PARTIAL:
                    wrong.append(f"{said}: resumed with exit code {again.code}")
                elif content(place.outside) != whole:
                    wrong.append(f"{said}: resumed, and other bytes: {sorted(content(place.outside))}")
            if content(place.inside) != place.inputs:
                wrong.append(f"{said}: the input was changed")
    return points, wrong


def _killed(place: Place, at: int) -> dict[str, bytes]:
    """What a run leaves that is killed at this call."""
    place.fresh()
    forked(place, False, (at, "killed before"))
    return content(place.outside)


def _halfway(left: dict[str, bytes]) -> bool:
    """Is there a checkpoint, and a part of the output?"""
    return any(name.endswith("checkpoint") for name in left) and any(name.endswith("part") and data for name, data in left.items())


def main() -> int:
    if sys.argv[1:2] == ["--run"]:
        small_chunks()
        return command(sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ways", nargs="*", metavar="WAY", help=f"some of {' '.join(WAYS)} (default: all)")
    parser.add_argument("--rows", type=int, default=60)
    parser.add_argument("--kernel", action="store_true", help="fail system calls, by strace")
    parser.add_argument("--kinds", nargs="+", choices=KINDS)
    args = parser.parse_args()
    small_chunks()
    load().scan(list(TEXTS))
    kinds = args.kinds or (list(KERNEL_KINDS) if args.kernel else KINDS)
    total: Counter[str] = Counter()
    wrong = 0
    for name in args.ways or WAYS:
        with tempfile.TemporaryDirectory() as root:
            points, found = sweep(Path(root), WAYS[name], args.rows, args.kernel, kinds)
        total += points
        wrong += len(found)
        print(f"{name}: {points.total()} points", *found, sep="\n  ", flush=True)
    print(f"{total.total()} points swept ({', '.join(f'{n} {kind}' for kind, n in total.items())}), {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
