"""A call as a person reads it, in Chinese: lines for each turn as it is heard, and what is said of the whole.

Owns the wording for calls; that of verdicts, and the escaping, are `render`'s. Knows nothing of how a risk is made.
"""

from collections.abc import Sequence
from dataclasses import replace

from .calls import CallVerdict, Heard, Speaker, enough
from .records import VERDICT_NAMES
from .render import COLOUR, NEXT_STEP, Paint, conclusion, joined, kind_of, marked, next_step, painter, percent, visible
from .tactics import load_tactics

_SHOWN = 0.01  # change of the risk below which a number would only distract
_MARK = 0.2  # contribution to the logit from which words are marked; a turn is short, and else most of it would be
_NAMED = 4  # speakers named one by one


def turn_lines(heard: Heard, colour: bool, live: bool = False) -> str:
    """A turn with the risk after it, the tactics in it and, where it is the first, the alarm; in a live call also what to do."""
    paint = painter(colour)
    words = _one_line(marked(heard.text, _spans(heard), paint))
    speaker = f"{_name(heard.speaker)}：" if heard.speaker else ""
    lines = [f"{heard.turn:>3}  {_risk(heard, paint)}  {speaker}{words}"]
    if heard.tactics:
        lines.append(f"{'':19}└ {'、'.join(f'{name}（{load_tactics().stage[name]}）' for name in heard.tactics)}")
    if heard.alarm_turn == heard.turn:
        verdict = VERDICT_NAMES[heard.scam_verdict] + kind_of(heard.scam_verdict, heard.scam_type)
        lines.append(paint(f"{'':5}▲ 第{heard.turn}轮预警：{verdict}", COLOUR[heard.scam_verdict]))
        if live:
            lines.append(f"{'':7}{NEXT_STEP[heard.scam_verdict]}")
    return "\n".join(lines)


def _risk(heard: Heard, paint: Paint) -> str:
    """Twelve columns: the risk and its change."""
    if not heard.scored:
        return paint(f"{'不计分':>9}", "2")
    if not enough(heard):
        return f"{'-':>6}{'':6}"
    change = f"{100 * heard.change:+.0f}" if heard.change and abs(heard.change) >= _SHOWN else ""
    return f"{paint(f'{percent(heard.risk):>6}', COLOUR[heard.scam_verdict])} {change:>5}"


def _spans(heard: Heard) -> list[tuple[int, int]]:
    if heard.scam_verdict == "legit" or not enough(heard):
        return []
    return joined(e.span for e in heard.evidence if e.span and e.contribution >= _MARK)


def _one_line(text: str) -> str:
    return text.replace("\n", " ")


def _name(speaker: str) -> str:
    return _one_line(visible(speaker)) or "（未标明）"


def call_lines(call: CallVerdict, colour: bool) -> str:
    """What is said of a call, with its turns where it has them."""
    paint = painter(colour)
    lines = [*conclusion(call.verdict, paint), f"首次预警：{_alarm(call)}"]
    if call.stages and _advice(call) != "legit":
        lines.append(f"进展：{' → '.join(f'{stage}（第{turn}轮）' for stage, turn in call.stages)}")
    lines.append(f"说话人：{_speakers(call)}")
    if call.verdict.reason:
        lines.append(f"说明：{call.verdict.reason}")
    lines.append("")
    if call.turns:
        lines += ["轮次   风险  变化  谁说了什么", *(turn_lines(heard, colour) for heard in call.turns), ""]
    if call.verdict.tactics:
        lines += ["看到的手法：", *(f"  · {name}：{load_tactics().explain[name]}" for name in call.verdict.tactics), ""]
    return "\n".join([*lines, f"下一步：{next_step(replace(call.verdict, scam_verdict=_advice(call)))}"])


def _alarm(call: CallVerdict) -> str:
    if call.alarm_turn is None:
        return "无"
    fell = call.verdict.scam_verdict in ("legit", "unsure")
    return f"第{call.alarm_turn}轮" + ("，后来的话使风险回落到预警线以下，仍请核实" if fell else "")


def _advice(call: CallVerdict) -> str:
    """A call that has alarmed is never said to be free of signs."""
    found = call.verdict.scam_verdict
    return "unsure" if found == "legit" and call.alarm_turn is not None else found


def _speakers(call: CallVerdict) -> str:
    """Whose words count and why; of several, how each stands alone."""
    counted = [s for s in call.speakers if s.side != "called"]
    called = [s for s in call.speakers if s.side == "called"]
    if called and not counted:
        return f"{_names(called)}都是接听方，没有可判断的话；如果标错了，请用 --caller 指明来电方"
    alone = [s for s in counted if s.risk is not None]
    parts = []
    if called:
        parts.append(f"只看{_names(counted)}的话，{_names(called)}是接听方，不计分")
    elif len(call.speakers) > 1 or alone:
        parts.append("不知道谁是来电方，所有人的话都计分" if any(s.side == "unknown" for s in counted) else f"只有{_names(counted)}的话")
    else:
        parts.append("没有标明")
    if len(alone) > 1:
        parts.append("单独看：" + "，".join(f"{_name(s.name)} {percent(s.risk or 0)}" for s in alone[:_NAMED]))
    if call.driven_by and call.verdict.scam_verdict != "legit":
        parts.append(f"风险主要来自{_name(call.driven_by)}")
    return "；".join(parts)


def _names(speakers: Sequence[Speaker]) -> str:
    return "、".join(_name(s.name) for s in speakers[:_NAMED]) + (f"等{len(speakers)}人" if len(speakers) > _NAMED else "")
