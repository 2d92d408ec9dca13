"""Cards: what is measured later takes its place among what training said."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from classifier import registry
from classifier.cli import main
from classifier.corpus import Example


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, list[Example]], Path]:
    """Writes messages as a corpus of this name."""

    def write(name: str, examples: list[Example]) -> Path:
        directory = tmp_path / name
        (directory / "messages").mkdir(parents=True)
        with open(directory / "messages" / "some.jsonl", "w", encoding="utf-8") as file:
            for e in examples:
                record = {"id": e.id, "text": e.text, "type": e.type, "channel": e.channel, "kind": e.kind, "group": e.group}
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
        return directory

    return write


def test_a_measurement_takes_its_place_in_the_card(
    models: Path, small_corpus: list[Example], write: Callable[[str, list[Example]], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    messages = [e for e in small_corpus if not e.turns]
    corpus, other = write("one", messages), write("other", messages[:-1])
    assert main(["train", "--corpus", str(corpus)]) == 0
    card = registry.current() / "card.md"
    before = card.read_text(encoding="utf-8")
    capsys.readouterr()
    for _ in range(2):  # measured anew it stands there once, too
        assert main(["evaluate", "calibration", str(corpus), "--card"]) == 0
        section = capsys.readouterr().out.strip()
        assert section.startswith("## Probabilities")
        assert card.read_text(encoding="utf-8") == f"{before.rstrip()}\n\n{section}\n"
    assert main(["evaluate", "calibration", str(other), "--card"]) == 2
    assert "other data" in capsys.readouterr().err
    assert card.read_text(encoding="utf-8").count("## Probabilities") == 1
