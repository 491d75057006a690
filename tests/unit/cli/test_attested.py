"""Provenance is verified against the publisher that the owner has named, and by nobody's word else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bawn.cli import attested
from bawn.config.load import Loaded, load
from bawn.errors import Misconfigured
from bawn.findings.evidence import Evidence
from bawn.launching.package import Artifact, Package, Resolution
from bawn.packages.provenance import Verifier, judge
from bawn.signing import keyless
from bawn.signing.unverified import Unverified, Why
from bawn.storage import StateDirectory
from bawn.storage.files import ServerFiles

PACKAGE = Package("npm", "server", "1.0.0")
RESOLUTION = Resolution(
    PACKAGE, PACKAGE, (Artifact("server", "1.0.0", "sha512-" + "A" * 86 + "==", ""),), "ff"
)
PUBLISHER = "publisher: {identity: 'https://github.com/o/r/.github/w.yml@refs/tags/v1', issuer: 'https://i'}"


def _loaded(
    home: Path, publisher: str = PUBLISHER, signing: str = "{sigstore: root.json}"
) -> Loaded:
    text = f"servers:\n  files: {{command: [npx, server@1.0.0], {publisher}}}\nsigning: {signing}\n"
    (home / "bawn.yaml").write_text(text)
    return load(home / "bawn.yaml", {})


@pytest.fixture
def bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry has one bundle."""

    def look(found: Resolution, verifier: Verifier | None, at: float) -> tuple[Evidence, Evidence]:
        return judge(found, [b"{}"], verifier, at)

    monkeypatch.setattr("bawn.packages.attesting.look", look)


def _verifying(monkeypatch: pytest.MonkeyPatch, answer: Callable[[], keyless.Attested]) -> None:
    def verify(bundle: bytes, digest: bytes | None, policy: keyless.Policy) -> keyless.Attested:
        assert policy.identity.endswith("v1")
        assert policy.trusted_root.name == "root.json"
        return answer()

    monkeypatch.setattr(keyless, "verify_bundle", verify)


def _raised(why: Why) -> Callable[[], keyless.Attested]:
    def raising() -> keyless.Attested:
        raise Unverified(why, "no")

    return raising


@pytest.mark.usefixtures("bundle")
@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (lambda: keyless.Attested("https://github.com/o/r", "https://i"), "verified"),
        (_raised("unknown key"), "failed"),
        (_raised("type"), "unmeasured"),
    ],
)
def test_a_bundle_counts_for_what_it_proves(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[], keyless.Attested],
    verdict: str,
) -> None:
    _verifying(monkeypatch, answer)
    found = attested.look(_loaded(tmp_path), "files", RESOLUTION)
    assert [each.verdict for each in found] == [verdict, verdict]


@pytest.mark.usefixtures("bundle")
def test_where_no_publisher_is_named_nothing_is_verified(tmp_path: Path) -> None:
    found = attested.look(_loaded(tmp_path, "owner: me"), "files", RESOLUTION)
    assert [each.verdict for each in found] == ["unmeasured", "unmeasured"]


def test_a_publisher_without_a_pinned_root_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"signing\.sigstore"):
        attested.look(_loaded(tmp_path, signing="{}"), "files", RESOLUTION)


def test_what_was_found_takes_the_place_of_what_was_known_of_the_same(tmp_path: Path) -> None:
    found = _loaded(tmp_path)
    files = ServerFiles(StateDirectory(found.state).evidence, tuple[Evidence, ...])
    known = (
        Evidence("provenance", "unmeasured", "old", 1.0),
        Evidence("scan", "verified", "fine", 1.0),
    )
    files.update("files", lambda _: known)
    attested.keep(found, "files", (Evidence("provenance", "verified", "new", 2.0),))
    now = files.read("files") or ()
    assert {each.dimension: each.detail for each in now} == {"scan": "fine", "provenance": "new"}
