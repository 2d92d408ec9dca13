"""The formats that can be read. To add one: a module with `claims` and `read`, and its line in READERS.

Owns recognition: a format is told by content, never by a file's name. Known tools are asked first, then what looks like a call, then
formats that anyone writes (TIERS); two of a tier that claim one file are an error naming both.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..errors import InputError
from ..records import Row
from . import apple, phone_xml, plain, recognisers, sms_ie, subtitles, tables, transcripts, vmessage
from .layouts import LAYOUTS, Layout
from .markup import root
from .source import Damaged, Source, is_pipe, known_encoding, open_source, refuse_directory


@dataclass(frozen=True)
class Reader:
    """One format. `claims` looks at the beginning only; `rows` gives the rows, with the text column named by the user or None.

    title        what the format is called outside this project
    sample_seen  was a file written by a real program read here, or is this written from documentation alone?
    """

    name: str
    claims: Callable[[Source], bool]
    rows: Callable[[Source, str | None], Iterator[Row]]
    title: str
    sample_seen: bool = False

    def read(self, source: Source, column: str | None = None) -> Iterator[Row]:
        """The rows. Where the file breaks off, those before it are kept and a last one says so. Raises InputError or LimitError."""
        number = 0
        try:
            for row in self.rows(source, column):
                number = row.number
                yield row
        except Damaged as e:
            if not number:
                raise
            yield Row(number + 1, "", {}, f"nothing can be read from here on: {e}")
        except OSError as e:
            raise InputError(f"{source.name}: {e.strerror or type(e).__name__}") from None


def _layout(layout: Layout) -> Reader:
    return Reader(layout.name, tables.claims_layout(layout), tables.read_layout(layout), layout.title)


SPECIFIC = (
    Reader("sms-backup", phone_xml.claims_root("smses"), phone_xml.read_backup, "SMS Backup & Restore XML, also Silence and old Signal"),
    Reader("call-log", phone_xml.claims_root("calls"), phone_xml.refuse_calls, "SMS Backup & Restore call log: refused, it holds no words"),
    Reader("windows-phone", phone_xml.claims_root("ArrayOfMessage"), phone_xml.read_windows_phone, "Windows Phone backup XML"),
    Reader("nus", phone_xml.claims_root("smsCorpus"), phone_xml.read_nus, "NUS SMS corpus XML"),
    Reader("sms-ie", sms_ie.claims, sms_ie.read, "sms-ie NDJSON, ZIP, or JSON of version 1"),
    Reader("messages-db", apple.claims_database, apple.read_database, "iPhone sms.db, macOS chat.db"),
    Reader("imessage-text", apple.claims_text, apple.read_text, "imessage-exporter TXT"),
    Reader("vmessage", vmessage.claims, vmessage.read, "vMessage .vmg, .vmsg (MediaTek, OPPO, ZTE, Nokia, Samsung)"),
    *map(_layout, LAYOUTS),
    Reader("srt", subtitles.claims_srt, subtitles.read, "SRT subtitles of a call"),
    Reader("webvtt", subtitles.claims_vtt, subtitles.read, "WebVTT of a call, with voices"),
    *(Reader(s.name, recognisers.claims(s), recognisers.read(s), s.title) for s in recognisers.SHAPES),
)
LABELLED = (Reader("transcript", transcripts.claims, transcripts.read, "labelled plain text of a call"),)
GENERAL = (
    Reader("sheet", tables.claims_sheet, tables.read_sheet, "XLSX, XLS, ODS workbook, its first sheet", True),
    Reader("parquet", tables.claims_parquet, tables.read_parquet, "Parquet", True),
    Reader("jsonl", tables.claims_jsonl, tables.read_jsonl, "JSON Lines", True),
    Reader("json", tables.claims_array, tables.read_array, "JSON array of objects, or of texts", True),
    Reader("csv", tables.claims_csv, tables.read_csv, "CSV or TSV", True),
)
FALLBACK = Reader("text", plain.claims, plain.read, "plain text, a message a line", True)
TIERS = (SPECIFIC, LABELLED, GENERAL)
READERS = (*SPECIFIC, *LABELLED, *GENERAL, FALLBACK)


def recognise(source: Source, wanted: str | None = None) -> Reader:
    """The one format that claims a source, or the one the user wants; plain text where none does.

    Raises InputError where two claim it, where `wanted` is no format, and where it is of a kind that holds no plain lines either.
    """
    if wanted is not None:
        found = [reader for reader in READERS if reader.name == wanted]
        if not found:
            raise InputError(f"{wanted}: no format; one of {', '.join(reader.name for reader in READERS)}")
        return found[0]
    for readers in TIERS:
        found = [reader for reader in readers if reader.claims(source)]
        if len(found) > 1:
            raise InputError(f"{source.name}: could be {' or '.join(reader.name for reader in found)}; say which with --format")
        if found:
            return found[0]
    if source.magic == "pdf":
        raise InputError(f"{source.name}: a PDF document, which holds pages and no messages; copy its text into a file, a message a line")
    if not FALLBACK.claims(source):
        raise InputError(f"{source.name}: {_unknown(source)}; --format names one of {', '.join(reader.name for reader in READERS)}")
    return FALLBACK


def _unknown(source: Source) -> str:
    if source.magic:
        return f"a {source.magic} container without a format that is known; unpack it or save it as CSV"
    name = root(source.head_text)
    return f"an XML or HTML document (<{name[:40]}>) of no known kind" if name else "JSON of no known shape"


__all__ = ["FALLBACK", "READERS", "TIERS", "Reader", "Source", "is_pipe", "known_encoding", "open_source", "recognise", "refuse_directory"]
