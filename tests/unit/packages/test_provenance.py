"""Verified, failed or unmeasured: and absent is never clean."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from bawn.errors import BawnError, Misconfigured
from bawn.launching.package import Artifact, Package, Resolution
from bawn.packages import naming, oci, provenance
from tests.unit.packages.fakes import sri

NPM = Resolution(
    Package("npm", "@a/x", "1.0.0"),
    Package("npm", "@a/x", "1.0.0"),
    (Artifact("@a/x", "1.0.0", sri(1), "node_modules/@a/x"),
     Artifact("@a/x", "2.0.0", sri(2), "node_modules/y/node_modules/@a/x")),
    "d1",
)  # fmt: skip
PYPI = Resolution(
    Package("pypi", "my-x", "1.0"), Package("pypi", "my-x", "1.0"),
    (Artifact("my-x", "1.0", sri(1, "sha256")),), "d2",
)  # fmt: skip


@dataclass(frozen=True)
class Signer:
    identity: str = "https://h.example/org/repo/.workflows/release"
    issuer: str = "https://tokens.example"


def accepting(*digests: bytes) -> provenance.Verifier:
    def verify(bundle: bytes, digest: bytes) -> Signer:
        if digest not in digests or b"good" not in bundle:
            raise BawnError("not signed by it")
        return Signer()

    return verify


class Pages:
    """Answers of a server, by URL."""

    def __init__(self, **pages: Any) -> None:
        self.pages = {path: json.dumps(page).encode() for path, page in pages.items()}
        self.asked: list[str] = []

    def __call__(self, url: str, accept: str) -> bytes | None:
        self.asked.append(url)
        return next((body for path, body in self.pages.items() if path in url), None)


def test_npms_attestations_are_read_by_name_and_version() -> None:
    pages = Pages(attestations={"attestations": [{"bundle": {"is": "good"}}]})
    assert provenance.npm_bundles(NPM.package, "https://r.example/", pages) == [b'{"is": "good"}']
    assert pages.asked == ["https://r.example/-/npm/v1/attestations/@a%2Fx@1.0.0"]
    assert provenance.npm_bundles(NPM.package, "https://r.example", Pages()) == []


def test_a_wheels_attestations_are_found_by_its_digest_and_become_bundles() -> None:
    file = {"filename": "my_x-1.0-py3-none-any.whl", "hashes": {"sha256": "01" * 32}}
    other = {"filename": "my_x-1.0.tar.gz", "hashes": {"sha256": "02" * 32}}
    attestation = {
        "version": 1,
        "verification_material": {"certificate": "C", "transparency_entries": [{"e": 1}]},
        "envelope": {"statement": "S", "signature": "G"},
    }
    told = {"attestation_bundles": [{"publisher": {}, "attestations": [attestation]}]}
    pages = Pages(**{"/simple/my-x/": {"files": [other, file]}, "/integrity/": told})
    (bundle,) = provenance.pypi_bundles(PYPI, "https://i.example/simple", pages)
    assert pages.asked[1] == (
        "https://i.example/integrity/my-x/1.0/my_x-1.0-py3-none-any.whl/provenance"
    )
    found = json.loads(bundle)
    assert found["verificationMaterial"] == {
        "certificate": {"rawBytes": "C"},
        "tlogEntries": [{"e": 1}],
    }
    assert found["dsseEnvelope"]["payload"] == "S"
    assert found["dsseEnvelope"]["signatures"] == [{"sig": "G"}]
    assert provenance.pypi_bundles(PYPI, "https://i.example/simple", Pages()) == []


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"attestations": 1}', b'{"attestations": [1]}', b"[" * 100_000]
)
def test_an_answer_of_another_form_is_an_error(body: bytes) -> None:
    with pytest.raises(Misconfigured):
        provenance.npm_bundles(NPM.package, "https://r.example", lambda url, accept: body)


def test_an_images_bundles_are_read_by_their_digests() -> None:
    blob = b"good"
    manifest = json.dumps({"layers": [{"digest": oci.digest_of(blob)}]}).encode()
    kind = "application/vnd.dev.sigstore.bundle.v0.3+json"
    index = {
        "manifests": [
            {"digest": oci.digest_of(manifest), "artifactType": kind},
            {"digest": "sha256:" + "9" * 64, "artifactType": "application/sbom"},
        ]
    }
    contents = {"referrers": json.dumps(index).encode(), "manifests": manifest, "blobs": blob}
    exact = Package("oci", "r.example/x", "1", "sha256:" + "0" * 64)
    image = Resolution(exact, exact, (Artifact("r.example/x", "1", sri(0, "sha256")),), "d3")

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=contents[request.url.path.split("/")[-2]])

    def older(request: httpx2.Request) -> httpx2.Response:
        signed = request.url.path.endswith(".sig")
        return httpx2.Response(200 if signed else 404, content=manifest)

    for handler, expected in ((answer, ([blob], False)), (older, ([], True))):
        registry = oci.Registry("r.example/x", lambda _: "", httpx2.MockTransport(handler))
        assert provenance.image_bundles(image, registry) == expected


def test_a_verified_bundle_proves_provenance_and_publisher_of_this_very_artifact() -> None:
    digest = naming.raw_digest(sri(1))[1]
    first, second = provenance.judge(NPM, [b"good"], accepting(digest), 7.0)
    assert (first.dimension, first.verdict) == ("provenance", "verified")
    assert (second.dimension, second.verdict) == ("publisher", "verified")
    assert first.of == second.of == "d1"
    assert Signer().identity in second.detail


def test_one_that_is_false_is_not_made_up_for_by_another() -> None:
    digest = naming.raw_digest(sri(1))[1]
    for bundles in ([b"bad"], [b"good", b"bad"]):
        found = provenance.judge(NPM, bundles, accepting(digest), 7.0)
        assert {each.verdict for each in found} == {"failed"}
    found = provenance.judge(NPM, [b"good"], accepting(b"other"), 7.0)
    assert {each.verdict for each in found} == {"failed"}


def test_what_is_absent_or_cannot_be_verified_is_unmeasured_and_says_so() -> None:
    for found, why in (
        (provenance.judge(NPM, [], None, 7.0), "no attestation"),
        (provenance.judge(NPM, [b"good"], None, 7.0), "nothing here can verify"),
        (provenance.unmeasured(NPM, "the registry is down", 7.0), "is down"),
    ):
        assert {each.verdict for each in found} == {"unmeasured"}
        assert all(why in each.detail for each in found)


def test_nothing_is_read_without_https() -> None:
    with pytest.raises(Misconfigured, match="https only"):
        provenance.fetch("http://r.example/x", "application/json")


def test_a_package_without_attestation_fails_whoever_has_said_by_whom_it_has_to_be() -> None:
    provenance_, publisher = provenance.judge(NPM, [], accepting(b""), 7.0)
    assert (provenance_.verdict, publisher.verdict) == ("unmeasured", "failed")
    assert "no attestation" in publisher.detail
    assert {each.verdict for each in provenance.judge(NPM, [], None, 7.0)} == {"unmeasured"}
