"""Files that once broke a reader (`found/`, written by the property tests): each gives rows or one error, of whatever format it is taken for."""

from pathlib import Path

import pytest

from classifier.errors import ScamcallError
from classifier.readers import READERS, open_source, recognise

FOUND = sorted((Path(__file__).parent / "found").iterdir())


@pytest.mark.parametrize("name", [None, *(reader.name for reader in READERS)])
@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_what_was_found_is_read_or_refused_in_one_line(path: Path, name: str | None) -> None:
    source = open_source(str(path))
    said = ""
    with source.stream:
        try:
            list(recognise(source, name).read(source))
        except ScamcallError as e:
            said = str(e)
    assert "\n" not in said
