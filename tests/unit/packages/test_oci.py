"""A tag becomes a digest that was computed here; a registry's word counts for nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx2
import pytest

from bawn.errors import Misconfigured, Refused
from bawn.launching.package import Package
from bawn.packages import oci

BODY = json.dumps({"schemaVersion": 2, "layers": []}).encode()
DIGEST = oci.digest_of(BODY)
Handler = Callable[[httpx2.Request], httpx2.Response]


def registry(handler: Handler, name: str = "r.example/team/server", auth: str = "") -> oci.Registry:
    return oci.Registry(name, lambda host: auth, httpx2.MockTransport(handler))


def manifest(request: httpx2.Request, **headers: str) -> httpx2.Response:
    return httpx2.Response(200, content=BODY, headers=headers)


def _always(answer: httpx2.Response, request: httpx2.Request) -> httpx2.Response:
    return answer


def test_an_image_is_resolved_to_the_digest_of_its_manifest() -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        return manifest(request, **{"docker-content-digest": DIGEST})

    package = Package("oci", "r.example/team/server", "1.0")
    exact, artifacts = oci.resolve(package, registry(answer))
    assert exact.digest == DIGEST
    raw = base64.b64encode(bytes.fromhex(DIGEST[7:])).decode()
    assert [each.integrity for each in artifacts] == [f"sha256-{raw}"]
    assert asked == ["https://r.example/v2/team/server/manifests/1.0"]


def test_a_manifest_of_another_digest_is_refused() -> None:
    lying = registry(
        lambda request: manifest(request, **{"docker-content-digest": "sha256:" + "0" * 64})
    )
    with pytest.raises(Refused) as refused:
        lying.manifest("1.0")
    assert refused.value.reason.id == "integrity.launch"
    with pytest.raises(Refused):
        registry(manifest).manifest("sha256:" + "1" * 64)
    with pytest.raises(Refused):
        registry(manifest).blob("sha256:" + "1" * 64)


def test_a_token_is_fetched_where_the_challenge_says_and_stays_there() -> None:
    sent: list[tuple[str, str]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append((request.url.host, request.headers.get("authorization", "")))
        if request.url.host == "auth.example":
            assert request.url.params["scope"] == "repository:team/server:pull"
            return httpx2.Response(200, json={"token": "t0k"})
        if request.url.host == "cdn.example":
            return manifest(request)
        if "authorization" not in request.headers:
            told = 'Bearer realm="https://auth.example/token",service="r.example"'
            return httpx2.Response(401, headers={"www-authenticate": told})
        return httpx2.Response(307, headers={"location": "https://cdn.example/m"})

    assert registry(answer, auth="dXNlcjpw").manifest("1.0") == BODY
    assert sent == [
        ("r.example", ""),
        ("auth.example", "Basic dXNlcjpw"),
        ("r.example", "Bearer t0k"),
        ("cdn.example", ""),
    ]


@pytest.mark.parametrize("location", ["http://r.example/x", "ftp://r.example/x", "file:///etc", ""])
def test_a_redirect_to_another_scheme_is_refused(location: str) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(302, headers={"location": location})

    with pytest.raises(Misconfigured, match="redirects to another scheme"):
        registry(answer).manifest("1.0")


def test_redirects_without_end_are_refused() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(302, headers={"location": "/again"})

    with pytest.raises(Misconfigured, match="more than 3 times"):
        registry(answer).manifest("1.0")


@pytest.mark.parametrize(
    "challenge",
    ["", "Basic realm=x", 'Bearer realm="http://auth.example/token"', "Bearer", "Negotiate x"],
)
def test_credentials_never_go_to_a_realm_without_https(challenge: str) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.url.host == "r.example"
        return httpx2.Response(401, headers={"www-authenticate": challenge})

    with pytest.raises(Misconfigured, match="docker login"):
        registry(answer).manifest("1.0")


def test_a_token_that_would_split_a_header_is_refused() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "auth.example":
            return httpx2.Response(200, json={"token": "a\r\nx: y"})
        told = 'Bearer realm="https://auth.example/token"'
        return httpx2.Response(401, headers={"www-authenticate": told})

    with pytest.raises(Misconfigured, match="gave no token"):
        registry(answer).manifest("1.0")


def test_a_huge_manifest_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oci, "MANIFEST", 10)
    with pytest.raises(Misconfigured, match="more than 10 bytes"):
        registry(manifest).manifest("1.0")


def test_what_is_no_manifest_or_not_there_is_refused() -> None:
    package = Package("oci", "r.example/x", "1.0")
    for body in (b"<html>", b"[]", b"{}"):
        sent = httpx2.Response(200, content=body)
        with pytest.raises(Misconfigured, match="sent no manifest"):
            oci.resolve(package, registry(partial(_always, sent)))
    with pytest.raises(Misconfigured, match="does not have it"):
        oci.resolve(package, registry(lambda _: httpx2.Response(404)))
    with pytest.raises(Misconfigured, match="answered 500"):
        oci.resolve(package, registry(lambda _: httpx2.Response(500)))


def test_a_registry_that_cannot_be_reached_is_named() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("no", request=request)

    with pytest.raises(Misconfigured, match=r"r\.example cannot be reached"):
        registry(answer).manifest("1.0")


@pytest.mark.parametrize(
    ("name", "host", "path"),
    [
        ("alpine", "docker.io", "library/alpine"),
        ("mcp/time", "docker.io", "mcp/time"),
        ("docker.io/alpine", "docker.io", "library/alpine"),
        ("r.example/a/b", "r.example", "a/b"),
        ("localhost:5000/a", "localhost:5000", "a"),
    ],
)
def test_a_name_is_split_as_container_engines_do(name: str, host: str, path: str) -> None:
    assert oci.split(name) == (host, path)


def test_the_users_own_login_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert oci.docker_credentials("r.example") == ""
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"r.example": {"auth": "dTpw"}}}))
    assert oci.docker_credentials("r.example") == "dTpw"
    assert oci.docker_credentials("other.example") == ""
    (tmp_path / "config.json").write_text("[")
    assert oci.docker_credentials("r.example") == ""


def test_signatures_are_found_by_the_api_or_by_its_tag() -> None:
    index = json.dumps({"manifests": [{"digest": "sha256:1"}, 7]}).encode()

    def by_api(request: httpx2.Request) -> httpx2.Response:
        assert request.url.path.endswith(f"/referrers/{DIGEST}")
        return httpx2.Response(200, content=index)

    def by_tag(request: httpx2.Request) -> httpx2.Response:
        if "/referrers/" in request.url.path:
            return httpx2.Response(404)
        assert request.url.path.endswith("/manifests/" + DIGEST.replace(":", "-"))
        return httpx2.Response(200, content=index)

    for handler in (by_api, by_tag):
        assert registry(handler).referrers(DIGEST) == [{"digest": "sha256:1"}]
    assert registry(lambda _: httpx2.Response(404)).referrers(DIGEST) == []
