"""The records that pass between rooms: frozen, of the standard library only.

Spans are [start, end) in code points of the raw text, everywhere.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

IMPERSONATION = ("ecommerce", "credit", "institution", "authority", "acquaintance", "military")
TYPES = (*IMPERSONATION, "other_fraud", "legit")
VERDICTS = ("impersonation", "other_fraud", "unsure", "legit")

TYPE_NAMES = {  # the official names (taxonomy of the 2023 case-classification task), shown to readers
    "ecommerce": "冒充电商物流客服类",
    "credit": "虚假征信类",
    "institution": "冒充银行、运营商等机构类",
    "authority": "冒充公检法及政府机关类",
    "acquaintance": "冒充领导、熟人类",
    "military": "冒充军警购物类",
    "other_fraud": "其他诈骗（刷单、投资、贷款、购物等）",
    "legit": "正常",
}
DIRECTIONS = ("in", "out", "draft", "unknown")
CHANNELS = ("sms", "mms", "im", "call")
SKIPPED_NAMES = {"sent": "自己发出的", "draft": "草稿", "empty": "没有内容", "media only": "只有图片、语音等", "service event": "系统通知"}
SKIPPED = tuple(SKIPPED_NAMES)
VERDICT_NAMES = {"impersonation": "冒充类诈骗", "other_fraud": "其他诈骗", "unsure": "存疑", "legit": "正常"}


@dataclass(frozen=True)
class Evidence:
    """One reason for the score. `contribution` is what it adds to the logit of `scam_score` (negative: speaks for legit).

    feature  its name, as in `tactic:安全账户` or `char:账户`
    span     [start, end) in code points of the raw text; None where it stands for the whole text
    explain  for a tactic, why it matters, in Chinese; else ""
    """

    feature: str
    contribution: float
    span: tuple[int, int] | None
    explain: str = ""


@dataclass(frozen=True)
class Verdict:
    """What is said of one message.

    scam_score     calibrated probability of impersonation fraud, 0 to 1
    scam_verdict   one of VERDICTS
    scam_type      the likeliest of TYPES, within what the verdict says
    probabilities  of all TYPES; they sum to 1
    tactics        names of the fraud tactics seen, in the order of the text
    evidence       strongest first; empty where it was not asked for
    status         ok · repaired (unreadable characters left out) · truncated (too long, not fully read)
    reason         in Chinese, where the text itself limits what can be said: too short, not Chinese, a warning about fraud
    model          id of the model that answered
    schema_version of this object; a key that changes its meaning raises it
    """

    scam_score: float
    scam_verdict: str
    scam_type: str
    probabilities: dict[str, float]
    tactics: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    status: str = "ok"
    reason: str = ""
    model: str = ""
    schema_version: int = field(default=1)

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON object."""
        # What `asdict` gives; that copies each value by itself, and took most of a checkpoint's time.
        return {**vars(self), "probabilities": dict(self.probabilities), "evidence": tuple(dict(vars(e)) for e in self.evidence)}


class Row(NamedTuple):  # a tuple: a million are made in a run, and a dataclass takes five times as long to make
    """One message of an input file, or one that could not be read.

    number        where it stands, from 1, as the file's user counts (line, record or sheet row)
    text          what is scored, of a call its transcript; "" where there is nothing
    columns       all that the input holds of it, in order; written out again as it was
    problem       why it cannot be scored, "" where it can
    sender        who wrote it, "me" of a sent message or draft; "" unknown
    time          ISO 8601 in Chinese time (+08:00), so that times compare as text; a day alone where there is no hour; "" unknown
    direction     one of DIRECTIONS
    conversation  what the messages of one thread share; "" unknown
    channel       one of CHANNELS
    skipped       why it is not scored although nothing is wrong with it, one of SKIPPED; "" where it is scored
    """

    number: int
    text: str
    columns: dict[str, Any]
    problem: str = ""
    sender: str = ""
    time: str = ""
    direction: str = "in"
    conversation: str = ""
    channel: str = "sms"
    skipped: str = ""


class Labels(NamedTuple):
    """What is added to rows, column by column, each as long as there are rows; the fields' names are those of the columns. All but the
    status are None where a row was not scored.

    scam_score     probability of impersonation fraud, to six places
    scam_tactics   names of the fraud tactics, joined with 、
    scam_status    ok · repaired · truncated · joined (scored as one with its other parts) · skipped: why · rejected: why
    scam_evidence  the strongest reasons of what is not called legit; None where that is it, or they were not asked for
    """

    scam_score: list[float | None]
    scam_verdict: list[str | None]
    scam_type: list[str | None]
    scam_tactics: list[str | None]
    scam_status: list[str]
    scam_evidence: list[list[dict[str, Any]] | None] | None = None
