"""Sigstore bundles: signed by an identity of an issuer, verified offline against a pinned trusted root.

https://docs.sigstore.dev/about/bundle/. An extra: `pip install 'bawn[keyless]'`; it takes seconds to
import, so only who verifies a bundle imports it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import msgspec

from bawn.errors import Misconfigured
from bawn.signing import canonical
from bawn.signing.envelope import STATEMENT
from bawn.signing.unverified import Unverified

LARGEST: Final = 4 << 20
"""Bytes of one bundle."""

_ALGORITHMS: Final = {32: "sha256", 64: "sha512"}


@dataclass(frozen=True, slots=True)
class Policy:
    """Whose signature is wanted: an exact identity (e-mail address or URI) of an exact OpenID issuer.

    `trusted_root` is the file of Sigstore's keys and logs (`trusted_root.json`), which you pin.
    """

    identity: str
    issuer: str
    trusted_root: Path

    def __post_init__(self) -> None:
        # an empty issuer would mean any issuer, so anybody who can name the identity
        if not self.identity or not self.issuer:
            raise Misconfigured("a keyless policy: expected an identity and its issuer")


@dataclass(frozen=True, slots=True)
class Attested:
    """What a bundle that was verified says. A plain signature has neither predicate type nor predicate."""

    identity: str
    issuer: str
    predicate_type: str = ""
    predicate: Mapping[str, Any] | None = None


class _KindVersion(msgspec.Struct, frozen=True):
    kind: str = ""


class _LogEntry(msgspec.Struct, frozen=True, rename="camel"):
    kind_version: _KindVersion = _KindVersion()


class _Material(msgspec.Struct, frozen=True, rename="camel"):
    tlog_entries: tuple[_LogEntry, ...] = ()


class _Bundle(msgspec.Struct, rename="camel"):
    verification_material: _Material = _Material()
    dsse_envelope: dict[str, Any] | None = None


class _Subject(msgspec.Struct):
    digest: dict[str, str]


class _Statement(msgspec.Struct, rename="camel"):
    subject: list[_Subject]
    predicate_type: str
    predicate: dict[str, Any] | None = None


def verify_bundle(bundle: bytes, artifact_digest: bytes | None, policy: Policy) -> Attested:
    """What a Sigstore bundle says about an artifact, given by its SHA-256 or SHA-512 (32 or 64 bytes).

    A bundle of an in-toto statement has to name the artifact as a subject; one of a plain signature
    has to be over its SHA-256. None asks for a statement about whatever it names.

    Raises:
        Unverified: it is not signed by that identity, or not about that artifact; type: it is of a form
            that cannot be verified here, as are the bundles of npm that are logged as `intoto`.
        Misconfigured: the extra is not installed, or the trusted root cannot be used.
    """
    if len(bundle) > LARGEST:
        raise Unverified("malformed", f"the bundle is larger than {LARGEST} bytes")
    if artifact_digest is not None and len(artifact_digest) not in _ALGORITHMS:
        raise ValueError("expected a SHA-256 or SHA-512")
    form = _form(bundle)
    models, verification, rules = (
        _sigstore(f"sigstore.{name}") for name in ("models", "verify.verifier", "verify.policy")
    )
    verifier = _verifier(models, verification, policy.trusted_root)
    wanted = rules.Identity(identity=policy.identity, issuer=policy.issuer)
    try:
        parsed = models.Bundle.from_json(bundle)
        if form.dsse_envelope is not None:
            payload_type, payload = verifier.verify_dsse(parsed, wanted)
            return _statement(payload_type, payload, artifact_digest, policy)
        if artifact_digest is None or len(artifact_digest) != hashlib.sha256().digest_size:
            raise Unverified("type", "a plain signature is over a SHA-256, and none is given")
        hashes = _sigstore("sigstore.hashes")
        algorithm = import_module("sigstore_models.common.v1").HashAlgorithm.SHA2_256
        hashed = hashes.Hashed(algorithm=algorithm, digest=artifact_digest)
        verifier.verify_artifact(hashed, parsed, wanted)
    except Unverified:
        raise
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in there, it is not verified
        raise Unverified(
            "tampered", f"the bundle: {type(error).__name__}: {_line(error)}"
        ) from None
    return Attested(policy.identity, policy.issuer)


def _form(bundle: bytes) -> _Bundle:
    # strictly first: a duplicate key would mean different things to different readers
    tree = canonical.read(bundle, "the bundle")
    try:
        form = msgspec.convert(tree, _Bundle)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Unverified("malformed", f"the bundle: {error}") from None
    if any(each.kind_version.kind == "intoto" for each in form.verification_material.tlog_entries):
        raise Unverified("type", "logged as `intoto`, which the Sigstore library does not verify")
    return form


def _statement(
    payload_type: str, payload: bytes, artifact: bytes | None, policy: Policy
) -> Attested:
    if payload_type != STATEMENT:
        raise Unverified("type", f"expected {STATEMENT}, got {payload_type[:64]!r}")
    canonical.read(payload, "the statement in the bundle")
    try:
        found = msgspec.json.decode(payload, type=_Statement)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Unverified("malformed", f"the statement in the bundle: {error}") from None
    if artifact is not None:
        algorithm, wanted = _ALGORITHMS[len(artifact)], artifact.hex()
        if not any(each.digest.get(algorithm) == wanted for each in found.subject):
            raise Unverified("subject", "the statement in the bundle is about something else")
    return Attested(policy.identity, policy.issuer, found.predicate_type, found.predicate)


def _verifier(models: ModuleType, verification: ModuleType, trusted_root: Path) -> Any:
    try:
        return verification.Verifier(trusted_root=models.TrustedRoot.from_file(str(trusted_root)))
    except Exception as error:  # noqa: BLE001 - the library has many errors of its own
        raise Misconfigured(
            f"{trusted_root}: not a Sigstore trusted root that can be used ({type(error).__name__}); "
            "expected the trusted_root.json that you have pinned"
        ) from None


def _sigstore(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError:
        raise Misconfigured(
            "Sigstore bundles need the extra `keyless`: install it with `pip install 'bawn[keyless]'`"
        ) from None


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200]
