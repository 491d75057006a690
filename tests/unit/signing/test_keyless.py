"""Sigstore bundles: our policy around the library, which is an extra and stands here as a fake."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from bawn.errors import Misconfigured
from bawn.signing import keyless
from bawn.signing.keyless import Policy, verify_bundle
from tests.signers import refused

SHA256, SHA512 = bytes(32), bytes(64)
STATEMENT = {
    "subject": [{"name": "pkg:npm/x@1", "digest": {"sha512": SHA512.hex()}}],
    "predicateType": "https://slsa.dev/provenance/v1",
    "predicate": {"buildDefinition": {}},
}
DSSE = b'{"dsseEnvelope": {}}'
PLAIN = b'{"messageSignature": {}}'


class Library:
    """What is asked of the library, and what it answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.payload: tuple[str, bytes] = (
            "application/vnd.in-toto+json",
            json.dumps(STATEMENT).encode(),
        )
        self.refusal: Exception | None = None
        self.broken_root = False

    def verifier(self, trusted_root: str) -> SimpleNamespace:
        self.asked.append(("root", trusted_root))
        return SimpleNamespace(verify_dsse=self.verify_dsse, verify_artifact=self.verify_artifact)

    def verify_dsse(self, _: object, policy: object) -> tuple[str, bytes]:
        self.asked.append(("dsse", policy))
        if self.refusal:
            raise self.refusal
        return self.payload

    def verify_artifact(self, hashed: object, _: object, policy: object) -> None:
        self.asked.append(("artifact", (hashed, policy)))
        if self.refusal:
            raise self.refusal

    def root(self, path: str) -> str:
        if self.broken_root:
            raise ValueError(path)
        return path


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    found = Library()
    modules: dict[str, dict[str, Any]] = {
        "sigstore": {},
        "sigstore.models": {
            "Bundle": SimpleNamespace(from_json=lambda raw: raw),
            "TrustedRoot": SimpleNamespace(from_file=found.root),
        },
        "sigstore.verify": {},
        "sigstore.verify.verifier": {"Verifier": found.verifier},
        "sigstore.verify.policy": {"Identity": lambda **parts: parts},
        "sigstore.hashes": {"Hashed": lambda **parts: parts},
        "sigstore_models": {},
        "sigstore_models.common": {},
        "sigstore_models.common.v1": {"HashAlgorithm": SimpleNamespace(SHA2_256="sha256")},
    }
    for name, members in modules.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    return found


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    return Policy(
        "https://example.com/release.yml", "https://issuer.example.com", tmp_path / "root"
    )


def test_without_the_extra_the_next_step_is_told(
    policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sigstore", None)
    monkeypatch.setitem(sys.modules, "sigstore.models", None)
    with pytest.raises(Misconfigured, match=r"pip install 'bawn\[keyless\]'"):
        verify_bundle(DSSE, None, policy)


def test_a_statement_about_the_artifact_is_told(library: Library, policy: Policy) -> None:
    found = verify_bundle(DSSE, SHA512, policy)
    assert (found.identity, found.issuer) == (policy.identity, policy.issuer)
    assert found.predicate_type == "https://slsa.dev/provenance/v1"
    assert found.predicate == {"buildDefinition": {}}
    assert library.asked == [
        ("root", str(policy.trusted_root)),
        ("dsse", {"identity": policy.identity, "issuer": policy.issuer}),
    ]


def test_a_statement_about_something_else_is_refused(library: Library, policy: Policy) -> None:
    refused("subject", lambda: verify_bundle(DSSE, bytes(63) + b"x", policy))
    refused("subject", lambda: verify_bundle(DSSE, SHA256, policy))
    assert library.asked


def test_a_statement_of_another_form_is_refused(library: Library, policy: Policy) -> None:
    library.payload = ("text/plain", library.payload[1])
    refused("type", lambda: verify_bundle(DSSE, None, policy))
    for payload in (b"", b"[]", b"{}", b'{"subject":[],"subject":[]}'):
        library.payload = ("application/vnd.in-toto+json", payload)
        refused("malformed", lambda: verify_bundle(DSSE, None, policy))


def test_whatever_the_library_raises_is_a_refusal(library: Library, policy: Policy) -> None:
    for library.refusal in (ValueError("no"), KeyError("x"), RecursionError()):
        refused("tampered", lambda: verify_bundle(DSSE, SHA512, policy))
        refused("tampered", lambda: verify_bundle(PLAIN, SHA256, policy))


def test_a_plain_signature_is_over_the_digest_that_is_given(
    library: Library, policy: Policy
) -> None:
    assert verify_bundle(PLAIN, SHA256, policy).predicate is None
    assert library.asked[-1][1][0] == {"algorithm": "sha256", "digest": SHA256}
    refused("type", lambda: verify_bundle(PLAIN, None, policy))
    refused("type", lambda: verify_bundle(PLAIN, SHA512, policy))


def test_a_trusted_root_that_cannot_be_used_is_said_to_be_so(
    library: Library, policy: Policy
) -> None:
    library.broken_root = True
    with pytest.raises(Misconfigured, match="not a Sigstore trusted root"):
        verify_bundle(DSSE, None, policy)


@pytest.mark.parametrize("bundle", [b"", b"{", b'{"a":1,"a":2}', b"\xff"])
def test_what_is_no_bundle_never_reaches_the_library(
    library: Library, policy: Policy, bundle: bytes
) -> None:
    refused("malformed", lambda: verify_bundle(bundle, None, policy))
    refused("malformed", lambda: verify_bundle(b" " * (keyless.LARGEST + 1), None, policy))
    assert library.asked == []


def test_a_log_entry_that_the_library_does_not_verify_is_told_from_a_forgery(
    library: Library, policy: Policy
) -> None:
    entry = {"kindVersion": {"kind": "intoto", "version": "0.0.2"}}
    bundle = {"verificationMaterial": {"tlogEntries": [entry]}, "dsseEnvelope": {}}
    refused("type", lambda: verify_bundle(json.dumps(bundle).encode(), SHA512, policy))
    assert library.asked == []


def test_a_policy_for_anybody_or_any_issuer_is_none(tmp_path: Path) -> None:
    for identity, issuer in (("", "i"), ("a", "")):
        with pytest.raises(Misconfigured, match="an identity and its issuer"):
            Policy(identity, issuer, tmp_path)


def test_a_digest_of_another_length_is_a_mistake(policy: Policy) -> None:
    with pytest.raises(ValueError, match="SHA-256 or SHA-512"):
        verify_bundle(DSSE, b"short", policy)
