"""Calls: one row each, a turn a line, no label scored as words."""

import json
from pathlib import Path

import pytest
from readers.reading import rows

from classifier.readers import recognisers
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
