"""The disk failing, and the process being killed, at every call that changes the disk (see fault_sweep.py, which sweeps more by hand)."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each point is a forked process")
@pytest.mark.parametrize("ways", [["csv", "several-csv"], ["xlsx"]], ids=" ".join)
def test_whatever_fails_the_output_is_absent_or_whole_and_can_be_gone_on_with(ways: list[str]) -> None:
    sweep = [sys.executable, str(Path(__file__).with_name("fault_sweep.py")), *ways, "--rows", "40", "--kinds", "EIO", "killed before", "torn"]
    done = subprocess.run(sweep, capture_output=True, text=True, check=False)
    points = re.search(r"(\d+) points swept", done.stdout)
    assert points, done.stdout + done.stderr
    assert int(points[1]) > 80
    assert done.returncode == 0, done.stdout
