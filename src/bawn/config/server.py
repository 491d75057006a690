"""The settings of one server, and what may be its id."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from bawn.config.inspection import ArgumentKind
from bawn.config.integrity import Label, Publisher, Text
from bawn.config.kinds import HttpUrl
from bawn.config.policy import Tenant
from bawn.config.section import Count, Seconds, Section, setting

Isolation: TypeAlias = Literal["principal", "session", "project", "shared"]


class Auth(Section):
    """The credential that bawn presents to a server; a caller's own never travels on."""

    type: Literal["none", "bearer"] = setting("none", "`none`, or `bearer` with a `token`.")
    token: str | None = setting(
        None,
        "The bearer token, as a reference: `${env:NAME}`, `${file:PATH}` or `${keyring:NAME}`.",
    )

    @model_validator(mode="after")
    def _token_belongs_to_bearer(self) -> Self:
        if (self.type == "bearer") != (self.token is not None):
            raise ValueError("`token` goes with `type: bearer`, and only with it")
        return self


SERVER_ID = re.compile(r"[a-z0-9-]{1,32}")
RESERVED_IDS = frozenset({"bawn"})


class Server(Section):
    """One MCP server: a `command` to start, or a `url` to reach."""

    command: tuple[str, ...] | None = setting(
        None,
        "Program and arguments of a local server that speaks stdio. Never passed to a shell. `${data}` is the private directory of its isolation key.",
        min_length=1,
    )
    url: HttpUrl | None = setting(None, "Streamable HTTP endpoint of a remote server.")
    cwd: str | None = setting(
        None, "Working directory of a local server, relative to the configuration file."
    )
    env: dict[str, str] = setting(
        dict,
        "Environment of a local server beyond the scrubbed minimum; secrets as references only, `${data}` as in `command`.",
    )
    isolation: Isolation = setting(
        "principal",
        "Who shares a process or session: one per `principal`, `session` or `project`, or `shared` by all.",
    )
    prefix: str | None = setting(
        None,
        "Prefix of its names on the aggregate endpoint; default is the id and two underscores, empty for none.",
        max_length=64,
        pattern=r"^[A-Za-z0-9_.-]*$",
    )
    tenant: Tenant = setting(
        "", "The tenant that it belongs to: nobody else's callers can see or name it."
    )
    required: bool = setting(False, "The gate is not ready while this server fails.")
    owner: Text = setting("", "Who answers for it: a person or a team.")
    purpose: Text = setting("", "What it is for, in a sentence.")
    source: Text = setting("", "Where it comes from: the page or repository of its makers.")
    publisher: Publisher | None = setting(
        None, "Who makes its package, for provenance to be verified; absent: it is not."
    )
    labels: tuple[Label, ...] = setting((), "Words to sort and filter by.", max_length=32)
    status: Literal["active", "deprecated", "disabled"] = setting(
        "active", "`deprecated` serves and says so; `disabled` is neither started nor served."
    )
    launch: Literal["checked", "any"] = setting(
        "checked",
        "`checked`: the command follows the launch grammar of its runner (no shells, inline code, remote specs, privileged containers); `any`: as it is written, for one that you have read.",
    )
    arguments: dict[str, dict[str, ArgumentKind]] = setting(
        dict,
        "What arguments are, where that cannot be seen from their schema: tool (or pattern) to argument (dots reach into objects) to kind: `command`, `path`, `url`, `host`, `sql`, `template`, `code`, `identifier`, `secret` or `text`.",
    )
    roots: tuple[str, ...] = setting(
        (),
        "Directories that its path arguments must stay in, relative to the configuration file; none: paths are held against traversal and system files alone.",
        max_length=64,
    )
    hosts: tuple[str, ...] = setting(
        (),
        "Hosts that its URL and host arguments may name, as patterns; none: any that is not on this machine or a private network.",
        max_length=256,
    )
    private_network: bool = setting(
        False, "Whether its URL and host arguments may name private addresses and this machine."
    )
    statements: tuple[Literal["read", "write", "define", "grant"], ...] = setting(
        ("read", "write"), "Classes of SQL statements that its SQL arguments may have."
    )
    configures: tuple[str, ...] = setting(
        (),
        "Tools of it that may write agents' configuration, for callers with a role of `inspection.keepers`.",
        max_length=64,
    )
    auth: Auth = setting(Auth, "The credential for a remote server.")
    baggage: bool = setting(
        False, "Whether the W3C `baggage` of callers' traces travels on to this server."
    )
    http: Literal["native", "reference"] = setting(
        "native",
        "HTTP client: bawn's own, or httpx2 for proxies, private authorities and HTTP/2.",
        "preview",
    )
    ca: str | None = setting(
        None,
        "File with the certificate authorities to trust for this server; uses the reference client.",
        "preview",
    )
    proxy: HttpUrl | None = setting(
        None, "HTTP proxy to reach this server through; uses the reference client.", "preview"
    )
    idle_stop: Seconds = setting(
        900.0, "A local server's process ends after this long without a call.", "preview"
    )
    max_children: Count = setting(
        64, "Processes of this local server at most, over all isolation keys.", "preview"
    )
    confine: Literal["auto", "required", "off"] = setting(
        "auto",
        "A local server's file system by bubblewrap: `auto` where it works, `required` never without, `off` never.",
        "preview",
    )
    memory: Annotated[int, Field(ge=16 << 20)] | None = setting(
        None,
        "Memory of a local server in bytes: of all its processes in a cgroup, else of each one's data.",
        "preview",
    )
    cpu: Annotated[float, Field(ge=0.01, le=1024)] | None = setting(
        None, "Processor cores that a local server may use, where cgroups can be.", "preview"
    )

    @model_validator(mode="after")
    def _one_way_to_reach_it(self) -> Self:
        if (self.command is None) == (self.url is None):
            raise ValueError(
                "expected exactly one of `command` (a local server) and `url` (a remote one)"
            )
        local = [name for name in ("cwd", "env", "memory", "cpu") if getattr(self, name)]
        remote = [name for name in ("ca", "proxy") if getattr(self, name)]
        if self.auth.type != "none":
            remote.append("auth")
        if self.url is not None and local:
            raise ValueError(f"`{local[0]}` belongs to servers with a `command`")
        if self.command is not None and remote:
            raise ValueError(f"`{remote[0]}` belongs to servers with a `url`")
        return self

    @property
    def uses_reference_client(self) -> bool:
        """Whether only httpx2 can reach this server as configured."""
        return self.http == "reference" or self.ca is not None or self.proxy is not None
