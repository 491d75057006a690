"""Every kind of finding that a scan tells, with the level that it has at most and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bawn.assurance.across.analysis import KINDS as ACROSS
from bawn.findings.finding import Level
from bawn.launching.problem import KINDS as LAUNCH
from bawn.launching.problem import problem

_OWN: Final[Mapping[str, tuple[Level, str]]] = {
    "scan/unreadable": ("note", "A file of a client cannot be used, so what it holds was not looked at."),
    "scan/unlisted": ("note", "Nobody has listed what the server offers, so that was not looked at."),
    "secret/inline": ("error", "A secret stands literally in a file."),
    "definition/unusable": ("error", "A definition has no canonical form: it can never be approved."),
    "definition/unnamed": ("error", "A definition has no name."),
    "definition/duplicate": ("error", "Two definitions have one name; no client can tell them apart."),
    "definition/name": ("note", "A name has characters that clients do not take."),
    "definition/schema": ("warning", "The schema of a tool is missing, or is none."),
    "definition/remote-ref": ("warning", "A schema refers to what is elsewhere, and may change there."),
    "definition/large": ("warning", "A definition is longer than anybody reads."),
    "definition/hidden": ("error", "A definition has characters that no reader sees."),
    "definition/lure": ("warning", "A definition tells the model what to do about an address or a credential."),
    "definition/instruction": ("note", "A definition tells the model what to do."),
    "definition/concealment": ("note", "A definition hides something, or has it hidden from the user."),
    "definition/hijack": ("error", "A definition tells the model what to do, and to keep it from the user."),
    "definition/url": ("note", "A definition names an address."),
    "definition/secret": ("note", "A definition speaks of credentials."),
    "definition/detected": ("error", "A detector found something in a definition."),
    "definition/more": ("note", "There are more findings on definitions than are told."),
    "permission/tools": ("note", "What the tools of a server say that they may do."),
    "permission/credentials": ("note", "The server is given credentials."),
    "permission/unconfined": ("warning", "A local server is set to run without confinement."),
    "permission/any-launch": ("note", "The launch grammar is set aside for a server."),
    "permission/cleartext": ("warning", "A remote server is reached without TLS."),
    "vulnerability/critical": ("error", "A critical vulnerability is known of what the server runs."),
    "vulnerability/high": ("error", "A vulnerability of high severity is known of what the server runs."),
    "vulnerability/unknown": ("error", "A vulnerability of unknown severity is known of what the server runs."),
    "vulnerability/medium": ("warning", "A vulnerability of medium severity is known of what the server runs."),
    "vulnerability/low": ("warning", "A vulnerability of low severity is known of what the server runs."),
    "vulnerability/unmeasured": ("warning", "Not all that the server runs could be looked up."),
}  # fmt: skip

KINDS: Final[Mapping[str, tuple[Level, str]]] = {
    **{kind: (problem(kind.partition("/")[2], 0).level, problem(kind.partition("/")[2], 0).message) for kind in LAUNCH},
    **_OWN,
    **ACROSS,
}  # fmt: skip
"""By kind. `vulnerability/unmeasured` is a note where no database was named to look it up in."""
