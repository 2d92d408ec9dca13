"""Every call that changes the disk, failing or killing the process, one at a time: what is left must be absent or whole, and a run
with --resume must end in the very bytes of a run that nothing disturbed.

    python tests/fault_sweep.py [--rows 400] [--formats csv jsonl tsv xlsx parquet] [--several]

Each point runs in a forked child, in which one call of os.write, fsync, replace, unlink or ftruncate is the faulty one.
"""

import argparse
import errno
import os
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import classifier.chunks
import classifier.label
from classifier import Classifier, load
from classifier.errors import ScamcallError
from classifier.label import Options, label_files
from classifier.report import report_file

CALLS = ("write", "fsync", "replace", "unlink", "ftruncate")
KINDS = ("EIO", "ENOSPC", "killed before", "killed after", "torn")  # torn: half of what was to be written, then killed
_TEXTS = (
    "您好，我是小红书客服，您买的面膜质检不合格，给您双倍赔付，请加我微信办理",
    "您的快递已到菜鸟驿站，取件码5-2-1033",
    "晚上一起吃饭吗？",
    "这里是公安局，您涉嫌洗钱，请把资金转到安全账户配合调查",
)


def _inputs(root: Path, rows: int) -> list[str]:
    root.mkdir()
    for name in ("first", "second"):
        lines = [f"{k},{_TEXTS[(k * 7 + len(name)) % len(_TEXTS)]}" for k in range(rows)]
        (root / f"{name}.csv").write_text("\n".join(["编号,短信内容", *lines, "坏,行,多了"]), encoding="utf-8")
    return [str(root / "first.csv"), str(root / "second.csv")]


def _arm(at: int, kind: str) -> None:
    """From now on in this process, the call numbered `at` is faulty."""
    count = 0

    def faulty(real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count != at:
                return real(*args, **options)
            if kind in ("EIO", "ENOSPC"):
                if name == "write" and kind == "ENOSPC":
                    real(args[0], bytes(args[1])[: len(args[1]) // 2])  # a full disk takes what it can
                raise OSError(getattr(errno, kind), os.strerror(getattr(errno, kind)))
            if kind == "torn" and name == "write":
                real(args[0], bytes(args[1])[: len(args[1]) // 2])
            try:
                if kind == "killed after":
                    real(*args, **options)
            finally:
                os.kill(os.getpid(), signal.SIGKILL)

        return call

    for name in CALLS:
        # A killed process loses nothing that the kernel has, so syncing for real would only take time.
        setattr(os, name, faulty(getattr(os, name) if name != "fsync" else lambda handle: None, name))


def _run(classifier: Classifier, inputs: list[str], output: Path, resume: bool, fault: tuple[int, str] | None) -> int:
    """Label in a child; returns its exit code, negative where it was killed."""
    child = os.fork()
    if not child:
        code = 254
        try:
            _arm(*(fault or (0, "")))
            report = report_file(str(output.parent / "report.html"), [], True)
            label_files(classifier, inputs, str(output), Options(), resume=resume, finish=report)
            code = 0
        except ScamcallError as e:
            code = e.exit_code
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _content(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()}


def sweep(classifier: Classifier, root: Path, ending: str, rows: int, several: bool) -> tuple[Counter[str], list[str]]:
    """All points of one way of labelling: how many of each kind, and what went wrong at any."""
    inputs = _inputs(root / "in", rows)[: 2 if several else 1]
    place = root / "place"

    def output() -> Path:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        return place / "out" if several else place / f"out.{ending}"

    target = output()
    if _run(classifier, inputs, target, False, None) != 0:
        return Counter(), ["a run without a fault failed"]
    whole = _content(place)
    points: Counter[str] = Counter()
    wrong = []
    for kind in KINDS:
        at = 0
        while True:
            at += 1
            target = output()
            code = _run(classifier, inputs, target, False, (at, kind))
            left = _content(place)
            if code == 0 and left == whole:
                break  # past the last call
            points[kind] += 1
            outputs = [name for name in whole if name in left]
            if any(left[name] != whole[name] for name in outputs):
                wrong.append(f"{kind} at {at}: an output that is not whole")
            if code not in (5, -signal.SIGKILL) and not (code == 0 and len(outputs) == len(whole)):
                wrong.append(f"{kind} at {at}: exit code {code}")
            if left == whole:
                continue
            code = _run(classifier, inputs, target, True, None)
            if code != 0 or _content(place) != whole:
                wrong.append(f"{kind} at {at}: resumed with exit code {code}, {'other' if _content(place) != whole else 'the same'} bytes")
    return points, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60)
    parser.add_argument("--formats", nargs="+", default=["csv", "jsonl", "xlsx"])
    parser.add_argument("--several", action="store_true", help="also two files into a directory")
    args = parser.parse_args()
    classifier.chunks.CHUNK, classifier.label.CHECKPOINT = 16, 2
    model = load()
    model.scan(list(_TEXTS))
    total: Counter[str] = Counter()
    wrong = []
    for ending, several in [*((f, False) for f in args.formats), *[("csv", True)] * args.several]:
        with tempfile.TemporaryDirectory() as root:
            points, faults = sweep(model, Path(root), ending, args.rows, several)
        total += points
        wrong += [f"{'several ' if several else ''}{ending}: {fault}" for fault in faults]
        print(f"{'several files' if several else ending}: {points.total()} points", *faults, sep="\n  ", flush=True)
    print(f"{total.total()} points swept ({', '.join(f'{n} {kind}' for kind, n in total.items())}), {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
