"""The settings: their names, types, defaults, stability tiers and the sentence that documents each.

`docs/configuration.md` and the JSON Schema for editors are generated from this file and what it is made of.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bawn.config.inspection import InspectionConfig
from bawn.config.integrity import (
    DiscoveryConfig,
    DriftConfig,
    RegistryConfig,
    SigningConfig,
    VulnerabilitiesConfig,
)
from bawn.config.kinds import Address, HttpUrl, Network, is_loopback
from bawn.config.limits import Limits
from bawn.config.policy import ApprovalsConfig, FlowConfig, Quota, RoleRule, Scope, Tenant
from bawn.config.section import Seconds, Section, setting
from bawn.config.server import RESERVED_IDS, SERVER_ID, Server

Plugin = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}==[A-Za-z0-9][A-Za-z0-9.!+_-]{0,63}$")
]


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
    approval: Literal["pin", "review"] = setting(
        "pin",
        "`pin`: what a server offers when it is first seen is approved, what changes later waits; `review`: everything waits for somebody's approval.",
    )
    drift: DriftConfig = setting(DriftConfig, "What becomes of changed definitions.")
    registry: RegistryConfig = setting(RegistryConfig, "The registry of servers.", "preview")
    signing: SigningConfig = setting(
        SigningConfig, "Whose signatures what is served must have.", "preview"
    )
    vulnerabilities: VulnerabilitiesConfig = setting(
        VulnerabilitiesConfig, "Where known vulnerabilities are looked up.", "preview"
    )
    discovery: DiscoveryConfig = setting(
        DiscoveryConfig, "Where servers outside the gate are looked for.", "preview"
    )
    inspection: InspectionConfig = setting(
        InspectionConfig, "What is looked at both ways, and what is done about what is found."
    )
    plugins: tuple[Plugin, ...] = setting(
        (),
        "Packages whose detectors are loaded, as `name==version`; nothing loads unnamed.",
        max_length=32,
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

    @model_validator(mode="after")
    def _review_means_all_of_it(self) -> Self:
        if self.approval == "review" and "added" in self.drift.auto:
            raise ValueError(
                "`drift.auto` has `added`, and `approval: review` means that nothing is served which "
                "nobody has seen: expected one of them alone"
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
