"""A run interrupted at random moments, twice each time: it must be gone soon, leave no process behind, and go on with --resume to the very
bytes of a run that nothing disturbed.

    python tests/signal_sweep.py [--points 50] [--rows 20000] [--within 2] [--seed 1]

Every other time the signal goes to the command alone (kill), else to all of its processes (Ctrl-C in a terminal).
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fault_sweep import TEXTS, left_behind

_HANGS = 20  # seconds after which it is killed
# As a shell says it; before and after the run itself, while Python starts and ends, the signal ends it, which a shell says in the same way.
CODES = {signal.SIGINT: (130, -2), signal.SIGTERM: (143, -15)}


def words(source: Path, target: Path, jobs: int, resume: bool = False) -> list[str]:
    """The command."""
    return [sys.executable, "-m", "classifier", "label", str(source), "-o", str(target), "--jobs", str(jobs), *["--resume"] * resume]


def interrupt(
    source: Path, target: Path, jobs: int, number: signal.Signals, delay: float, again: float, everyone: bool
) -> tuple[int, float, int, str]:
    """(exit code, seconds from the first signal to the end, processes left, what it said) of a run that is interrupted twice."""
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(words(source, target, jobs), stdout=subprocess.DEVNULL, stderr=said, start_new_session=True)
        time.sleep(delay)
        start = time.monotonic()
        for pause in (0.0, again):
            time.sleep(pause)
            if child.poll() is None:
                os.killpg(child.pid, number) if everyone else child.send_signal(number)
        try:
            code = child.wait(_HANGS)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            code = child.wait()
        took = time.monotonic() - start
        orphans = left_behind(child.pid)
        if orphans:
            os.killpg(child.pid, signal.SIGKILL)
        said.seek(0)
        return code, took, orphans, said.read().decode()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=50)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--within", type=float, default=2, help="seconds")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    chance = random.Random(args.seed)
    wrong, slowest, cut = 0, 0.0, 0
    with tempfile.TemporaryDirectory() as directory:
        source, target, whole = (Path(directory) / name for name in ("in.csv", "out.csv", "whole.csv"))
        source.write_text("\n".join(["编号,短信内容", *(f"{k},{chance.choice(TEXTS)}{k}" for k in range(args.rows))]), encoding="utf-8")
        lasts = {}
        for jobs in (1, 2):
            start = time.monotonic()
            subprocess.run([*words(source, whole, jobs), "--force"], check=True, stderr=subprocess.DEVNULL)
            lasts[jobs] = time.monotonic() - start
        for point in range(args.points):
            number, jobs, everyone = (signal.SIGINT, signal.SIGTERM)[point % 2], 1 + point // 2 % 2, bool(point // 4 % 2)
            delay = chance.uniform(0.0, lasts[jobs])
            code, took, orphans, said = interrupt(source, target, jobs, number, delay, chance.uniform(0.0, 0.1), everyone)
            faults = []
            begun = bool(list(target.parent.glob("out.csv*")))  # before, Python itself says what import was interrupted
            if code and code not in CODES[number] and begun:
                faults.append(f"exit code {code}")
            if said and "rows:" not in said and begun:
                faults.append(f"said {said[-600:]!r}")
            if took > args.within:
                faults.append(f"took {took:.2f} s")
            if orphans:
                faults.append(f"{orphans} processes left")
            if code:
                cut += 1
                slowest = max(slowest, took)
                resumed = subprocess.run(words(source, target, jobs, resume=True), stderr=subprocess.PIPE, check=False)
                if resumed.returncode and not target.exists():
                    faults.append(f"resumed with exit code {resumed.returncode}: {resumed.stderr.decode()[-200:]}")
            if not target.exists() or target.read_bytes() != whole.read_bytes():
                faults.append("other bytes")
            if rest := [path.name for path in target.parent.iterdir() if path.name not in ("in.csv", "out.csv", "whole.csv")]:
                faults.append(f"left {rest}")
            for path in target.parent.glob("out.csv*"):
                path.unlink()
            if faults:
                wrong += 1
                print(f"{number.name} after {delay:.2f} s, {jobs} jobs, {'all' if everyone else 'one'}: {'; '.join(faults)}", flush=True)
    print(f"{args.points} points, {cut} runs cut short, the slowest ended after {slowest:.2f} s, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
