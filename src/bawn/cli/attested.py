"""What a package's registry attests of it, verified against the publisher that is configured."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bawn.errors import Misconfigured

if TYPE_CHECKING:
    from bawn.config.load import Loaded
    from bawn.findings.evidence import Evidence
    from bawn.launching.package import Resolution
    from bawn.packages.provenance import Verifier


def look(found: Loaded, name: str, resolution: Resolution) -> tuple[Evidence, Evidence]:
    """Provenance and publisher of what was resolved for a server."""
    from bawn.packages import attesting

    return attesting.look(resolution, _verifier(found, name), time.time())


def keep(found: Loaded, name: str, evidence: tuple[Evidence, ...]) -> None:
    """Put it on record, for the server's trust status.

    Raises:
        Refused: integrity.store.
    """
    from bawn.findings.evidence import Evidence as Kind
    from bawn.findings.evidence import renewed
    from bawn.storage.directory import StateDirectory
    from bawn.storage.files import ServerFiles

    files = ServerFiles(StateDirectory(found.state).evidence, tuple[Kind, ...])
    files.update(name, lambda known: renewed(known, *evidence))


def _verifier(found: Loaded, name: str) -> Verifier | None:
    """How bundles are verified; None where nobody has said whose they should be."""
    publisher, root = found.config.servers[name].publisher, found.config.signing.sigstore
    if publisher is None:
        return None
    if root is None:
        raise Misconfigured(
            f"servers.{name}.publisher: goes with `signing.sigstore`, the file of the trusted root; "
            "expected both: `trusted_root.json` comes with a release of Sigstore"
        )
    from bawn.packages.provenance import Attested, UnknownFormError
    from bawn.signing import keyless
    from bawn.signing.unverified import Unverified

    policy = keyless.Policy(publisher.identity, publisher.issuer, found.base / root)

    def verified(bundle: bytes, digest: bytes) -> Attested:
        try:
            return keyless.verify_bundle(bundle, digest, policy)
        except Unverified as problem:
            if problem.why == "type":
                raise UnknownFormError(str(problem)) from None
            raise

    return verified
