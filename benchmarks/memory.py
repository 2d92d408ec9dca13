"""The most memory that labelling holds, process by process, of a file as large as one wants, in each family of formats that stream.

    python benchmarks/memory.py [--gigabytes 2] [--families csv jsonl xml] [--jobs 2] [--only-read]

`--only-read` runs `scamcall inspect` instead, which reads all and scores nothing: a tenth of the time. Needs /proc (Linux).
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from inputs import FAMILIES, write

_PAUSE = 0.2  # seconds between two looks


def family_of(pid: int) -> list[int]:
    """A process and all that descend from it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(p for child in children for p in family_of(int(child)))]


def held(pid: int) -> tuple[int, int]:
    """Megabytes resident: now, and at most so far."""
    try:
        lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("Vm"))
        return int(lines["VmRSS"].split()[0]) >> 10, int(lines["VmHWM"].split()[0]) >> 10
    except (OSError, KeyError):
        return 0, 0


def watch(command: list[str]) -> tuple[float, int, list[int]]:
    """(seconds, most megabytes of all processes together, most of each) of a command."""
    begin = time.perf_counter()
    together, each = 0, {}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            now = {pid: held(pid) for pid in family_of(process.pid)}
            together = max(together, sum(mb for mb, _ in now.values()))
            each |= {pid: most for pid, (_, most) in now.items() if most}
            time.sleep(_PAUSE)
    if process.returncode:
        sys.exit(f"{' '.join(command)}: exit code {process.returncode}")
    return time.perf_counter() - begin, together, sorted(each.values(), reverse=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=2)
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only-read", action="store_true")
    args = parser.parse_args()
    for family in args.families:
        with tempfile.TemporaryDirectory() as directory:
            source, target = Path(directory) / f"in.{family}", Path(directory) / "out.csv"
            rows = write(source, family, size=int(args.gigabytes * 1e9))
            labelling = ["label", str(source), "-o", str(target), "--jobs", str(args.jobs)]
            seconds, together, each = watch([sys.executable, "-m", "classifier", *(["inspect", str(source)] if args.only_read else labelling)])
            print(
                f"{family:6s} {source.stat().st_size / 1e9:.2f} GB, {rows:,} rows in {seconds:.0f} s ({rows / seconds:,.0f} rows/s): "
                f"at most {each[0]} MB in a process, {together} MB together ({', '.join(map(str, each))})",
                flush=True,
            )


if __name__ == "__main__":
    main()
