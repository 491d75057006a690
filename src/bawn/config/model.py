"""The settings: their names, types, defaults, stability tiers and the sentence that documents each.

`docs/configuration.md` and the JSON Schema for editors are generated from this file and what it is made of.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from bawn.config.limits import Limits
from bawn.config.policy import ApprovalsConfig, FlowConfig, Quota, RoleRule, Scope, Tenant
from bawn.config.section import Count, Seconds, Section, setting

Isolation: TypeAlias = Literal["principal", "session", "project", "shared"]


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its very name: `localhost` or a loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or not 0 <= int(port) <= 65535:
        raise ValueError("expected HOST:PORT, such as 127.0.0.1:8811 or [::1]:8811")
    return value


def _network(value: str) -> str:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        raise ValueError("expected an address or a network, such as 10.0.0.0/8") from None
    return value


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("expected an http:// or https:// URL with a host")
    if parts.username or parts.password:
        raise ValueError("a URL must not carry credentials: set `auth` instead")
    if parts.fragment:
        raise ValueError("a URL must not carry a fragment")
    return value


Address = Annotated[str, AfterValidator(_address)]
Network = Annotated[str, AfterValidator(_network)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]


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


class Issuer(Section):
    """An authorization server whose tokens are accepted."""

    issuer: HttpUrl = setting(
        ..., "Exact `iss` of its tokens; its metadata is found below it (RFC 8414, OpenID Connect)."
    )
    audience: str | None = setting(
        None,
        "Accepted `aud` besides the endpoints of `public_url`, for issuers without RFC 8707. Serves every endpoint.",
    )
    jwks_uri: HttpUrl | None = setting(None, "Where its keys are, if its metadata does not tell.")
    algorithms: tuple[str, ...] = setting(
        ("RS256", "PS256", "ES256", "ES384", "EdDSA"),
        "Signature algorithms accepted; symmetric ones and `none` never are.",
    )
    roles_claim: str = setting(
        "roles", "Claim that holds the caller's roles or groups; dots reach into objects."
    )
    roles: dict[str, str] = setting(
        dict, "Claim value to role; values not listed are taken as role names themselves."
    )
    tenant_claim: str | None = setting(
        None,
        "Claim that names the caller's tenant; without it, callers belong to none. Dots reach into objects.",
    )

    @model_validator(mode="after")
    def _asymmetric_only(self) -> Self:
        allowed = {
            "RS256",
            "RS384",
            "RS512",
            "PS256",
            "PS384",
            "PS512",
            "ES256",
            "ES384",
            "ES512",
            "EdDSA",
            "Ed25519",
        }
        bad = [a for a in self.algorithms if a not in allowed]
        if bad:
            raise ValueError(
                f"algorithm {bad[0]} is not accepted; expected some of {', '.join(sorted(allowed))}"
            )
        return self


class IdentityConfig(Section):
    """Who may be a caller."""

    mode: Literal["embedded", "oidc", "none"] = setting(
        "embedded",
        "`embedded`: tokens of `bawn token`; `oidc`: tokens of `issuers`; `none`: nobody is asked, on loopback only and with --insecure-no-auth.",
    )
    issuers: tuple[Issuer, ...] = setting(
        (), "External authorization servers, for mode `oidc`.", max_length=1
    )
    local_roles: tuple[str, ...] = setting(
        ("developer", "operator"), "Roles of the gate's own user over the Unix socket."
    )
    local_tenant: Tenant = setting(
        "", "Tenant of the gate's own user over the Unix socket, and of everybody in mode `none`."
    )
    leeway: Annotated[float, Field(ge=0, le=300)] = setting(
        30.0, "Clock difference tolerated in token times, in seconds."
    )

    @model_validator(mode="after")
    def _issuers_go_with_oidc(self) -> Self:
        if (self.mode == "oidc") != bool(self.issuers):
            raise ValueError("`issuers` goes with `mode: oidc`, and only with it")
        return self


class LogConfig(Section):
    """What the log says and how."""

    format: Literal["auto", "console", "json"] = setting(
        "auto", "`auto`: for people on a terminal, JSON elsewhere."
    )
    level: Literal["debug", "info", "warning", "error"] = setting(
        "info", "`debug` adds a line for each call."
    )


class AuditConfig(Section):
    """How durable an audit record is before its call leaves."""

    durability: Literal["normal", "strict"] = setting(
        "normal", "`normal` survives a killed process, `strict` a power loss."
    )


class Refresh(Section):
    """How often servers are looked at when nothing announces a change."""

    lists: Seconds = setting(60.0, "Seconds between listings of a server.")
    probe: Seconds = setting(15.0, "Seconds between health probes of a server.")


class Management(Section):
    """The listener for probes and scrapers."""

    listen: Address | None = setting(
        "127.0.0.1:8812", "Where /healthz, /readyz and /metrics are served; null for nowhere."
    )
    open: bool = setting(False, "Show details and metrics to anybody who reaches this listener.")


class Config(Section):
    """bawn.yaml: every key has a default."""

    listen: Address = setting("127.0.0.1:8811", "Where clients connect.")
    public_url: HttpUrl | None = setting(
        None,
        "The gate's URL as clients see it; default is http:// and `listen`. Tokens are bound to it.",
    )
    state: str = setting(
        "./.bawn", "Directory of keys, audit and sockets, relative to the configuration file."
    )
    hosts: tuple[str, ...] = setting(
        (), "Host names accepted besides those of `listen` and `public_url`."
    )
    origins: tuple[str, ...] = setting(
        (),
        "Origins of web pages accepted besides the gate's own; CORS answers are sent for these alone.",
    )
    trusted_proxies: tuple[Network, ...] = setting(
        (),
        "Addresses or networks of reverse proxies whose X-Forwarded-For names the caller; nobody else's counts.",
    )
    management: Management = setting(Management, "The listener for probes and scrapers.")
    workers: Annotated[int, Field(ge=1, le=64)] = setting(
        1, "Processes that serve callers, all on the same address; one for each core is the most."
    )
    servers: dict[str, Server] = setting(
        dict, "The servers behind the gate, by id: 1 to 32 of a-z, 0-9 and hyphen."
    )
    identity: IdentityConfig = setting(IdentityConfig, "Who may call.")
    roles: dict[str, RoleRule] = setting(dict, "Roles beyond the built-in ones, or in their place.")
    policy: str | None = setting(
        None,
        "Directory of policies, relative to the configuration file: `*.cedar`, `entities.json`, `labels.yaml`, `tests/*.yaml`. Absent: roles alone decide.",
    )
    enforcement: Literal["enforce", "observe"] = setting(
        "enforce",
        "`observe` decides and records what policy would refuse or ask for, and lets it pass.",
    )
    scopes: dict[Scope, RoleRule] = setting(
        dict,
        "OAuth scope to what it covers. Where any is set, a token needs one that covers the call, besides what policy says.",
    )
    approvals: ApprovalsConfig = setting(ApprovalsConfig, "Calls that need somebody's consent.")
    flow: FlowConfig = setting(FlowConfig, "What conversations remember.")
    quotas: tuple[Quota, ...] = setting(
        (), "How often and how much; each of them holds.", max_length=64
    )
    limits: Limits = setting(Limits, "Every bound of the gate.")
    refresh: Refresh = setting(Refresh, "How often servers are looked at.", "preview")
    audit: AuditConfig = setting(AuditConfig, "The audit.")
    log: LogConfig = setting(LogConfig, "The log.")

    @model_validator(mode="after")
    def _servers_are_well_named(self) -> Self:
        for name in self.servers:
            if not SERVER_ID.fullmatch(name) or name in RESERVED_IDS:
                raise ValueError(
                    f"server id {name!r}: expected 1 to 32 of a-z, 0-9 and hyphen, and not `bawn`"
                )
        if len(self.servers) > self.limits.servers:
            raise ValueError(
                f"{len(self.servers)} servers, but `limits.servers` is {self.limits.servers}"
            )
        return self

    @property
    def base_url(self) -> str:
        """The gate's URL as clients see it, without a trailing slash."""
        return (self.public_url or f"http://{self.listen}").rstrip("/")

    @property
    def tenants(self) -> dict[str, str]:
        """The tenant of each server, by id."""
        return {name: server.tenant for name, server in self.servers.items()}

    @property
    def loopback_only(self) -> bool:
        """Whether only this machine can reach the listener."""
        return is_loopback(self.listen.rpartition(":")[0].strip("[]"))

    def prefix_of(self, server: str) -> str:
        """What a server's names begin with on the aggregate endpoint."""
        prefix = self.servers[server].prefix
        return f"{server}__" if prefix is None else prefix
