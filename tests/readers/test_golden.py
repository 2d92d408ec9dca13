"""Every format has a sample, and every sample is recognised by one reader and read as written beside it."""

import json
from pathlib import Path

import pytest
from readers.golden import SAMPLES

from classifier.errors import InputError
from classifier.readers import READERS, TIERS, open_source, recognise
from classifier.records import CHANNELS, DIRECTIONS, SKIPPED, Row


def expected(sample: Path) -> tuple[dict[str, str], list[Row]]:
    about, *rows = sample.with_name("expected.jsonl").read_text("utf-8").removesuffix("\n").split("\n")
    return json.loads(about), [Row(**json.loads(row)) for row in rows]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_read_as_written_beside_it(name: str) -> None:
    about, rows = expected(SAMPLES[name])
    source = open_source(str(SAMPLES[name]))
    reader = recognise(source)
    assert {"format": reader.name, "encoding": "" if source.magic else source.encoding} == about
    assert list(reader.read(source)) == rows


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_claimed_by_one_reader_of_its_tier(name: str) -> None:
    source = open_source(str(SAMPLES[name]))
    assert all(sum(reader.claims(source) for reader in tier) <= 1 for tier in TIERS)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_format_that_is_recognised_can_be_named(name: str) -> None:
    about, rows = expected(SAMPLES[name])
    source = open_source(str(SAMPLES[name]))
    assert len(list(recognise(source, about["format"]).read(source))) == len(rows)


def test_every_format_that_is_read_has_a_sample() -> None:
    sampled = {expected(sample)[0]["format"] for sample in SAMPLES.values()}
    assert {reader.name for reader in READERS} - sampled == {"call-log"}  # whose whole reading is a refusal


def test_a_row_says_only_what_the_records_allow() -> None:
    for sample in SAMPLES.values():
        for row in expected(sample)[1]:
            assert row.direction in DIRECTIONS
            assert row.channel in CHANNELS
            assert row.skipped in ("", *SKIPPED)
            assert not (row.problem and row.skipped)


def test_names_of_formats_are_unique() -> None:
    names = [reader.name for reader in READERS]
    assert len(set(names)) == len(names)


def test_an_unknown_format_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError, match="sms-backup"):
        recognise(open_source(str(SAMPLES["csv"])), "nothing")


def test_every_format_and_every_sample_stands_in_the_documentation() -> None:
    table = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")
    rows = {line.split("|")[1].strip(): line for line in table.split("\n") if line.startswith("| `")}
    assert [reader.name for reader in READERS if f"`{reader.name}`" not in rows] == []
    for reader in READERS:
        assert rows[f"`{reader.name}`"].endswith("| library |" if reader.sample_seen else "| documentation |")
    assert [name for name in SAMPLES if f"`{name}`" not in table] == []
