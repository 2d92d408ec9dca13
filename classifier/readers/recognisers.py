"""Calls in JSON, as speech recognisers give them: one table of shapes.

Owns what each recogniser's JSON looks like and how turns are drawn from it. Drawing never fails: what is not there, or of another
type, gives no turn. To add a recogniser: a test, a drawing, and their line in SHAPES.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import InputError
from ..records import Row
from . import objects
from .rows import Turn, call
from .source import Source

_DEPTH = 64  # what a recogniser nests: a lattice in a result in a task
_TAG = re.compile(r"<\|[^|<>]{1,40}\|>")  # SenseVoice: <|zh|><|NEUTRAL|>
_TENCENT = re.compile(r"\[(\d+):([\d.]+),(\d+):([\d.]+)(?:,(\d+))?\][ \t]*(.*)")
Turns = Iterable[Turn]


@dataclass(frozen=True)
class Shape:
    """One recogniser's JSON. `calls` gives the turns of each call in a document; `pieces`: its lines are pieces of one call."""

    name: str
    title: str
    fits: Callable[[Any], bool]
    calls: Callable[[Any], Iterator[Turns]]
    pieces: bool = False


def _at(value: Any, *names: str) -> Any:
    """What stands at a path of keys; None where there is no such thing.

    >>> _at({"Data": {"Result": "x"}}, "Data", "Result"), _at([], "Data")
    ('x', None)
    """
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _any(value: Any, *names: str) -> Any:
    """The first of these keys that is there and not None."""
    return next((value[name] for name in names if value.get(name) is not None), None) if isinstance(value, dict) else None


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _words(value: Any) -> str:
    return _TAG.sub("", value) if isinstance(value, str) else ""


def _name(value: Any) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _ms(value: Any, scale: float = 1) -> int | None:
    """Milliseconds, of a number or of one written as text."""
    try:
        number = float(value) * scale if isinstance(value, (int, float, str)) else -1.0
    except (ValueError, OverflowError):
        return None
    return int(number) if 0 <= number < 1e12 else None


def _turns(items: Any, text: str, speaker: tuple[str, ...], start: str, end: str, scale: float = 1) -> list[Turn]:
    """Turns of a list of objects with these keys, in the order of their times where all have one."""
    turns = [Turn(_name(_any(d, *speaker)), _words(d.get(text)), _ms(d.get(start), scale), _ms(d.get(end), scale)) for d in _dicts(items)]
    return _in_time(turns)


def _in_time(turns: list[Turn]) -> list[Turn]:
    return turns if any(turn.start_ms is None for turn in turns) else sorted(turns, key=lambda turn: turn.start_ms or 0)


def _first(value: Any) -> Any:
    items = _dicts(value)
    return items[0] if items else None


def _whisper_fits(d: Any) -> bool:
    segment = _first(d) if isinstance(d, list) else _first(_at(d, "segments"))
    return segment is not None and {"start", "end", "text"} <= segment.keys() and "role" not in segment


def _whisper(d: Any) -> Iterator[Turns]:
    segments = d if isinstance(d, list) else _at(d, "segments")
    yield _turns(segments, "text", ("speaker",), "start", "end", 1000)


def _piece_fits(d: Any) -> bool:
    return isinstance(d, dict) and {"start", "end", "text"} <= d.keys() and bool({"seek", "tokens", "avg_logprob", "no_speech_prob"} & d.keys())


def _whisper_cpp_fits(d: Any) -> bool:
    return "offsets" in (_first(_at(d, "transcription")) or {})


def _whisper_cpp(d: Any) -> Iterator[Turns]:
    yield [
        Turn(
            _name(s.get("speaker")), _words(s.get("text")).replace("[SPEAKER_TURN]", ""), _ms(_at(s, "offsets", "from")), _ms(_at(s, "offsets", "to"))
        )
        for s in _dicts(_at(d, "transcription"))
    ]


def _funasr_fits(d: Any) -> bool:
    d = _first(d) if isinstance(d, list) else d
    return isinstance(d, dict) and (bool({"sentence_info", "stamp_sents"} & d.keys()) or {"key", "text", "timestamp"} <= d.keys())


