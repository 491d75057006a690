"""Whether a package says, verifiably, from where and by whom it was built.

npm's attestations, PEP 740 at a Python index, cosign's bundles beside an image. What is found is verified
by somebody else (`Verifier`), and then has to speak of exactly what was resolved. Absent is unmeasured.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol, TypeAlias
from urllib.parse import quote, urlsplit

import httpx2
from packaging.utils import canonicalize_name

from bawn.config.kinds import is_loopback
from bawn.errors import BawnError, Misconfigured
from bawn.findings.evidence import Dimension, Evidence, Verdict
from bawn.launching.package import Package, Resolution
from bawn.packages import naming, oci

LARGEST: Final = 8 << 20
"""Bytes of one answer."""
MOST: Final = 16
"""Attestations of one package that are looked at."""
_PATIENCE: Final = 20.0
_BUNDLE: Final = "application/vnd.dev.sigstore.bundle"
_IN_TOTO: Final = "application/vnd.in-toto+json"
_SIMPLE: Final = "application/vnd.pypi.simple.v1+json"


class UnknownFormError(BawnError):
    """A bundle of a form that the verifier cannot judge: it proves nothing, for or against."""


class Attested(Protocol):
    """Who signed a bundle that was verified."""

    @property
    def identity(self) -> str:
        """Such as the workflow that built it."""

    @property
    def issuer(self) -> str:
        """Who vouches for that identity."""


Verifier: TypeAlias = Callable[[bytes, bytes], Attested]
"""Verifies a sigstore bundle (JSON) about an artifact, given by its SHA-256 or SHA-512, against a pinned
trust root. Raises BawnError when it is not signed, not by whom it has to be, or about something else;
UnknownFormError when it cannot tell."""

Fetch: TypeAlias = Callable[[str, str], bytes | None]
"""Reads a URL, accepting a media type; None for 404. Raises Misconfigured."""


def fetch(url: str, accept: str) -> bytes | None:
    """Read what is public: no credentials, no redirects, https (or this machine) only.

    Raises:
        Misconfigured: it cannot be read.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise Misconfigured(f"{parts.hostname}: attestations are read by https only")
    body = bytearray()
    try:
        with httpx2.stream("GET", url, headers={"accept": accept}, timeout=_PATIENCE) as answer:
            if answer.status_code == 404:
                return None
            if answer.status_code != 200:
                raise Misconfigured(f"{parts.hostname} answered {answer.status_code}")
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > LARGEST:
                    raise Misconfigured(f"{parts.hostname} sent more than {LARGEST} bytes")
    except (httpx2.HTTPError, httpx2.InvalidURL) as problem:
        raise Misconfigured(
            f"{parts.hostname} cannot be reached ({type(problem).__name__})"
        ) from None
    return bytes(body)


def npm_bundles(package: Package, registry: str, read: Fetch = fetch) -> list[bytes]:
    """The bundles that npm's registry has of a version.

    Raises:
        Misconfigured: the registry cannot be asked, or answers something else.
    """
    name = quote(package.name, safe="@")
    body = read(
        f"{registry.rstrip('/')}/-/npm/v1/attestations/{name}@{package.version}", "application/json"
    )
    if body is None:
        return []
    listed = _field(_object(body), "attestations", list)
    return [json.dumps(_field(each, "bundle", dict)).encode() for each in listed[:MOST]]


def pypi_bundles(resolution: Resolution, index: str, read: Fetch = fetch) -> list[bytes]:
    """The attestations of a wheel (PEP 740), as sigstore bundles.

    `index` is that of the simple API, with or without `/simple` at its end.

    Raises:
        Misconfigured: the index cannot be asked, or answers something else.
    """
    package = resolution.package
    name = canonicalize_name(package.name)
    listed = read(f"{index.rstrip('/')}/{name}/", _SIMPLE)
    file = None if listed is None else _file_of(resolution, _object(listed))
    if file is None:
        return []
    base = index.rstrip("/").removesuffix("/simple")
    body = read(
        f"{base}/integrity/{name}/{package.version}/{quote(file)}/provenance", "application/json"
    )
    if body is None:
        return []
    groups = _field(_object(body), "attestation_bundles", list)
    found = [one for group in groups for one in _field(group, "attestations", list)]
    return [_as_bundle(each) for each in found[:MOST]]


def image_bundles(resolution: Resolution, registry: oci.Registry) -> tuple[list[bytes], bool]:
    """The bundles that refer to an image, and whether it has a signature of cosign's older kind.

    Raises:
        Misconfigured: the registry cannot be asked.
        Refused: integrity.launch.
    """
    digest = resolution.package.digest
    found: list[bytes] = []
    for descriptor in registry.referrers(digest)[:MOST]:
        if not str(descriptor.get("artifactType", "")).startswith(_BUNDLE):
            continue
        manifest = registry.manifest(str(descriptor.get("digest", "")))
        layers = _field(_object(manifest or b"{}"), "layers", list)
        for layer in layers[:MOST]:
            blob = registry.blob(str(layer.get("digest"))) if isinstance(layer, dict) else None
            found += [blob] if blob is not None else []
    older = not found and registry.manifest(f"{digest.replace(':', '-')}.sig") is not None
    return found, older


