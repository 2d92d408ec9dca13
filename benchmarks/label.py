"""Rows per second from file to file, side by side in one run: `scamcall label`, the pipeline people write, and the disk's own limit.

    python benchmarks/label.py [--rows 100000] [--many 1000000] [--sizes 10000 100000 1000000]

A CSV of the corpus's messages goes in, a CSV with labels comes out. The plain pipeline is that of throughput.py between csv.DictReader
and csv.writer, in batches; the limit is reading and decoding the same file and nothing else. All take turns and are compared within
their turn, for absolute figures do not travel between machines. Four tables:

    one core       by processor time, so that a busy machine disturbs less; `--rows`, of which the plain pipeline does a twentieth
    two processes  by the clock, so that it needs two idle cores; `--many` rows, for each process takes half a second to begin. What the
                   parent and the workers took of the processors says what idle cores would give
    flatness       processor time a row, by `--sizes`
    profile        where the time goes
"""

import argparse
import cProfile
import csv
import os
import pstats
import resource
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

from inputs import examples, write
from throughput import plain_pipeline

from classifier import load
from classifier.label import Options, label_files
from classifier.readers import open_source, recognise

ROUNDS = 3
PLAIN_SHARE = 20  # the plain pipeline does a twentieth of the rows: it takes that much longer
COLD = 8192  # rows of the first run of each, not timed
PROFILED = 20  # rows of the profile


class Cost(NamedTuple):
    """Seconds: by the clock, of processors in this process, and in its children."""

    clock: float
    own: float
    children: float


def cost(run: Callable[[], object]) -> Cost:
    """What a run takes."""

    def now() -> Cost:
        own, children = (sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return Cost(time.perf_counter(), own, children)

    before = now()
    run()
    return Cost(*(b - a for a, b in zip(before, now(), strict=True)))


def plain(pipeline: Callable[[list[str]], object], source: Path, target: Path) -> None:
    """What people write around a model: DictReader, batches of a thousand, csv.writer."""
    with open(source, encoding="utf-8", newline="") as inp, open(target, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        rows = list(csv.DictReader(inp))
        for k in range(0, len(rows), 1024):
            batch = rows[k : k + 1024]
            probabilities, seen = pipeline([row["短信内容"] for row in batch])
            writer.writerows([*row.values(), p, sum(hits)] for row, (_, p), hits in zip(batch, probabilities, seen, strict=True))


def decode(source: Path) -> None:
    """The physical limit: every byte read, every character decoded."""
    with open(source, encoding="utf-8") as file:
        while file.read(1 << 20):
            pass


def read_rows(source: Path) -> None:
    """Our reading alone."""
    opened = open_source(str(source))
    with opened.stream:
        for _ in recognise(opened).read(opened, None):
            pass


def one_core(ours: Callable[..., None], place: Path, rows: int) -> None:
    """All contenders, in turns."""
    texts, types = [e.text for e in examples()], [e.type for e in examples()]
    pipeline = plain_pipeline(texts, types)
    whole, part, cold, out = place / "in.csv", place / "part.csv", place / "cold.csv", place / "plain.csv"
    few = max(1000, rows // PLAIN_SHARE)
    for path, count in ((whole, rows), (part, few), (cold, COLD)):
        write(path, "csv", count)
    contenders: dict[str, Callable[[Path], None]] = {
        "plain pipeline": lambda source: plain(pipeline, source, out),
        "label": partial(ours, Options()),
        "label --evidence": partial(ours, Options(evidence=True)),
        "label --redact": partial(ours, Options(redact=True)),
        "reading rows": read_rows,
        "decoding alone": decode,
    }
    rates = defaultdict(list)
    for turn in range(ROUNDS):
        for name, run in contenders.items():
            source, count = (part, few) if name == "plain pipeline" else (whole, rows)
            if turn == 0:
                run(cold)
            rates[name].append(count / cost(partial(run, source)).own)
    print(f"one core: {rows:,} rows, {whole.stat().st_size / rows:.0f} bytes a row, medians of {ROUNDS} turns, by processor time")
    for name, rate in rates.items():
        times, share = (statistics.median(r / p for r, p in zip(rate, rates[o], strict=True)) for o in ("plain pipeline", "decoding alone"))
        print(f"  {name:18s} {statistics.median(rate):12,.0f} rows/s {times:8.1f} times the plain pipeline {100 * share:8.2f}% of the limit")


def two_processes(ours: Callable[..., None], place: Path, rows: int) -> None:
    """One process and two, in turns."""
    source = place / "many.csv"
    write(source, "csv", rows)
    turns = [(cost(partial(ours, Options(), source)), cost(partial(ours, Options(), source, 2))) for _ in range(ROUNDS)]
    ratio = statistics.median(one.clock / two.clock for one, two in turns)
    idle = statistics.median(one.own / max(two.own, (two.own + two.children) / 2) for one, two in turns)
    one, two = (Cost(*(1e6 * statistics.median(c) / rows for c in zip(*costs, strict=True))) for costs in zip(*turns, strict=True))
    print(f"two processes: {rows:,} rows, medians of {ROUNDS} turns, load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    print(f"  one: {one.clock:.1f} µs a row by the clock · two: {two.clock:.1f} µs: {ratio:.2f} times as fast")
    print(f"  processors: one {one.own:.1f} µs a row · two {two.own:.1f} in the parent, {two.children:.1f} in both workers: {idle:.2f} on idle cores")


def flatness(ours: Callable[..., None], place: Path, sizes: list[int]) -> None:
    """Cost a row by the number of rows."""
    print("flatness: processor time a row")
    base = 0.0
    for rows in sizes:
        source = place / "size.csv"
        write(source, "csv", rows)
        taken = statistics.median(cost(partial(ours, Options(), source)).own for _ in range(ROUNDS if rows <= 1_000_000 else 1)) / rows * 1e6
        base = base or taken
        print(f"  {rows:>10,} rows {taken:8.1f} µs {taken / base:8.2f} times the first", flush=True)


def profile(ours: Callable[..., None], place: Path) -> None:
    """Where the time goes."""
    recorded = cProfile.Profile()
    recorded.runcall(ours, Options(), place / "in.csv")
    print("profile: by what each function takes itself")
    pstats.Stats(recorded).sort_stats("tottime").print_stats(PROFILED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    args = parser.parse_args()
    classifier = load()
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)

        def ours(options: Options, source: Path, jobs: int = 1) -> None:
            label_files(classifier, [str(source)], str(place / "out.csv"), options, jobs=jobs, force=True)

        one_core(ours, place, args.rows)
        two_processes(ours, place, args.many)
        flatness(ours, place, args.sizes)
        profile(ours, place)


if __name__ == "__main__":
    main()