def _funasr(d: Any) -> Iterator[Turns]:
    for result in _dicts(d) if isinstance(d, list) else [d]:
        if sentences := _dicts(_any(result, "sentence_info")):
            turns = [
                Turn(_name(_any(s, "spk", "speaker")), _words(_any(s, "text", "sentence")), _ms(s.get("start")), _ms(s.get("end"))) for s in sentences
            ]
            yield _in_time(turns)
        elif pieces := _dicts(_any(result, "stamp_sents")):  # characters with spaces between them, the punctuation apart
            yield [
                Turn(_name(p.get("spk")), _words(p.get("text_seg")).replace(" ", "") + _words(p.get("punc")), _ms(p.get("start")), _ms(p.get("end")))
                for p in pieces
            ]
        else:
            yield [Turn("", _words(result.get("text")))]


def _aliyun_fits(d: Any) -> bool:
    return isinstance(_at(d, "Result", "Sentences") or _at(d, "Sentences"), list)


def _aliyun(d: Any) -> Iterator[Turns]:
    sentences = _dicts(_at(d, "Result", "Sentences") or _at(d, "Sentences"))
    channels = {_name(s.get("ChannelId")) for s in sentences}
    yield _turns(sentences, "Text", ("ChannelId",) if len(channels) > 1 else ("SpeakerId", "ChannelId"), "BeginTime", "EndTime")


def _aliyun_sca_fits(d: Any) -> bool:
    first = _first(_at(d, "data", "result"))
    return first is not None and "begin" in first and bool({"words", "text"} & first.keys())


def _aliyun_sca(d: Any) -> Iterator[Turns]:
    items = [{**s, "said": _any(s, "words", "text")} for s in _dicts(_at(d, "data", "result"))]
    yield _turns(items, "said", ("role", "channelId"), "begin", "end")


def _dashscope_transcripts(d: Any) -> list[dict[str, Any]]:
    holders = [d, _at(d, "output"), *_dicts(_at(d, "results")), *_dicts(_at(d, "output", "results"))]
    return [t for holder in holders for t in _dicts(_at(holder, "transcripts"))]


def _dashscope_fits(d: Any) -> bool:
    return any("sentences" in t or "channel_id" in t for t in _dashscope_transcripts(d))


def _dashscope(d: Any) -> Iterator[Turns]:
    transcripts = _dashscope_transcripts(d)
    turns = []
    for t in transcripts:
        for s in _dicts(t.get("sentences")) or [t]:
            channel = _name(t.get("channel_id")) if len(transcripts) > 1 else ""
            speaker = _name(s.get("speaker_id"))
            turns.append(Turn("_".join(filter(None, (channel, speaker))), _words(s.get("text")), _ms(s.get("begin_time")), _ms(s.get("end_time"))))
    yield _in_time(turns)


def _tingwu_fits(d: Any) -> bool:
    return "Words" in (_first(_at(d, "Transcription", "Paragraphs")) or {})


def _tingwu(d: Any) -> Iterator[Turns]:
    turns = []
    for paragraph in _dicts(_at(d, "Transcription", "Paragraphs")):
        words = _dicts(paragraph.get("Words"))
        start = _ms(words[0].get("Start")) if words else None
        turns.append(Turn(_name(paragraph.get("SpeakerId")), "".join(_words(w.get("Text")) for w in words), start))
    yield turns


def _tencent_data(d: Any) -> Any:
    d = _at(d, "Response") or d
    return _at(d, "Data") or d


def _tencent_fits(d: Any) -> bool:
    data = _tencent_data(d)
    result = _at(data, "Result")
    return isinstance(_at(data, "ResultDetail") or _at(data, "SentenceList"), list) or (
        isinstance(result, str) and _TENCENT.match(result.lstrip()) is not None
    )


