"""Calls: one row each, a turn a line, no label scored as words."""

import json
from io import BytesIO
from pathlib import Path

import pytest
from readers.reading import rows

from classifier.readers import open_source, recognise, recognisers
from classifier.readers.rows import turns_of
from classifier.readers.source import MAX_LINE
from classifier.readers.transcripts import follow
from classifier.turns import label_spans

MISSHAPEN = [
    *(None, 5, "x", [], {}, [[]], [None], {"segments": 5}, {"Result": []}, {"content": {"orderResult": "{"}}),
    *({"lattice": [{"json_1best": "["}]}, {"transcripts": [{"sentences": [5]}]}, {"utterances": [{}]}, {"left": [5], "right": [None]}),
]


def test_a_name_that_is_no_label_is_numbered_so_that_it_is_never_scored(tmp_path: Path) -> None:
    turns = [{"speaker": "a very long name, with commas", "text": "您好"}, {"speaker": "7", "text": "你好"}]
    (row,) = rows(tmp_path / "x", json.dumps({"turns": turns}))
    assert [label.name for label in label_spans(row.text)] == ["说话人1", "说话人7"]
    assert row.columns["turns"][0]["speaker"] == "a very long name, with commas"


def test_every_speaker_of_every_shape_is_a_label(tmp_path: Path) -> None:
    for speaker in ("客服", "SPEAKER_00", "left", "1", "坐席", "Speaker 2", "张三"):
        turns = [{"role": speaker, "content": "您好"}, {"role": "客户", "content": "你好"}]
        (row,) = rows(tmp_path / "x", json.dumps({"dialogue_history": turns}, ensure_ascii=False))
        assert len(label_spans(row.text)) == 2


def test_lines_of_calls_are_a_row_each_and_a_bad_line_costs_itself(tmp_path: Path) -> None:
    good = json.dumps({"left": ["您好"], "right": ["你好", "再见"]}, ensure_ascii=False)
    found = rows(tmp_path / "x", f"{good}\n{{bad\n{good}\n")
    assert [(row.number, bool(row.problem), row.channel) for row in found] == [(1, False, "call"), (2, True, "sms"), (3, False, "call")]


def test_a_document_over_many_lines_or_on_a_long_one(tmp_path: Path) -> None:
    segments = [{"start": k, "end": k + 1, "text": f"第{k}句" + "话" * 30} for k in range(20_000)]
    for indent in (None, 1):
        (row,) = rows(tmp_path / "x", json.dumps({"segments": segments, "language": "zh"}, ensure_ascii=False, indent=indent))
        assert row.text.count("\n") == 19_999
        assert row.columns["language"] == "zh"


@pytest.mark.parametrize("shape", recognisers.SHAPES, ids=lambda shape: shape.name)
@pytest.mark.parametrize("value", MISSHAPEN)
def test_drawing_turns_never_fails(shape: recognisers.Shape, value: object) -> None:
    shape.fits(value)
    if isinstance(value, (dict, list)) and (shape.name != "teleantifraud" or shape.fits(value)):
        for turns in shape.calls(value):
            assert isinstance(list(turns), list)


def test_voices_of_one_cue_and_captions_that_roll(tmp_path: Path) -> None:
    cues = "00:01.000 --> 00:02.000\n<v 客服>您好&lt;喂</v> <v 客户>你好\n\n00:02.000 --> 00:03.000\n<v 客户>你好\n"
    (row,) = rows(tmp_path / "x", f"\ufeffWEBVTT\n\n{cues}")
    assert row.text == "客服：您好<喂\n客户：你好"


def test_a_subtitle_without_blank_lines(tmp_path: Path) -> None:
    data = "1\n00:00:01,000 --> 00:00:02,000\n喂\n2\n00:00:02,000 --> 00:00:03,000\n您好\n"
    (row,) = rows(tmp_path / "x", data)
    assert row.text == "喂\n您好"


def test_words_with_a_colon_are_no_speaker(tmp_path: Path) -> None:
    (row,) = rows(tmp_path / "x", "客服：您好\n时间：12:30\n见 http://example.com:8080\n客户：好的\n客服：再见\n")
    assert [turn["speaker"] for turn in row.columns["turns"]] == ["客服", "客户", "客服"]


def test_segments_with_roles_and_times_are_a_dialogue_and_with_speakers_a_recogniser(tmp_path: Path) -> None:
    segment = {"start": 0, "end": 1, "text": "您好"}
    (spoken,) = rows(tmp_path / "x", json.dumps({"segments": [{**segment, "role": "left"}]}))
    (recognised,) = rows(tmp_path / "x", json.dumps({"segments": [{**segment, "speaker": "SPEAKER_00"}]}))
    assert (spoken.text, recognised.text) == ("left：您好", "SPEAKER_00：您好")


def test_the_turns_of_a_row_are_those_of_the_file_and_a_number_is_named(tmp_path: Path) -> None:
    turns = [
        {"speaker": "0", "text": "您好"},
        {"speaker": " 客户 ", "text": "你  好\n啊"},
        {"speaker": "", "text": "嗯"},
        {"speaker": "1", "text": " "},
    ]
    (row,) = rows(tmp_path / "x", json.dumps({"turns": turns}))
    assert turns_of(row) == [("说话人0", "您好"), ("客户", "你 好 啊"), ("", "嗯")]


@pytest.mark.parametrize("data", ["您好\n", "text,turns\n您好您好,5\n好的好的,6\n", '{"text": "您好", "turns": "5"}\n', '{"text": "您好"}\n'])
def test_a_message_has_no_turns(tmp_path: Path, data: str) -> None:
    found = rows(tmp_path / "x", data)
    assert found
    assert not any(map(turns_of, found))


@pytest.mark.parametrize("sample", sorted(path.name for path in (Path(__file__).parent / "samples").iterdir()))
def test_calls_of_every_format_have_turns_and_nothing_else_has(sample: str) -> None:
    (path,) = (Path(__file__).parent / "samples" / sample).glob("input.*")
    source = open_source(str(path))
    with source.stream:
        for row in recognise(source).read(source):
            assert bool(turns_of(row)) is (row.channel == "call" and not row.problem and not row.skipped)


def test_lines_are_turns_as_they_come() -> None:
    lines = (
        b"\xef\xbb\xbf\xe5\xae\xa2\xe6\x9c\x8d\xef\xbc\x9a\xe6\x82\xa8\xe5\xa5\xbd\r\n\n  \n"
        + "王经理：在吗\n".encode("gb18030")
        + b"\xff\xff\n"
        + "嗯".encode()
    )
    assert list(follow(BytesIO(lines))) == [("客服", "您好"), ("王经理", "在吗"), ("", "��"), ("", "嗯")]


def test_what_a_line_has_beyond_the_limit_is_left_out() -> None:
    lines = "话".encode() * MAX_LINE + b"\n" + "嗯\n".encode()
    first, second = follow(BytesIO(lines))
    assert first == ("", "话" * (MAX_LINE // 3))
    assert second == ("", "嗯")
