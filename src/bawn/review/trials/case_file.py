"""What stands in a file of test cases: its keys, their types and defaults."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from bawn.config.policy import Tenant
from bawn.config.section import Section
from bawn.model import Kind, Label
from bawn.policy.actions import ACCOMPANYING
from bawn.protocol import versions

Outcome: TypeAlias = Literal["allow", "deny", "ask"]

NOON: Final = datetime(2026, 1, 7, 12, tzinfo=UTC).timestamp()
"""When a case happens that does not say: a Wednesday, so that no test passes on some days only."""

_NAMED: Final = {
    "tool": Kind.TOOL,
    "prompt": Kind.PROMPT,
    "resource": Kind.RESOURCE,
    "template": Kind.TEMPLATE,
}
_MAIN: Final = {
    Kind.TOOL: "tools/call",
    Kind.PROMPT: "prompts/get",
    Kind.RESOURCE: "resources/read",
    Kind.TEMPLATE: "resources/read",
}
_BESIDE: Final = ACCOMPANYING | {"resources/unsubscribe", "subscriptions/listen"}


def _instant(value: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
        moment.timestamp()
    except (ValueError, OverflowError):
        raise ValueError("expected a time such as 2026-01-07T12:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("expected a time with its zone, such as 2026-01-07T12:00:00Z")
    return value


class Caller(Section):
    """Who calls: as the credential would say."""

    subject: Annotated[str, Field(min_length=1)] = "somebody"
    issuer: str = ""
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    agent: str = ""
    tenant: Tenant = ""


class Target(Section):
    """What is called. Without an item, `method` is one that an extension brings."""

    server: str
    tool: str | None = None
    prompt: str | None = None
    resource: str | None = None
    template: str | None = None
    method: str | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        given = [name for name in _NAMED if getattr(self, name) is not None]
        if len(given) > 1 or not (given or self.method):
            raise ValueError(
                "expected exactly one of tool, prompt, resource and template; or only the `method` of an extension"
            )
        if not given and versions.is_core(self.method or ""):
            raise ValueError(
                "expected the tool, prompt, resource or template that the method is about"
            )
        if given and self.called not in {_MAIN[self.kind], *_BESIDE}:
            raise ValueError(
                f"method {self.called[:64]!r} is not one by which a {self.kind} is used; "
                f"expected one of {', '.join(sorted({_MAIN[self.kind], *_BESIDE}))}"
            )
        return self

    @property
    def kind(self) -> Kind:
        """What kind of item it is."""
        return next(
            (kind for name, kind in _NAMED.items() if getattr(self, name) is not None), Kind.METHOD
        )

    @property
    def name(self) -> str:
        """The server's own name of it."""
        return str(next((v for n in _NAMED if (v := getattr(self, n)) is not None), self.method))

    @property
    def called(self) -> str:
        """The method of the request."""
        return self.method or _MAIN[self.kind]


class Software(Section):
    """What the caller's software says of itself."""

    name: str = ""
    version: str = ""


class Given(Section):
    """What else is so when the call comes."""

    flow: tuple[Label, ...] = ()
    now: Annotated[str, AfterValidator(_instant)] | None = None
    client: Software = Software()
    endpoint: str | None = None

    @property
    def instant(self) -> float:
        """When it is, in seconds since the epoch."""
        return NOON if self.now is None else datetime.fromisoformat(self.now).timestamp()


class CaseEntry(Section):
    """One case, as it is written."""

    name: str = ""
    caller: Caller = Field(default=Caller(), alias="as")
    call: Target
    given: Given = Given()
    expect: Outcome
    rule: str | None = None
    asks: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _asks_when_asked(self) -> Self:
        if self.asks is not None and self.expect != "ask":
            raise ValueError("`asks` goes with `expect: ask`, and only with it")
        return self


class Definition(Section):
    """A tool, prompt, resource or template, as its server lists it."""

    name: str | None = None
    uri: str | None = None
    uriTemplate: str | None = None  # noqa: N815 - the protocol's name
    title: str | None = None
    description: str | None = None
    mimeType: str | None = None  # noqa: N815
    annotations: dict[str, Any] | None = None
    inputSchema: dict[str, Any] | None = None  # noqa: N815
    outputSchema: dict[str, Any] | None = None  # noqa: N815
    arguments: tuple[dict[str, Any], ...] | None = None
    execution: dict[str, Any] | None = None
    icons: tuple[dict[str, Any], ...] | None = None
    meta: dict[str, Any] | None = Field(default=None, alias="_meta")


class ServerEntry(Section):
    """What a server offers, for the cases of this file."""

    tools: tuple[Definition, ...] = ()
    prompts: tuple[Definition, ...] = ()
    resources: tuple[Definition, ...] = ()
    templates: tuple[Definition, ...] = ()
    tenant: Tenant = ""


class CaseFile(Section):
    """One file of cases."""

    servers: dict[str, ServerEntry] | None = None
    cases: tuple[CaseEntry, ...] = ()
