"""A verdict as a person reads it, in Chinese: on a terminal, with the evidence marked in the message.

Owns the wording of verdicts and next steps, and the escaping of what a terminal would obey. Knows nothing of how a score is made.
"""

import unicodedata
from collections.abc import Callable, Iterable, Sequence

from .classify import TOO_LITTLE
from .records import TYPE_NAMES, VERDICT_NAMES, Evidence, Verdict
from .tactics import load_tactics

NEXT_STEP = {
    "impersonation": "不要转账、借款、扫码、共享屏幕，也不要提供验证码。"
    "请挂断或停止回复，自己打开官方App或拨打官方电话核实；已转账请立即拨打110，咨询拨打96110。",
    "other_fraud": "不要付款、充值或下载对方给的软件。已转账请立即拨打110，咨询拨打96110。",
    "unsure": "先不要按对方说的做。请通过官方App、银行卡背面的电话或本人已有的号码核实；拿不准可拨打96110咨询。",
    "legit": "未见诈骗特征。如果后续有人要求转账、借款、共享屏幕或提供验证码，请再次核实。",
}
_BUT_TACTICS = "整体没有达到诈骗的判断线，但出现了上面列出的诈骗手法。谁这样要求您，都先不要照做，自己打开官方App或拨打官方电话核实之后再说。"
_TOO_LITTLE = "请输入完整的文字（整条消息或整段通话）再判断；在此之前不要点链接、转账或提供验证码。"
COLOUR = {"impersonation": "31;1", "other_fraud": "31", "unsure": "33", "legit": "32"}
_MARK = 0.05  # contribution to the logit below which a mark would only distract
Paint = Callable[[str, str], str]


def terminal(text: str, verdict: Verdict, colour: bool) -> str:
    """The verdict, the message with its evidence in 〔〕, the tactics and the next step; several lines."""
    paint = painter(colour)
    lines = conclusion(verdict, paint)
    if verdict.reason:
        lines.append(f"说明：{verdict.reason}")
    spans = evidence_spans(verdict) if _judged(verdict) else []
    lines += ["", marked(text, spans, paint), ""]
    if verdict.tactics:
        lines.append("看到的手法：")
        lines += [f"  · {name}：{load_tactics().explain[name]}" for name in verdict.tactics]
        lines.append("")
    lines.append(f"下一步：{next_step(verdict)}")
    return "\n".join(lines)


def next_step(verdict: Verdict) -> str:
    """What to do; what is called legit although it holds tactics of fraud is never said to be free of signs."""
    if not _judged(verdict):
        return _TOO_LITTLE
    return _BUT_TACTICS if verdict.scam_verdict == "legit" and verdict.tactics else NEXT_STEP[verdict.scam_verdict]


def _judged(verdict: Verdict) -> bool:
    """Was there something to judge? If not, probability and marks say nothing."""
    return verdict.reason not in TOO_LITTLE


def painter(colour: bool) -> Paint:
    """What puts a text in a terminal's colour (by its code), or leaves it."""
    return (lambda s, code: f"\x1b[{code}m{s}\x1b[0m") if colour else (lambda s, code: s)


def conclusion(verdict: Verdict, paint: Paint) -> list[str]:
    """The first lines: the verdict, and how likely each kind of fraud is where there was something to judge."""
    name, other = VERDICT_NAMES[verdict.scam_verdict], verdict.probabilities["other_fraud"]
    lines = [f"结论：{paint(name, COLOUR[verdict.scam_verdict])}{kind_of(verdict.scam_verdict, verdict.scam_type)}"]
    return [*lines, f"冒充类诈骗概率：{percent(verdict.scam_score)}    其他诈骗概率：{percent(other)}"] if _judged(verdict) else lines


def kind_of(verdict: str, kind: str) -> str:
    """The kind of fraud, as it follows the name of the verdict; "" where none is found."""
    return "" if verdict in ("legit", "unsure") else f" · {TYPE_NAMES[kind]}"


def percent(p: float) -> str:
    """A probability; none is said to be certain."""
    return f"{100 * p:.1f}%" if 0.001 <= p <= 0.999 else ("<0.1%" if p < 0.5 else ">99.9%")


def evidence_spans(verdict: Verdict) -> list[tuple[int, int]]:
    """Where the evidence for fraud and the tactics named stand, overlapping pieces joined; none for a legit verdict."""
    return [] if verdict.scam_verdict == "legit" else spans_for(verdict.evidence, verdict.tactics)


def spans_for(evidence: Iterable[Evidence], tactics: Sequence[str]) -> list[tuple[int, int]]:
    """Where what speaks for fraud stands, and the tactics that are named; overlapping pieces joined."""
    named = {f"tactic:{name}" for name in tactics}
    return joined(e.span for e in evidence if e.span and e.span[1] > e.span[0] and (e.contribution > _MARK or e.feature in named))


def joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order, those that touch made one."""
    out: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


def marked(text: str, spans: Sequence[tuple[int, int]], paint: Paint) -> str:
    """The text with 〔〕 around each span (and colour, where wanted); what a terminal would obey is made visible."""
    out, last = [], 0
    for start, end in spans:
        out += [visible(text[last:start]), paint(f"〔{visible(text[start:end])}〕", "1;4")]
        last = end
    return "".join([*out, visible(text[last:])])


_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # categories: control, format, surrogates, line and paragraph separators
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # letters, marks and a symbol that show nothing


def visible(text: str) -> str:
    """Control, format, surrogate and blank characters written out, so that a message can neither hide nor steer anything.

    >>> visible("验\\u200b证\\x1b[2J码")
    '验␣U+200B证␣U+001B[2J码'
    """
    return "".join(c if not _hides(c) else f"␣U+{ord(c):04X}" for c in text)


def _hides(c: str) -> bool:
    return c != "\n" and (unicodedata.category(c) in _HIDDEN or c in _BLANK or "\U000e0100" <= c <= "\U000e01ef")
