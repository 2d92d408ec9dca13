"""A call, turn by turn as it is heard: the risk after each turn, what moved it, the first alarm, the stage reached.

Owns whose words count, when there is an alarm, and how far a call has gone. Knows nothing of files or terminals. After any turn the
risk is that of `Classifier.score` for the transcript of the turns that count (see `growing`), and so is the verdict on the whole.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from .classify import TOO_LITTLE, Classifier
from .growing import GrowingText, grow
from .records import Evidence, Verdict
from .tactics import load_tactics
from .turns import side_of

ALARMS = ("impersonation", "other_fraud")  # verdicts
SIDES = ("caller", "called", "unknown")
# How far a call has gone. Threats come before the transfer in 20 of our calls, after it in 11: as the end they would hide the way there.
PATH = ("身份建立", "借口", "威胁", "引流", "信用/借贷诱导", "转账")


@dataclass(frozen=True)
class Heard:
    """What is said of a call after one of its turns.

    turn           its number, from 1
    speaker        its label, "" where there is none
    side           one of SIDES
    text           its words, as given
    scored         False where they do not count: the called person's, or nothing that can be read
    risk           probability of any fraud in all that counted so far
    change         of the risk, by this turn; None as long as, before it, there was too little to judge
    scam_score     probability of impersonation fraud; scam_verdict, scam_type, status, reason, model likewise as in `Verdict`
    speaker_risk   the risk in this speaker's words alone so far; None where they do not count, or without a label
    alarm_turn     the first turn at which the verdict was one of ALARMS, None so far
    stage          the furthest of PATH so far, "" where none was seen
    tactics        names of the fraud tactics in this turn
    evidence       of what is new with this turn, what weighs most: `Evidence` with spans in code points of `text`, contributions to
                   the logit of the score (where the verdict is other fraud, to that one's)
    schema_version of this object; a key that changes its meaning raises it
    """

    turn: int
    speaker: str
    side: str
    text: str
    scored: bool
    risk: float
    change: float | None
    scam_score: float
    scam_verdict: str
    scam_type: str
    speaker_risk: float | None
    alarm_turn: int | None
    stage: str
    tactics: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    status: str
    reason: str
    model: str
    schema_version: int = 1

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class Speaker:
    """One who speaks in a call: name, side and risk as `speaker`, `side` and `speaker_risk` of `Heard`."""

    name: str
    side: str
    turns: int
    risk: float | None


@dataclass(frozen=True)
class CallVerdict:
    """What is said of a call.

    verdict    of all that counts; its evidence stands by the turns
    risk       probability of any fraud
    stages     (stage, first turn) of each stage seen, in the order of the turns
    driven_by  of several speakers whose words count, the one whose own risk is highest; else ""
    turns      all turns, where they were kept (`listen`)

    alarm_turn and stage as in `Heard`.
    """

    verdict: Verdict
    risk: float
    alarm_turn: int | None
    stage: str
    stages: tuple[tuple[str, int], ...]
    speakers: tuple[Speaker, ...]
    driven_by: str
    turns: tuple[Heard, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON object: the keys of the verdict and those of the call."""
        of_verdict = {k: v for k, v in self.verdict.as_dict().items() if k != "evidence"}
        of_call = {k: v for k, v in asdict(replace(self, turns=())).items() if k != "verdict"}
        stages = [{"stage": stage, "turn": turn} for stage, turn in self.stages]
        turns = [{k: v for k, v in turn.as_dict().items() if k not in ("model", "schema_version")} for turn in self.turns]
        return {**of_verdict, **of_call, "stages": stages, "turns": turns}


def listen(classifier: Classifier, turns: Iterable[tuple[str, str]], callers: Sequence[str] = ()) -> CallVerdict:
    """Hear a call to its end; turns are (speaker, words), `callers` as in `Call`. TypeError for anything else.

    >>> from classifier import load
    >>> found = listen(load(), [("客户", "喂？"), ("客服", "我是银监会的，您的钱要转到安全账户"), ("客户", "好的")])
    >>> found.verdict.scam_verdict, found.alarm_turn, found.stage
    ('impersonation', 2, '转账')
    """
    call = Call(classifier, callers)
    heard = tuple(call.hear(words, speaker) for speaker, words in map(_turn, turns))
    return replace(call.verdict(), turns=heard)


def _turn(turn: tuple[str, str]) -> tuple[str, str]:
    if isinstance(turn, str) or len(turn) != 2:
        raise TypeError("a turn is (speaker, words), with '' for a speaker who has no label")
    return turn


class Call:
    """A call that goes on: `hear` its turns as they come; `verdict` at any time.

    Whose words count: everyone's but the called person's. Who that is labels say (`turns.side_of`), or `callers`, the labels of those
    whose words count and of no others with a label. Compared on our calls with known sides by the frauds found early where 5% of
    genuine calls ever alarm: all words 40%; the lower of the risks in all words and in the caller's, held down while the called
    person speaks, 59%; the caller's words alone 59%, the simplest. Where no label says who called, all words count and nobody is
    guessed; the riskier of the two speakers alone would find 54% instead of 51%, but no longer be the score of the transcript.

    An alarm is the first turn at which the verdict says fraud, and stays on record. To wait for a second such turn would spare a
    third of the genuine calls that ever alarm and lose three of four early alarms; to give none before the second turn would spare
    4 in 100 genuine calls, none of them ordinary, and delay or lose 8 in 100 frauds.
    """

    def __init__(self, classifier: Classifier, callers: Sequence[str] = ()) -> None:
        if isinstance(callers, str):
            raise TypeError("callers are a list of labels, not one label")
        self._classifier = classifier
        self._callers = frozenset(callers)
        self._counted = GrowingText(classifier)
        self._own: dict[str, GrowingText] = {}
        self._turns: Counter[str] = Counter()
        self._turn = 0
        self._alarm: int | None = None
        self._tactics: dict[str, None] = {}
        self._stages: dict[str, int] = {}

    def side(self, speaker: str) -> str:
        """The side of a speaker, one of SIDES."""
        if self._callers and speaker:
            return "caller" if speaker in self._callers else "called"
        return side_of(speaker) or "unknown"

    def hear(self, words: str, speaker: str = "") -> Heard:
        """The next turn."""
        if not (isinstance(words, str) and isinstance(speaker, str)):
            raise TypeError(f"words and speaker are str, not {type(words).__name__} and {type(speaker).__name__}")
        self._turn += 1
        self._turns[speaker] += 1
        side, before = self.side(speaker), self._counted.verdict
        grown = grow(self._texts(speaker), words) if side != "called" else None
        tactics = grown.tactics if grown else ()
        for name in tactics:
            self._tactics.setdefault(name)
            self._stages.setdefault(load_tactics().stage[name], self._turn)
        now = self._counted.verdict
        if self._alarm is None and now.scam_verdict in ALARMS:
            self._alarm = self._turn
        return Heard(
            turn=self._turn,
            speaker=speaker,
            side=side,
            text=words,
            scored=grown is not None,
            risk=risk(now),
            change=risk(now) - risk(before) if enough(before) else None,
            scam_score=now.scam_score,
            scam_verdict=now.scam_verdict,
            scam_type=now.scam_type,
            speaker_risk=self._own_risk(speaker),
            alarm_turn=self._alarm,
            stage=self._stage,
            tactics=tactics,
            evidence=grown.evidence if grown else (),
            status=now.status,
            reason=now.reason,
            model=now.model,
        )

    def verdict(self) -> CallVerdict:
        """What is said of the call so far."""
        now = replace(self._counted.verdict, tactics=tuple(self._tactics))
        speakers = tuple(Speaker(name, self.side(name), turns, self._own_risk(name)) for name, turns in self._turns.items())
        own = {speaker.name: speaker.risk for speaker in speakers if speaker.risk is not None}
        driver = max(own, key=own.__getitem__) if len(own) > 1 else ""
        return CallVerdict(now, risk(now), self._alarm, self._stage, tuple(self._stages.items()), speakers, driver)

    def _texts(self, speaker: str) -> list[GrowingText]:
        """What a speaker's words that count go into: the whole, and what they alone have said."""
        return [self._counted, *([self._own.setdefault(speaker, GrowingText(self._classifier))] if speaker else [])]

    def _own_risk(self, speaker: str) -> float | None:
        own = self._own.get(speaker)
        return risk(own.verdict) if own else None

    @property
    def _stage(self) -> str:
        return max(self._stages, key=PATH.index, default="")


def enough(said: Verdict | Heard) -> bool:
    """Was there enough to read for what is said to mean something?"""
    return said.reason not in TOO_LITTLE


def risk(verdict: Verdict) -> float:
    """The probability of any fraud."""
    return 1 - verdict.probabilities["legit"]


__all__ = ["ALARMS", "PATH", "SIDES", "Call", "CallVerdict", "Heard", "Speaker", "enough", "listen", "risk"]
