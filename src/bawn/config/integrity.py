"""The settings of integrity: what is approved, signed, known to be vulnerable, and looked for."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bawn.config.section import Seconds, Section, setting

_NAMESPACE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


def _line(value: str) -> str:
    if not value.isprintable():
        raise ValueError("expected one line of printable text")
    return value


def _namespace(value: str) -> str:
    if not _NAMESPACE.fullmatch(value):
        raise ValueError("expected a domain of yours, reversed, such as com.example")
    return value


def _range(value: str) -> str:
    try:
        network = ipaddress.ip_network(value)
    except ValueError:
        raise ValueError("expected a network, such as 10.1.2.0/24") from None
    if network.num_addresses > 65_536:
        raise ValueError("expected at most 65,536 addresses in one range")
    return value


Text = Annotated[str, AfterValidator(_line), Field(max_length=512)]
Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$")]


class DriftConfig(Section):
    """What becomes of definitions that are not as they were approved."""

    max_age: Annotated[float, Field(ge=0, le=86_400)] = setting(
        60.0,
        "Seconds within which a silent change is found: servers are listed at least so often; 0 lists before every call.",
    )
    first_use: Annotated[float, Field(ge=0, le=86_400)] = setting(
        60.0,
        "Seconds after a server was first seen in which what it adds counts as first seen, too; for `approval: pin`.",
    )
    auto: tuple[Literal["cosmetic", "narrowed", "added"], ...] = setting(
        (),
        "Changes that are approved without anybody: `cosmetic` (nothing of meaning), `narrowed` (provably accepts less and says nothing new), `added` (new items without a cue).",
    )
    approvals: Annotated[int, Field(ge=1, le=8)] = setting(
        1, "How many people have to approve a change; each counts once."
    )
    roles: tuple[str, ...] = setting(
        ("admin", "operator"), "Roles that may approve changes and lift quarantines.", min_length=1
    )


class RegistryConfig(Section):
    """The registry of servers, as others read it."""

    namespace: Annotated[str, AfterValidator(_namespace)] = setting(
        "local.bawn",
        "What server names begin with in the registry API: a domain of yours, reversed.",
    )
    open: bool = setting(
        False,
        "Serve the registry API to anybody who reaches the listener; else a token is needed, and shows what its bearer may use.",
    )


class Publisher(Section):
    """Who makes a server's package: whose signature its provenance has to have."""

    identity: Text = setting(
        ...,
        "The exact identity in the certificate: an e-mail address, or the URI of a workflow such as `https://github.com/org/repo/.github/workflows/release.yml@refs/tags/v1.2.3`.",
        min_length=1,
    )
    issuer: Text = setting(
        ...,
        "The exact OpenID issuer that vouches for it, such as `https://token.actions.githubusercontent.com`.",
        min_length=1,
    )


class SigningConfig(Section):
    """Whose signatures are trusted."""

    root: str | None = setting(
        None,
        "File with the trust root (`bawn sign init` makes one), relative to the configuration file: keys, roles, thresholds.",
    )
    sigstore: str | None = setting(
        None,
        "File with the trusted root of Sigstore (`trusted_root.json`) that provenance is verified against, relative to the configuration file; with the extra `keyless`.",
    )
    required: bool = setting(
        False, "Serve only what bawn.lock has with valid signatures; needs `root`."
    )


class VulnerabilitiesConfig(Section):
    """Known vulnerabilities of what local servers run, by the OSV schema."""

    database: str | None = setting(
        None,
        "`https://api.osv.dev`, the URL of a mirror of its API, or the path of a dump (a directory or .zip of OSV records). Absent: nothing is asked, and servers are unmeasured.",
    )
    every: Seconds = setting(86_400.0, "Seconds between two looks.")


class DiscoveryConfig(Section):
    """Servers that are not behind the gate."""

    networks: tuple[Annotated[str, AfterValidator(_range)], ...] = setting(
        (),
        "Networks whose hosts `bawn discover --network` may probe besides this machine.",
        max_length=64,
    )
    ports: tuple[Annotated[int, Field(ge=1, le=65_535)], ...] = setting(
        (3000, 3001, 3333, 5000, 6274, 6277, 8000, 8080, 8081, 8765, 8811, 8931, 9000),
        "Ports that are probed on other hosts.",
        max_length=256,
    )