def _tencent(d: Any) -> Iterator[Turns]:
    data = _tencent_data(d)
    if details := _dicts(_at(data, "ResultDetail")):
        yield _turns(details, "FinalSentence", ("SpeakerId",), "StartMs", "EndMs")
    elif sentences := _dicts(_at(data, "SentenceList")):
        yield _turns(sentences, "Text", ("SpeakerId",), "StartTimeMs", "EndTimeMs")
    else:
        lines = (_TENCENT.match(line.strip()) for line in _words(_at(data, "Result")).split("\n"))
        yield [Turn(m[5] or "", m[6], _clock(m[1], m[2]), _clock(m[3], m[4])) for m in lines if m]


def _clock(minutes: str, seconds: str) -> int | None:
    return _ms(seconds, 1000) if (whole := _ms(minutes, 60_000)) is None else whole + (_ms(seconds, 1000) or 0)


def _iflytek_inner(value: Any) -> Any:
    """JSON that stands in a string, as often as it is wrapped; None where it is none."""
    for _ in range(3):
        if not isinstance(value, str):
            break
        try:
            value = objects.loads(value, _DEPTH)
        except ValueError:
            return None
    return value


def _iflytek_fits(d: Any) -> bool:
    if isinstance(d, list):
        return "onebest" in (_first(d) or {})
    held = _any(d, "data") if isinstance(_any(d, "data"), str) else None
    return (
        isinstance(_at(d, "content", "orderResult") or _at(d, "orderResult"), str)
        or isinstance(_any(d, "lattice", "lattice2"), list)
        or (held is not None and '"onebest"' in held)
    )


def _iflytek(d: Any) -> Iterator[Turns]:
    if isinstance(d, dict):
        d = _iflytek_inner(_at(d, "content", "orderResult") or _at(d, "orderResult") or _iflytek_old(d) or d)
    if isinstance(d, list):
        yield _turns(d, "onebest", ("speaker",), "bg", "ed")
        return
    turns = []
    for piece in _dicts(_any(d, "lattice", "lattice2")):  # the first is smoothed, the second raw
        st = _at(_iflytek_inner(piece.get("json_1best")), "st")
        chosen = [_first(w.get("cw")) or {} for rt in _dicts(_at(st, "rt")) for w in _dicts(rt.get("ws"))]
        text = "".join(_words(c.get("w")) for c in chosen if c.get("wp") != "g")  # g: the end of a paragraph
        turns.append(Turn(_name(_at(st, "rl")), text, _ms(_at(st, "bg")), _ms(_at(st, "ed"))))
    yield turns


def _iflytek_old(d: dict[str, Any]) -> Any:
    return d["data"] if isinstance(d.get("data"), str) else None


def _volcengine_utterances(d: Any) -> Any:
    return _any(d, "utterances") or _at(d, "result", "utterances") or _at(d, "resp", "utterances")


def _volcengine_fits(d: Any) -> bool:
    return {"text", "start_time"} <= (_first(_volcengine_utterances(d)) or {}).keys()


def _volcengine(d: Any) -> Iterator[Turns]:
    said = [u for u in _dicts(_volcengine_utterances(d)) if u.get("definite") is not False]
    yield _turns(
        [{**u, "who": _any(u.get("additions"), "speaker", "channel_id") or u.get("speaker")} for u in said],
        "text",
        ("who",),
        "start_time",
        "end_time",
    )


def _sides_fit(d: Any) -> bool:
    return isinstance(_any(d, "left"), list) and isinstance(_any(d, "right"), list)


def _sides(d: Any) -> Iterator[Turns]:
    """Two lists, whose order among each other is lost; the left one, the caller's, speaks first as in the corpus's own tools."""
    left, right = _any(d, "left"), _any(d, "right")
    turns = []
    for k in range(max(len(left), len(right))):
        turns += [Turn(name, _words(side[k])) for name, side in (("left", left), ("right", right)) if k < len(side)]
    yield turns


_DIALOGUES = ("turns", "dialogue_history", "dialogue", "segments")


def _dialogue(d: Any) -> list[dict[str, Any]]:
    return next((_dicts(d[name]) for name in _DIALOGUES if name in d and _dicts(d[name])), []) if isinstance(d, dict) else []


def _dialogue_fits(d: Any) -> bool:
    first = _first(_dialogue(d)) or {}
    spoken = "role" in first or ("speaker" in first and "end" not in first)  # Whisper's segments have speakers too
    return spoken and bool({"content", "text"} & first.keys())


