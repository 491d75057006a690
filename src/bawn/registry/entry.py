"""Everything that is known of one server: what its owner says, what it runs, what of it is approved."""

from __future__ import annotations

from hashlib import sha256

import msgspec
import rfc8785

from bawn.config.server import Server
from bawn.launching.command import Launching
from bawn.launching.package import Package, Resolution
from bawn.model import Json


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One server of the registry. Secrets are not in it: of variables there are the names alone.

    `package` is what the command names, exact where it is `resolved`; `resolved` is the digest of what
    is installed. `root` is the Merkle root of the approved definitions, in hex; empty for none.
    """

    id: str
    name: str  # in the registry: `com.example/files`
    owner: str = ""
    purpose: str = ""
    tenant: str = ""
    source: str = ""
    labels: tuple[str, ...] = ()
    status: str = "active"
    command: tuple[str, ...] = ()
    url: str = ""
    env: tuple[str, ...] = ()
    token: str = ""  # the reference of the credential that is presented to it
    runner: str = ""
    arguments: tuple[str, ...] = ()
    package: Package | None = None
    resolved: str = ""
    protocol: str = ""  # the version of MCP that it speaks
    root: str = ""

    @property
    def version(self) -> str:
        """The version of what runs; `0.0.0` where none is known, such as of remote servers."""
        package = self.package
        if package is None:
            return _UNKNOWN
        if package.ecosystem == "oci":
            return package.version or f"0.0.0-{package.digest[7:19]}"
        return package.version if package.exact else _UNKNOWN


_UNKNOWN = "0.0.0"


def entry_of(
    id_: str,
    server: Server,
    namespace: str,
    *,
    launching: Launching | None = None,
    resolution: Resolution | None = None,
    root: str = "",
    protocol: str = "",
) -> Entry:
    """The entry of a server of the configuration; `launching` is what its command would do."""
    package = launching.package if launching is not None else None
    return Entry(
        id=id_,
        name=f"{namespace}/{id_}",
        owner=server.owner,
        purpose=server.purpose,
        tenant=server.tenant,
        source=server.source,
        labels=server.labels,
        status=server.status,
        command=server.command or (),
        url=server.url or "",
        env=tuple(sorted(server.env)),
        token=server.auth.token or "",
        runner=launching.runner if launching is not None else "",
        arguments=launching.arguments if launching is not None else (),
        package=resolution.package if resolution is not None else package,
        resolved=resolution.digest if resolution is not None else "",
        protocol=protocol,
        root=root,
    )


def canonical(entry: Entry) -> bytes:
    """The entry in RFC 8785 canonical form: what signatures are over. What is empty is left out.

    The protocol version is not in it, for the server chooses that anew at each start.
    """
    tree: Json = msgspec.to_builtins(entry)
    del tree["protocol"]
    return rfc8785.dumps({key: value for key, value in tree.items() if value})


def entry_digest(entry: Entry) -> str:
    """The SHA-256 of the canonical form, in hex."""
    return sha256(canonical(entry)).hexdigest()
