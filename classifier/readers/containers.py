"""ZIP containers: what is in them, and that it is no bomb. Nothing is ever unpacked to a disk."""

import zipfile
from functools import lru_cache
from typing import BinaryIO, cast

from ..errors import LimitError
from .source import MAX_RATIO, RATIO_FROM, UNPACKING, Damaged, Source, limited, opened

_CONTAINER = 200 << 20  # bytes
_DEFLATED = 1032  # times that deflated data can grow at most, whatever a container says of itself
_MEMBERS, _MEMBER_BYTES, _ALL_BYTES = 10_000, 1 << 30, 2 << 30


@lru_cache(maxsize=2)  # each reader asks for them
def members(source: Source) -> dict[str, zipfile.ZipInfo]:
    """The members by name; none where it is no ZIP. Raises LimitError where it is or may be a bomb, InputError where it is damaged."""
    if source.magic != "zip":
        return {}
    path = source.file()
    if path.stat().st_size > _CONTAINER:
        raise LimitError(f"{source.name}: a container of more than {_CONTAINER} bytes; unpack it first")
    try:
        with zipfile.ZipFile(path) as container:
            found = container.infolist()
    except UNPACKING:
        raise Damaged(f"{source.name}: the ZIP container is damaged or cut short") from None
    bombs = (m for m in found if m.file_size > _MEMBER_BYTES or (m.file_size > RATIO_FROM and m.file_size > MAX_RATIO * max(m.compress_size, 1)))
    if len(found) > _MEMBERS or sum(m.file_size for m in found) > _ALL_BYTES or any(bombs):
        raise LimitError(f"{source.name}: unpacks to far more than it holds, or has over {_MEMBERS} members; unpack it first")
    return {m.filename: m for m in found}


def unpacked_size(source: Source) -> int:
    """Bytes of a file, of a container those of its members once unpacked: as it says, but no more than there can be."""
    packed = source.file().stat().st_size
    return min(max(packed, sum(m.file_size for m in members(source).values())), _DEFLATED * packed)


def is_sheet(source: Source) -> bool:
    """An XLSX or ODS workbook?"""
    return any(name.startswith("xl/") for name in members(source)) or "content.xml" in members(source)


def unpacked(source: Source, name: str) -> Source:
    """A member as a source of its own. Raises Damaged or LimitError, now or while it is read."""
    info = members(source)[name]
    try:
        stream = zipfile.ZipFile(source.file()).open(info)  # noqa: SIM115 read to its end by the source
    except UNPACKING as e:
        raise Damaged(f"{source.name}: its member cannot be unpacked ({'encrypted' if info.flag_bits & 1 else type(e).__name__})") from None
    inner = limited(cast(BinaryIO, stream), source.name, max(info.compress_size, 1))
    return opened(source.name, source.path, inner, source.said)