def _dialogues(d: Any) -> Iterator[Turns]:
    yield [
        Turn(
            _name(_any(t, "role", "speaker")),
            _words(_any(t, "content", "text")),
            _ms(_any(t, "start_ms")) if "start_ms" in t else _ms(t.get("start_time_seconds"), 1000),
        )
        for t in _dialogue(d)
    ]


SHAPES = (
    Shape("whisper", "Whisper, WhisperX, faster-whisper JSON", _whisper_fits, _whisper),
    Shape("whisper-lines", "faster-whisper segments, one a line", _piece_fits, _whisper, pieces=True),
    Shape("whisper-cpp", "whisper.cpp JSON", _whisper_cpp_fits, _whisper_cpp),
    Shape("funasr", "FunASR JSON", _funasr_fits, _funasr),
    Shape("aliyun", "Alibaba file transcription JSON (阿里云录音文件识别)", _aliyun_fits, _aliyun),
    Shape("aliyun-sca", "Alibaba speech analysis JSON (阿里云智能对话分析)", _aliyun_sca_fits, _aliyun_sca),
    Shape("tingwu", "Tingwu JSON (通义听悟)", _tingwu_fits, _tingwu),
    Shape("dashscope", "DashScope Paraformer, Fun-ASR JSON", _dashscope_fits, _dashscope),
    Shape("tencent", "Tencent recording recognition JSON (腾讯云录音文件识别)", _tencent_fits, _tencent),
    Shape("iflytek", "iFlytek transcription JSON (讯飞语音转写)", _iflytek_fits, _iflytek),
    Shape("volcengine", "Volcengine JSON (火山引擎)", _volcengine_fits, _volcengine),
    Shape("teleantifraud", "TeleAntiFraud two-sided lists (left, right)", _sides_fit, _sides),
    Shape("dialogue", "dialogue JSON (turns of role or speaker, and text)", _dialogue_fits, _dialogues),
)


def claims(shape: Shape) -> Callable[[Source], bool]:
    """JSON whose beginning has this shape."""
    return lambda source: not source.magic and shape.fits(objects.sketch(source))


def read(shape: Shape) -> Callable[[Source, str | None], Iterator[Row]]:
    """A reader of the calls of a shape: of a document, or of each line."""

    def rows(source: Source, column: str | None) -> Iterator[Row]:
        if shape.pieces:
            yield from _pieces(source, shape)
        elif objects.layout(source) == "lines":
            yield from _lines(source, shape)
        else:
            yield from _document(source, shape)

    return rows


def _document(source: Source, shape: Shape) -> Iterator[Row]:
    try:
        document = objects.loads(source.whole(), _DEPTH)
    except ValueError as e:
        raise InputError(f"{source.name}: {e}") from None
    if not shape.fits(document):
        raise InputError(f"{source.name}: its JSON is not of the shape {shape.name}")
    for number, turns in enumerate(shape.calls(document), 1):
        yield call(number, turns, _about(document))


def _pieces(source: Source, shape: Shape) -> Iterator[Row]:
    pieces, problems = [], []
    for number, record, problem, line in objects.lines(source):
        if record is not None and shape.fits(record):
            pieces.append(record)
        else:
            problems.append(Row(number, "", {"text": line}, problem or f"its JSON is not of the shape {shape.name}"))
    yield from (call(1, turns) for turns in shape.calls(pieces) if pieces)
    yield from problems


def _lines(source: Source, shape: Shape) -> Iterator[Row]:
    for number, record, problem, line in objects.lines(source):
        if record is not None and not shape.fits(record):
            problem = f"its JSON is not of the shape {shape.name}"
        if problem:
            yield Row(number, "", {"raw": line} if record is None else record, problem)
            continue
        for turns in shape.calls(record):
            yield call(number, turns, _about(record))


def _about(document: Any) -> dict[str, Any]:
    """What a document says of its call in single values: an id, a label, a language."""
    return {k: v for k, v in document.items() if not isinstance(v, (list, dict))} if isinstance(document, dict) else {}
