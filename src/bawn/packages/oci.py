"""Container images: a tag resolved once to the digest of its manifest (OCI Distribution 1.1).

No container engine is needed. The digest is computed here from the bytes of the manifest; through it
the manifest commits to everything else. It is that digest by which the image is started.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urljoin, urlsplit

import httpx2

from bawn.config.kinds import is_loopback
from bawn.errors import INTEGRITY_LAUNCH, Misconfigured, Refused
from bawn.launching.package import Artifact, Package
from bawn.packages import naming

MANIFEST: Final = 4 << 20
"""Bytes of a manifest, as the specification bounds them."""
_PATIENCE: Final = 30.0
_HOPS: Final = 3
_TYPES: Final = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_HUB: Final = "docker.io"  # what a name without a host means
_PARAMETER: Final = re.compile(r'([a-z]+)="([^"]*)"')

Credentials = Callable[[str], str]
"""The `user:password` for a registry's host, in base64; empty for none."""


class Registry:
    """Reads of one repository's manifests; `transport` is for tests.

    Raises:
        Misconfigured: the registry cannot be reached, or says no.
    """

    def __init__(
        self,
        repository: str,
        credentials: Credentials | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self.host, self.path = split(repository)
        host = f"registry-1.{_HUB}" if self.host == _HUB else self.host
        name = urlsplit(f"//{host}").hostname or ""
        self._base = f"{'http' if is_loopback(name) else 'https'}://{host}/v2/{self.path}/"
        self._credentials = (credentials or docker_credentials)(self.host)
        self._token = ""
        self._client = httpx2.Client(
            timeout=_PATIENCE, follow_redirects=False, transport=transport, trust_env=True
        )

    def manifest(self, reference: str) -> bytes | None:
        """The manifest of a tag or digest, of the digest that the registry tells; None without one.

        Raises:
            Misconfigured: see the class.
            Refused: integrity.launch: the manifest has another digest.
        """
        answer = self._get(f"manifests/{reference}", _TYPES)
        if answer is None:
            return None
        body, headers = answer
        digest = digest_of(body)
        told = headers.get("docker-content-digest", digest)
        wanted = reference if reference.startswith("sha256:") else digest
        if (told.startswith("sha256:") and told != digest) or wanted != digest:
            raise Refused(
                INTEGRITY_LAUNCH,
                detail=f"{self.host}/{self.path}:{reference}: the registry says {told}, and gave {digest}",
            )
        return body

    def referrers(self, digest: str) -> list[dict[str, Any]]:
        """The descriptors of what refers to a manifest, such as its signatures.

        Raises:
            Misconfigured: see the class.
        """
        answer = self._get(f"referrers/{digest}", _TYPES)
        # without the API, its fallback is a tag
        body = self.manifest(digest.replace(":", "-")) if answer is None else answer[0]
        found = _object(body).get("manifests") if body is not None else None
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []

    def blob(self, digest: str) -> bytes | None:
        """A small blob of this digest; None without one.

        Raises:
            Misconfigured: see the class.
            Refused: integrity.launch: it has another digest.
        """
        answer = self._get(f"blobs/{digest}", "*/*")
        if answer is not None and digest_of(answer[0]) != digest:
            raise Refused(INTEGRITY_LAUNCH, detail=f"{self.host}/{self.path}: {digest} is altered")
        return None if answer is None else answer[0]

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def _get(self, path: str, accept: str) -> tuple[bytes, httpx2.Headers] | None:
        url = self._base + path
        for _ in range(_HOPS + 1):
            status, headers, body = self._once(url, accept)
            if status == 401 and not self._token:
                self._token = self._authorised(headers.get("www-authenticate", ""))
            elif status in {301, 302, 303, 307, 308}:
                url = self._next(url, headers.get("location", ""))
            elif status == 404:
                return None
            elif status != 200:
                raise Misconfigured(
                    f"the registry {self.host} answered {status} for {self.path}; expected a manifest: "
                    "is the name right, and are you logged in (`docker login`)?"
                )
            else:
                return body, headers
        raise Misconfigured(f"the registry {self.host} redirects more than {_HOPS} times")

    def _once(self, url: str, accept: str) -> tuple[int, httpx2.Headers, bytes]:
        headers = {"accept": accept, "accept-encoding": "identity"}
        if self._token and _origin(url) == _origin(self._base):
            headers["authorization"] = self._token
        return self._fetch(url, headers)

    def _fetch(self, url: str, headers: dict[str, str]) -> tuple[int, httpx2.Headers, bytes]:
        body = bytearray()
        try:
            with self._client.stream("GET", url, headers=headers) as answer:
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > MANIFEST:
                        raise Misconfigured(
                            f"the registry {self.host} sent more than {MANIFEST} bytes"
                        )
                return answer.status_code, answer.headers, bytes(body)
        except (httpx2.HTTPError, httpx2.InvalidURL) as problem:
            raise Misconfigured(
                f"the registry {self.host} cannot be reached ({type(problem).__name__}); expected its "
                "HTTP API, version 2"
            ) from None

    def _next(self, url: str, location: str) -> str:
        target = urljoin(url, location)
        if not location or urlsplit(target).scheme != urlsplit(url).scheme:
            raise Misconfigured(f"the registry {self.host} redirects to another scheme; refused")
        return target

    def _authorised(self, challenge: str) -> str:
        """The Authorization for a challenge (RFC 6750, and the token protocol of the distribution)."""
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "basic" and self._credentials:
            return f"Basic {self._credentials}"
        asked = dict(_PARAMETER.findall(rest))
        realm = urlsplit(asked.get("realm", ""))
        secure = realm.scheme == "https" or (
            realm.scheme == urlsplit(self._base).scheme and is_loopback(realm.hostname or "")
        )
        if scheme.lower() != "bearer" or not secure:
            raise Misconfigured(
                f"the registry {self.host} wants credentials in a way that is not spoken here; "
                "expected a Bearer challenge with an https realm, or a login (`docker login`)"
            )
        scope = asked.get("scope") or f"repository:{self.path}:pull"
        query = {"scope": scope} | ({"service": asked["service"]} if "service" in asked else {})
        url = f"{asked['realm']}{'&' if realm.query else '?'}{urlencode(query)}"
        headers = {"authorization": f"Basic {self._credentials}"} if self._credentials else {}
        status, _, body = self._fetch(url, headers)
        told = _object(body) if status == 200 else {}
        token = told.get("token") or told.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise Misconfigured(f"the registry {self.host} gave no token (status {status})")
        return f"Bearer {token}"


def resolve(package: Package, registry: Registry) -> tuple[Package, tuple[Artifact, ...]]:
    """The image by the digest of its manifest or index.

    Raises:
        Misconfigured: there is none, or the registry cannot be asked.
        Refused: integrity.launch.
    """
    reference = package.digest or package.version or "latest"
    body = registry.manifest(reference)
    if body is None:
        raise Misconfigured(f"{package}: the registry {registry.host} does not have it")
    if not isinstance(_object(body).get("schemaVersion"), int):
        raise Misconfigured(f"{package}: the registry {registry.host} sent no manifest")
    digest = digest_of(body)
    raw = bytes.fromhex(digest.removeprefix("sha256:"))
    artifact = Artifact(package.name, package.version, naming.integrity("sha256", raw))
    return Package("oci", package.name, package.version, digest), (artifact,)


def split(repository: str) -> tuple[str, str]:
    """Host and path of a repository as an image reference names it."""
    first, slash, rest = repository.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return (_HUB, _official(rest)) if first in {_HUB, f"index.{_HUB}"} else (first, rest)
    return _HUB, _official(repository)


def digest_of(content: bytes) -> str:
    """`sha256:` and the digest in hex."""
    return f"sha256:{sha256(content).hexdigest()}"


def docker_credentials(host: str) -> str:
    """What `docker login` wrote for a host, where it did so in the file itself; empty for none."""
    place = os.environ.get("DOCKER_CONFIG") or str(Path.home() / ".docker")
    with suppress(OSError, ValueError, AttributeError):
        auths = json.loads(Path(place, "config.json").read_text()).get("auths", {})
        for name in (host, f"https://{host}", f"https://index.{host}/v1/"):
            auth = auths.get(name, {}).get("auth", "")
            if isinstance(auth, str) and auth and base64.b64decode(auth, validate=True):
                return auth
    return ""


def _official(path: str) -> str:
    return path if "/" in path else f"library/{path}"


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