def judge(
    resolution: Resolution, bundles: list[bytes], verifier: Verifier | None, at: float
) -> tuple[Evidence, Evidence]:
    """What the bundles prove of the package: its provenance, and its publisher."""
    package = str(resolution.package)
    if not bundles:
        absent = f"{package} has no attestation"
        provenance, publisher = _both(resolution, at, "unmeasured", absent)
        if verifier is not None:  # somebody has said whose it has to have: anybody can leave it out
            said = f"{absent}, and `publisher` says whose it has to have"
            publisher = _evidence(resolution, "publisher", at, "failed", said)
        return provenance, publisher
    if verifier is None:
        said = f"{package} has {len(bundles)} attestations, and nothing here can verify them"
        return _both(
            resolution, at, "unmeasured", f"{said}: install bawn[keyless] and pin a trusted root"
        )
    _, digest = naming.raw_digest(_main(resolution))
    good: list[Attested] = []
    wrong: list[str] = []
    for bundle in bundles:
        try:
            good.append(verifier(bundle, digest))
        except UnknownFormError:
            continue
        except BawnError as error:
            wrong.append(str(error))
    if wrong:  # one that is false is not made up for by another
        return _both(resolution, at, "failed", f"{package}: {wrong[0]}", tuple(wrong))
    if not good:
        said = f"{package} has {len(bundles)} attestations, of forms that cannot be verified here"
        return _both(resolution, at, "unmeasured", said)
    built = sorted({each.identity for each in good})
    issuers = sorted({each.issuer for each in good})
    return (
        _evidence(resolution, "provenance", at, "verified", f"{package} was built by {built[0]}"),
        _evidence(
            resolution, "publisher", at, "verified", f"{', '.join(built)} ({', '.join(issuers)})"
        ),
    )


def unmeasured(resolution: Resolution, why: str, at: float) -> tuple[Evidence, Evidence]:
    """Nothing is known, and why."""
    return _both(resolution, at, "unmeasured", f"{resolution.package}: {why}")


def _main(resolution: Resolution) -> str:
    """The integrity of the package itself, among everything that is installed for it."""
    name = resolution.package.name
    own = [
        each.integrity
        for each in resolution.artifacts
        if each.name == name or canonicalize_name(each.name) == canonicalize_name(name)
        if not each.path or each.path == f"node_modules/{name}"
    ]
    if len(own) != 1:
        raise Misconfigured(f"{resolution.package}: is {len(own)} times among its artifacts")
    return own[0]


def _file_of(resolution: Resolution, project: dict[str, Any]) -> str | None:
    _, digest = naming.raw_digest(_main(resolution))
    for file in _field(project, "files", list):
        hashes = file.get("hashes") if isinstance(file, dict) else None
        if isinstance(hashes, dict) and hashes.get("sha256") == digest.hex():
            name = file.get("filename")
            return name if isinstance(name, str) and "/" not in name else None
    return None


def _as_bundle(attestation: object) -> bytes:
    """A PEP 740 attestation in the form of a sigstore bundle, version 0.3."""
    material = _field(attestation, "verification_material", dict)
    envelope = _field(attestation, "envelope", dict)
    return json.dumps(
        {
            "mediaType": f"{_BUNDLE}.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": material.get("certificate")},
                "tlogEntries": material.get("transparency_entries"),
            },
            "dsseEnvelope": {
                "payload": envelope.get("statement"),
                "payloadType": _IN_TOTO,
                "signatures": [{"sig": envelope.get("signature")}],
            },
        }
    ).encode()


def _both(
    resolution: Resolution, at: float, verdict: Verdict, detail: str, findings: tuple[str, ...] = ()
) -> tuple[Evidence, Evidence]:
    dimensions: Iterator[Dimension] = iter(("provenance", "publisher"))
    first, second = (
        _evidence(resolution, each, at, verdict, detail, findings) for each in dimensions
    )
    return first, second


def _evidence(
    resolution: Resolution,
    dimension: Dimension,
    at: float,
    verdict: Verdict,
    detail: str,
    findings: tuple[str, ...] = (),
) -> Evidence:
    return Evidence(dimension, verdict, detail, at, resolution.digest, findings)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Misconfigured("an answer about attestations is no JSON object")
    return found


def _field(value: object, name: str, kind: type[Any]) -> Any:
    found = value.get(name) if isinstance(value, dict) else None
    if not isinstance(found, kind):
        raise Misconfigured(f"an answer about attestations has no `{name}` of the expected form")
    return found
