"""The long search for bytes that break a reader, guided by what code they reach: by hand, with Atheris (pip install atheris).

    python tests/readers/fuzz.py [--seconds 1200] [--readers csv json ...] [--seed 1]

Samples of all formats are mutated as in the property tests (`mutations`), those that reach new code are kept and mutated further. What
raises anything but our errors, gives a row that no reader may give, or works for more than two seconds, is written to `found/`, one file a
cause, where test_found.py holds it for good.
"""

import argparse
import hashlib
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1]))
with atheris.instrument_imports(include=["classifier.readers", "classifier.turns"]):
    from classifier.readers import READERS

from readers.mutations import OPERATIONS, SCALE, mutated
from readers.test_any_bytes import DATA, FORMAT, IN_A_CHILD, OTHERS, safely

FOUND = Path(__file__).parent / "found"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=1200)
    parser.add_argument("--readers", nargs="+", default=[r.name for r in READERS if r.name not in IN_A_CHILD])
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    names: list[str | None] = [None, *args.readers]  # the first byte of an input says which reader; None: what recognises it
    causes: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    end = time.monotonic() + args.seconds

    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        path, seeds, kept = Path(directory) / "input", Path(directory) / "seeds", Path(directory) / "kept"
        seeds.mkdir()
        kept.mkdir()
        for name, data in DATA.items():
            for at, wanted in enumerate(names):
                if wanted in (None, FORMAT[name]):
                    (seeds / f"{name}-{at}").write_bytes(bytes([at]) + data)

        def one(data: bytes) -> None:
            if not data:
                return
            wanted = names[data[0] % len(names)]
            tried[wanted or "recognised"] += 1
            try:
                safely(data[1:], path, wanted)
            except Exception as e:
                frames = traceback.extract_tb(e.__traceback__)
                frame = next((frame for frame in reversed(frames) if "classifier" in Path(frame.filename).parts), frames[-1])
                cause = f"{type(e).__name__} {Path(frame.filename).name}:{frame.lineno}"
                causes[cause] += 1
                if causes[cause] == 1:
                    name = f"{wanted or 'any'}-{hashlib.sha256(data).hexdigest()[:8]}"
                    (FOUND / name).write_bytes(data[1:])
                    print(f"found/{name}: {cause}: {str(e)[:120]}", flush=True)
            if time.monotonic() > end:
                print(f"{tried.total()} inputs, {len(causes)} causes; least {tried.most_common()[-1]}, most {tried.most_common(1)[0]}", flush=True)
                shutil.rmtree(directory)
                os._exit(1 if causes else 0)  # libFuzzer takes any other end for a finding

        def mutate(data: bytes, size: int, seed: int) -> bytes:
            chance = random.Random(seed)
            if chance.random() < 0.3 or len(data) < 2:
                return bytes(atheris.Mutate(data, size))
            first = bytes([chance.randrange(len(names))]) if chance.random() < 0.1 else data[:1]
            steps = [(chance.randrange(len(OPERATIONS)), *(chance.randrange(SCALE) for _ in range(3))) for _ in range(chance.randint(1, 4))]
            return first + mutated(data[1:], OTHERS, steps)[: size - 1]  # type: ignore[arg-type]

        options = [f"-seed={args.seed}", "-max_len=65536", "-rss_limit_mb=3000", "-verbosity=0", "-print_final_stats=0", "-timeout=60"]
        atheris.Setup([sys.argv[0], *options, str(kept), str(seeds)], one, custom_mutator=mutate)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
