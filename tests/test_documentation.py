"""The documents say what is there: the READMEs' table of formats, their picture, and the list of cases with their tests."""

import ast
import json
import re
from pathlib import Path

import pytest
from readers.golden import SAMPLES

from classifier.readers import READERS

ROOT = Path(__file__).parents[1]
FAULTS = (ROOT / "docs" / "faults.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", FAULTS)))
SEEN = {"yes, of real libraries": True, "no: from documentation": False, "有，由真实的库写出": True, "没有，按公开文档编写": False}


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_the_table_of_formats_names_every_golden_file_and_says_what_was_seen(name: str) -> None:
    found = []
    for line in (ROOT / name).read_text("utf-8").split("\n"):
        samples = re.findall(r"\[([\w-]+)\]\(tests/readers/samples/([\w-]+)\)", line)
        for shown, sample in samples:
            assert shown == sample
            about = json.loads((SAMPLES[sample].with_name("expected.jsonl")).read_text("utf-8").split("\n", 1)[0])
            reader = next(reader for reader in READERS if reader.name == about["format"])
            assert SEEN[line.split("|")[-2].strip()] is reader.sample_seen
        found += [sample for _, sample in samples]
    assert sorted(found) == sorted(SAMPLES)


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_what_a_readme_points_to_is_there(name: str) -> None:
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / name).read_text("utf-8")) if not target.startswith("http")]
    assert "docs/report.png" in targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
    assert (ROOT / "docs" / "report.png").stat().st_size < 200_000


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_a_test_that_is_named_for_a_case_is_there(path: str, name: str) -> None:
    functions = {node.name for node in ast.parse((ROOT / path).read_text("utf-8")).body if isinstance(node, ast.FunctionDef)}
    assert name in functions


def test_every_case_has_its_tests() -> None:
    cases = dict(re.findall(r"^\| ([BD]\d+)\b(.*)$", FAULTS, re.M))
    assert list(cases) == [*(f"B{k}" for k in range(1, 16)), *(f"D{k}" for k in (1, 3, 4, 6, 11, 12, 13, 14))]
    assert all("::test_" in row for row in cases.values())
