"""What is known of the signatures of a server, for its trust status."""

from __future__ import annotations

from bawn.findings.evidence import Evidence
from bawn.signing import times
from bawn.signing.root import Root, names
from bawn.signing.statement import Statement
from bawn.signing.trusted import Trusted
from bawn.signing.unverified import Unverified


def evidence(
    found: Trusted[Statement] | Unverified | None,
    at: float,
    of: str = "",
    root: Trusted[Root] | None = None,
) -> Evidence:
    """Evidence from the outcome of a verification at this time; None when none could take place.

    `of` is what was signed, such as a Merkle root; with `root`, the signers are named.
    """
    match found:
        case Trusted():
            who = ", ".join(names(root, found.signers)) if root else f"{len(found.signers)} keys"
            until = times.written(found.value.expires)
            return Evidence("signature", "verified", f"signed by {who}, until {until}", at, of)
        case Unverified() if found.why == "missing":
            return Evidence("signature", "unmeasured", "nobody has signed it", at, of)
        case Unverified():
            return Evidence("signature", "failed", found.detail, at, of)
        case None:
            return Evidence("signature", "unmeasured", "there is no trust root", at, of)
