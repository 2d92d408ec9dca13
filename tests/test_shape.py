"""The shape of the package: imports go down the house order, rooms open with their contract, every command stands in the README."""

import argparse
import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import classifier
from classifier.cli import _parser

PACKAGE = Path(classifier.__file__).parent
ROOT = PACKAGE.parent
ORDER = (  # a room may import only what stands before it
    *("errors", "reasons", "records", "turns", "grams", "sounds", "disguise", "normalise", "passages", "terms", "tactics", "features"),
    *("model", "model_files", "classify", "growing", "calls", "batch"),
    *("moments", "redact", "readers", "chunks", "writers", "output", "signals", "pool", "tally", "label"),
    *("corpus", "corpus_check", "train", "markdown", "evaluation", "card", "registry", "retrain", "render", "render_call", "report"),
    *("__init__", "estimator", "cluster", "cli", "__main__"),
)
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "shipped" not in path.parts)


def room(path: Path) -> str:
    """The room a file belongs to: its name, or that of its directory."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """The rooms a file imports, anywhere in it."""
    here = [PACKAGE.name, *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = here[: len(here) + 1 - node.level] if node.level else []
            full = [*base, *(node.module.split(".") if node.module else [])]
            targets = [[*full, alias.name] for alias in node.names] if full == [PACKAGE.name] else [full]
        elif isinstance(node, ast.Import):
            targets = [alias.name.split(".") for alias in node.names]
        else:
            continue
        for target in targets:
            if target[0] == PACKAGE.name:
                name = target[1] if len(target) > 1 else "__init__"
                yield name if (PACKAGE / f"{name}.py").exists() or (PACKAGE / name).is_dir() else "__init__"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down_the_house_order(path: Path) -> None:
    mine = room(path)
    assert mine in ORDER, f"{mine} has its place in the order"
    above = [name for name in imported(path) if name != mine and ORDER.index(name) >= ORDER.index(mine)]
    assert above == []


def test_the_order_names_no_room_that_is_gone() -> None:
    assert set(ORDER) == {room(path) for path in MODULES}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_room_opens_with_its_contract(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert (ast.get_docstring(tree) or "").strip()
    public = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and not n.name.startswith("_")]
    assert [n.name for n in public if not ast.get_docstring(n)] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_training_rooms_import_scikit_learn(path: Path) -> None:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {(node.module or "").split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    assert not names & {"sklearn", "scipy", "threadpoolctl"} or room(path) in ("train", "estimator", "corpus_check", "evaluation")


def test_the_shop_window() -> None:
    assert set(classifier.__all__) <= set(dir(classifier))
    assert len((PACKAGE / "__init__.py").read_text(encoding="utf-8").splitlines()) <= 45


def commands(parser: argparse.ArgumentParser, words: str = "scamcall") -> Iterator[tuple[str, list[Sequence[str]]]]:
    """(command, its options, each in all its forms) of a parser and all below it."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    yield words, [action.option_strings for action in parser._actions if action.option_strings and action.dest not in ("help", "version")]
    for action in below:
        for name, child in action.choices.items():
            yield from commands(child, f"{words} {name}")


COMMANDS = [(command, options) for command, options in commands(_parser()) if command != "scamcall"]


@pytest.mark.parametrize(("command", "options"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_every_command_stands_in_the_readme_with_its_options(command: str, options: list[Sequence[str]]) -> None:
    for name in ("README.md", "README.zh.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert re.search(rf"{command}\b", text), f"{command} in {name}"
        unseen = [forms for forms in options if not any(re.search(rf"(?<![\w-]){form}(?![\w-])", text) for form in forms)]
        assert unseen == [], f"of {command} in {name}"


def test_the_readme_names_no_command_that_is_gone() -> None:
    known = {command for command, _ in COMMANDS}
    for name in ("README.md", "README.zh.md"):
        for first, second in re.findall(
            r"\bscamcall ([a-z]+)(?: ([a-z]+)\b)?", "\n".join(re.findall(r"`([^`]+)`", (ROOT / name).read_text(encoding="utf-8")))
        ):
            assert f"scamcall {first}" in known, f"{name}: scamcall {first}"
            children = {c for c in known if c.startswith(f"scamcall {first} ")}
            assert not (children and second) or f"scamcall {first} {second}" in children, f"{name}: scamcall {first} {second}"
