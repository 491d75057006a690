"""What has to become of a call: each expectation says what of an answer is not as it was told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from bawn.inspection.outputs.marking import NOTE
from bawn.model import Json
from bawn.protocol.strict import encode

_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Seen:
    """What the gate gave as its reason: the id of a reason or a rule, the caller's text, the trace."""

    reason: str = ""
    message: str = ""
    trace: str = ""


class Expected(Protocol):
    """What an answer has to be like."""

    def problem(self, answer: Json) -> str:
        """What is not as it has to be; empty when nothing is."""


@dataclass(frozen=True, slots=True)
class Passes:
    """It is answered, with this in it, and nothing was found."""

    says: str

    def problem(self, answer: Json) -> str:
        """As `Expected`."""
        if "result" not in answer:
            return f"an answer that has {self.says!r} was expected, and it is {_shown(answer)}"
        if answer["result"].get("isError") or self.says not in _text(answer):
            return f"{self.says!r} was expected in the answer, and it is {_shown(answer)}"
        if notes(answer):
            return f"an untouched answer was expected, and {notes(answer)[0]['rule']} was found"
        return ""


@dataclass(frozen=True, slots=True)
class Refused:
    """It is refused, with this reason."""

    reason: str

    def problem(self, answer: Json) -> str:
        """As `Expected`."""
        found = seen(answer).reason
        if "error" in answer and found == self.reason:
            return ""
        return f"a refusal with {self.reason} was expected, and it is {_shown(answer)}"


@dataclass(frozen=True, slots=True)
class Noted:
    """It is answered, with this done about a finding of these rules, and without `absent` anywhere.

    `present` are texts that stand in the answer all the same.
    """

    rules: str
    action: str
    present: tuple[str, ...] = ()
    absent: str = ""

    def problem(self, answer: Json) -> str:
        """As `Expected`."""
        if not any(
            each["rule"].startswith(self.rules) and each["action"] == self.action
            for each in notes(answer)
        ):
            return f"`{self.action}` for {self.rules}* was expected, and it is {_shown(answer)}"
        if self.absent and self.absent in encode(answer).decode():
            return "what was to be taken out stands in the answer"
        missing = [each for each in self.present if each not in _text(answer)]
        return f"{missing[0]!r} was expected to stay in the answer" if missing else ""


def notes(answer: Json) -> list[Json]:
    """The notes of what was found in a result."""
    meta = (answer.get("result") or {}).get("_meta") or {}
    found = meta.get(NOTE)
    return found if isinstance(found, list) else []


def seen(answer: Json) -> Seen:
    """What the gate gave as its reason."""
    error = answer.get("error")
    if isinstance(error, dict):
        data = error.get("data") or {}
        message = str(error.get("message", ""))
        return Seen(str(data.get("reason", "")), message, str(data.get("trace", "")))
    graver = sorted(notes(answer), key=lambda each: _RANK.get(each["severity"], 0), reverse=True)
    if not graver:
        return Seen()
    worst = graver[0]
    return Seen(worst["rule"], f"{worst['severity']}, at {worst['place']}, done: {worst['action']}")


_RANK: Final = {"low": 1, "medium": 2, "high": 3, "critical": 4}


def _text(answer: Json) -> str:
    content = answer["result"].get("content") or []
    return "\n".join(str(each.get("text", "")) for each in content)


def _shown(answer: Json) -> str:
    return encode(answer.get("error") or answer.get("result") or answer).decode()[:_SHOWN]
