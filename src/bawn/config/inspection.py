"""The settings of inspection: what is done about what detectors and checks find."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from bawn.config.integrity import Text
from bawn.config.kinds import HttpUrl
from bawn.config.section import Count, Section, setting

Action: TypeAlias = Literal["pass", "mark", "redact", "ask", "quarantine", "block"]
Grave: TypeAlias = Literal["low", "medium", "high", "critical"]
Way: TypeAlias = Literal["arguments", "outputs"]
ArgumentKind: TypeAlias = Literal[
    "command", "path", "url", "host", "sql", "template", "code", "identifier", "secret", "text"
]

Pattern = Annotated[str, Field(min_length=1, max_length=256)]


class InspectionRule(Section):
    """What is done about some findings; the first rule that covers a finding decides."""

    rules: tuple[Pattern, ...] = setting(("*",), "Detection rules, by id: `output/*`, `secret/*`.")
    servers: tuple[Pattern, ...] = setting(("*",), "Servers, by id.")
    tools: tuple[Pattern, ...] = setting(
        ("*",), "Tools, prompts and resources, by the server's own name or URI."
    )
    direction: tuple[Way, ...] = setting(("arguments", "outputs"), "Where it was found.")
    severity: Grave = setting("medium", "Findings of this severity and above.")
    action: Action = setting(
        ...,
        "`pass` records alone; `mark` shows the caller where it is; `redact` takes it out; `ask` wants an approval; `quarantine` holds it back behind a handle; `block` refuses.",
    )
    shadow: bool = setting(False, "Record what would be done, and let it pass.")


class Suppression(Section):
    """A finding that is known and accepted: by whom, why, and until when."""

    rule: Pattern = setting(..., "The detection rule, by id; `*` stands for any part of it.")
    server: Pattern = setting(..., "The server, by id.")
    tool: Pattern = setting("*", "The tool, prompt or resource.")
    reason: Text = setting(..., "Why it is accepted.", min_length=8)
    owner: Text = setting(..., "Who answers for that.", min_length=1)
    expires: dt.date = setting(..., "The last day on which it holds (UTC).")


class JudgeConfig(Section):
    """An external judge: another process that is shown texts and says what it thinks of them."""

    url: HttpUrl = setting(..., "Where texts are sent, as JSON.")
    token: str | None = setting(
        None,
        "Bearer token for it, as a reference: `${env:NAME}`, `${file:PATH}`, `${keyring:NAME}`.",
    )
    directions: tuple[Way, ...] = setting(("outputs",), "What it is shown.")
    servers: tuple[Pattern, ...] = setting(("*",), "Servers whose texts it is shown.")
    mode: Literal["watch", "decide"] = setting(
        "watch",
        "`watch`: calls do not wait, and what it says is recorded; `decide`: calls wait, and its findings count.",
    )
    timeout: Annotated[float, Field(gt=0, le=60)] = setting(2.0, "Seconds that it has.")
    failures: Count = setting(5, "Failures in a row after which it is left alone for `rest`.")
    rest: Annotated[float, Field(gt=0, le=3600)] = setting(30.0, "Seconds that it is left alone.")
    on_failure: Literal["refuse", "pass"] = setting(
        "refuse", "What becomes of calls that it should decide and cannot."
    )


class InspectionConfig(Section):
    """What is looked at both ways, and what is done about what is found."""

    schemas: Literal["block", "pass"] = setting(
        "block",
        "Arguments that the approved schema of their tool does not allow: `block` refuses, `pass` records.",
    )
    arguments: Action = setting(
        "block", "What is done about findings of medium severity and above in arguments."
    )
    outputs: Action = setting(
        "mark", "What is done about findings of medium severity and above in what servers answer."
    )
    definitions: Literal["pass", "quarantine"] = setting(
        "quarantine",
        "What becomes of tools, prompts and instructions in which something grave is found when they are first seen.",
    )
    secrets: Action = setting("redact", "What is done about secrets, both ways.")
    personal: Action = setting("pass", "What is done about personal data, both ways.")
    personal_kinds: tuple[Literal["card", "iban", "national-id", "email", "phone"], ...] = setting(
        ("card", "iban", "national-id"),
        "Personal data that is looked for, where `personal` is not `pass`.",
    )
    reversible: bool = setting(
        False,
        "Put a token in the place of a redacted secret, which the gate alone turns back when the same caller sends it to the same server.",
    )
    redacted: Literal["label", "shape"] = setting(
        "label",
        "How redacted text looks: `label` says what it was, `shape` keeps length and kind of characters.",
    )
    rules: tuple[InspectionRule, ...] = setting((), "Exceptions to the above.", max_length=256)
    suppressions: tuple[Suppression, ...] = setting(
        (), "Findings that are known and accepted.", max_length=256
    )
    shadow: bool = setting(
        False,
        "Record what would be done, and do nothing of it; typed checks of arguments included.",
    )
    canaries: dict[str, str] = setting(
        dict,
        "Planted values by name, as references: whoever sends or shows one is refused, and told of in the audit.",
    )
    keepers: tuple[str, ...] = setting(
        ("admin",),
        "Roles whose approved tools may write agents' configuration, instructions, hooks and skills; see `configures`.",
    )
    approvers: tuple[str, ...] = setting(
        ("admin", "operator"), "Roles that may consent where findings ask.", min_length=1
    )
    quarantine_days: Annotated[int, Field(ge=1, le=365)] = setting(
        14, "Days after which what is in quarantine is destroyed."
    )
    judges: dict[str, JudgeConfig] = setting(dict, "External judges, by name.", "preview")

    @model_validator(mode="after")
    def _arguments_cannot_be_held_back(self) -> Self:
        if self.arguments == "quarantine":
            raise ValueError(
                "arguments cannot be held back behind a handle; expected `block`, `ask`, `redact` or `pass`"
            )
        return self
