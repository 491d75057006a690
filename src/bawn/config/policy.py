"""The settings of policy: roles, scopes, approvals, quotas."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from bawn.config.section import Count, Seconds, Section, setting

TENANT = re.compile(r"[a-z0-9-]{0,32}")
SCOPE = re.compile(r"[!#-\[\]-~]{1,512}")  # RFC 6749, section 3.3
_RATE = re.compile(r"([1-9][0-9]{0,8})/(second|minute|hour|day)")


def _tenant(value: str) -> str:
    if not TENANT.fullmatch(value):
        raise ValueError("expected 1 to 32 of a-z, 0-9 and hyphen")
    return value


def _rate(value: str) -> str:
    if not _RATE.fullmatch(value):
        raise ValueError(
            "expected COUNT/PERIOD, such as 100/minute; periods: second, minute, hour, day"
        )
    return value


def _scope(value: str) -> str:
    if not SCOPE.fullmatch(value):  # it has to fit into a challenge
        raise ValueError(
            "expected 1 to 512 of printable ASCII without spaces, quotes and backslashes"
        )
    if value == "offline_access":  # basic/authorization, "Refresh Tokens" (2026-07-28)
        raise ValueError("this one asks for refresh tokens; expected a scope that covers items")
    return value


Tenant = Annotated[str, AfterValidator(_tenant)]
Scope = Annotated[str, AfterValidator(_scope)]
Rate = Annotated[str, AfterValidator(_rate)]


class RoleRule(Section):
    """What a role may use: patterns in shell style (`*`, `?`), matched case-sensitively."""

    servers: tuple[str, ...] = setting(("*",), "Servers, by id.")
    tools: tuple[str, ...] = setting((), "Tools, by the server's own name.")
    prompts: tuple[str, ...] = setting((), "Prompts, by the server's own name.")
    resources: tuple[str, ...] = setting((), "Resources and templates, by URI.")
    methods: tuple[str, ...] = setting(
        (), "Methods of extensions that bawn does not know, by name: of single servers alone."
    )


class Approver(Section):
    """Somebody who is told of calls that wait, and may decide them by a link that serves once."""

    name: str = setting(..., "Who it is, for the record.", min_length=1, max_length=128)
    roles: tuple[str, ...] = setting(..., "The roles as which this person decides.", min_length=1)
    subject: str | None = setting(
        None,
        "The subject of this person's own tokens: nobody approves what they called for themselves.",
    )
    tenant: Tenant = setting("", "The tenant whose calls this person decides.")
    webhook: str | None = setting(
        None,
        "Where to send word: an https:// URL, or a reference (`${env:NAME}`, `${file:PATH}`, `${keyring:NAME}`) to one.",
    )
    desktop: bool = setting(False, "Show a notification on this machine's desktop (Linux).")

    @model_validator(mode="after")
    def _told_somehow(self) -> Self:
        if self.webhook is None and not self.desktop:
            raise ValueError("expected `webhook`, `desktop: true`, or both")
        return self


class ApprovalsConfig(Section):
    """Calls that need somebody's consent."""

    within: Seconds = setting(
        900.0, "Seconds in which consent may be given and used, where the rule does not say."
    )
    wait: Annotated[float, Field(ge=0, le=300)] = setting(
        45.0,
        "Seconds that a call waits for its own caller's answer before it is told to come again.",
    )
    pending: Count = setting(32, "Calls of one principal that wait for consent at once.")
    approvers: tuple[Approver, ...] = setting((), "Who is told of calls that wait.", max_length=64)
    webhook_secret: str | None = setting(
        None,
        "Key that webhooks are signed with (Standard Webhooks), as a reference. At least 24 bytes.",
    )

    @model_validator(mode="after")
    def _each_has_a_name_of_its_own(self) -> Self:
        names = [approver.name for approver in self.approvers]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"two approvers are named {twice[0]!r}: links tell them apart by name")
        return self


class FlowConfig(Section):
    """What conversations are, and for how long they remember what they have touched."""

    by: Literal["conversation", "principal"] = setting(
        "conversation",
        "`conversation`: each handle, session or trace that a client names is one of its own, so that a new one begins clean; `principal`: all calls of a caller by one agent are one.",
    )
    lifetime: Seconds = setting(
        3600.0, "Seconds for which what a call touched counts; at most a quarter more."
    )


class Quota(Section):
    """A bound on what callers use: of calls by rate or in flight, or of a conversation's budget."""

    per: Literal["principal", "agent", "server", "tool", "tenant", "conversation"] = setting(
        ..., "What it is counted by."
    )
    servers: tuple[str, ...] = setting(("*",), "Servers whose calls count, by pattern.")
    tools: tuple[str, ...] = setting(
        ("*",), "Tools, prompts and resources that count, by pattern of their own names."
    )
    roles: tuple[str, ...] = setting(
        (), "Only for callers with one of these roles; empty: for all."
    )
    rate: Rate | None = setting(None, "Calls at most, such as 100/minute; a sliding window.")
    concurrency: Count | None = setting(None, "Calls in flight at most, on each worker.")
    bytes: Count | None = setting(None, "Bytes of results at most, for each `window`.")
    cost: Count | None = setting(
        None, "Cost at most, for each `window`; labels.yaml says what a call costs, else 1."
    )
    window: Seconds = setting(3600.0, "Seconds after which a budget is whole again.")

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        if (
            self.rate is None
            and self.concurrency is None
            and self.bytes is None
            and self.cost is None
        ):
            raise ValueError("expected one of `rate`, `concurrency`, `bytes` and `cost`")
        return self
