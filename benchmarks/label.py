"""Rows per second from file to file, side by side in one run: `scamcall label`, the pipeline people write, and the disk's own limit.

    python benchmarks/label.py [--rows 100000] [--profile] [--memory]

A CSV of the corpus's messages goes in, a CSV with labels comes out. The plain pipeline is that of throughput.py between csv.DictReader
and csv.writer, in batches; the limit is reading and decoding the same file and nothing else. All are timed in turns and compared
within their turn, for absolute figures do not travel between machines. `--memory` prints what each way of reading holds at most.
"""

import argparse
import cProfile
import csv
import os
import pstats
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from throughput import plain_pipeline

from classifier import load
from classifier.corpus import read
from classifier.label import Options, label_files
from classifier.readers import open_source, recognise
from classifier.retrain import corpus_root

ROUNDS = 3
PLAIN_SHARE = 20  # the plain pipeline does a twentieth of the rows: it takes that much longer
COLD = 8192  # rows of the first run of each, not timed


def make_input(path: Path, rows: int, texts: list[str], legit: list[str]) -> None:
    """Mostly ordinary messages, as in an inbox."""
    chance = random.Random(7)
    moment = datetime(2026, 1, 1)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["发送方", "时间", "短信内容"])
        for _ in range(rows):
            moment += timedelta(seconds=chance.expovariate(1 / 300))
            text = chance.choice(texts if chance.random() < 0.1 else legit)
            writer.writerow([f"1069{chance.randrange(10**6):06}", moment.isoformat(" ", "seconds"), text])


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


def peak(rows: int, source: Path, target: Path, *options: str) -> None:
    """The most memory that a run of the command holds."""
    child = subprocess.Popen(
        [sys.executable, "-m", "classifier", "label", str(source), "-o", str(target), "--force", *options], stderr=subprocess.DEVNULL
    )
    _, _, used = os.wait4(child.pid, 0)
    print(f"  {rows:>10,} rows ({source.stat().st_size >> 20} MB): {used.ru_maxrss >> 10} MB at most {' '.join(options)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--profile", action="store_true", help="also print where our time goes")
    parser.add_argument("--memory", action="store_true", help="also print the memory of runs of a tenth of the rows, and of all")
    args = parser.parse_args()

    examples = [e for e in read(corpus_root()) if e.channel != "call"]
    pool = [e for e in examples if 40 <= len(e.text) <= 120]
    texts, legit = [e.text for e in pool], [e.text for e in pool if e.type == "legit"]
    classifier = load()
    pipeline = plain_pipeline([e.text for e in examples], [e.type for e in examples])
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        whole, part, cold, out = place / "in.csv", place / "part.csv", place / "cold.csv", place / "out.csv"
        make_input(whole, args.rows, texts, legit)
        make_input(part, max(1000, args.rows // PLAIN_SHARE), texts, legit)
        make_input(cold, COLD, texts, legit)

        def ours(options: Options, jobs: int, source: Path) -> None:
            label_files(classifier, [str(source)], str(out), options, jobs=jobs, force=True)

        contenders: dict[str, Callable[[Path], None]] = {
            "plain pipeline": lambda source: plain(pipeline, source, out),
            "label": partial(ours, Options(), 1),
            "label --evidence": partial(ours, Options(evidence=True), 1),
            "label --jobs 2": partial(ours, Options(), 2),
            "label --redact": partial(ours, Options(redact=True), 1),
            "reading rows": read_rows,
            "decoding alone": decode,
        }
        small = {"plain pipeline": part}
        rates = defaultdict(list)
        for turn in range(ROUNDS):
            for name, run in contenders.items():
                source, rows = small.get(name, whole), args.rows if name not in small else max(1000, args.rows // PLAIN_SHARE)
                if turn == 0:
                    run(cold)
                begin = time.perf_counter()
                run(source)
                rates[name].append(rows / (time.perf_counter() - begin))
        print(f"{args.rows:,} rows, {whole.stat().st_size / args.rows:.0f} bytes a row, {ROUNDS} turns, medians")
        for name, rate in rates.items():
            times, share = (
                statistics.median(r / p for r, p in zip(rate, rates[other], strict=True)) for other in ("plain pipeline", "decoding alone")
            )
            print(f"{name:18s} {statistics.median(rate):12,.0f} rows/s {times:8.1f} times the plain pipeline {100 * share:8.2f}% of the limit")
        two = statistics.median(b / a for a, b in zip(rates["label"], rates["label --jobs 2"], strict=True))
        print(f"two jobs: {two:.2f} times one")
        if args.memory:
            tenth = place / "tenth.csv"
            make_input(tenth, args.rows // 10, texts, legit)
            peak(args.rows // 10, tenth, out)
            peak(args.rows, whole, out)
            peak(args.rows, whole, out, "--jobs", "2")
            print(f"  all children: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10} MB at most in one process")
        if args.profile:
            profile = cProfile.Profile()
            profile.runcall(contenders["label"], whole)
            pstats.Stats(profile).sort_stats("tottime").print_stats(18)


if __name__ == "__main__":
    main()
