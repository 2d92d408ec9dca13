"""The golden samples: a directory each, with `input.*` and `expected.jsonl` (the format and encoding, then a Row a line)."""

from pathlib import Path

ROOT = Path(__file__).parent / "samples"
SAMPLES = {directory.name: next(directory.glob("input.*")) for directory in sorted(ROOT.iterdir()) if directory.is_dir()}
