"""A `server.json` becomes a server of the configuration: one proposal for each way to reach it.

Only what can be read is carried: a package of npm, PyPI or an image at an exact version, started by its
usual runner without options of the document's own choosing, or a Streamable HTTP endpoint. The rest is
said to be unusable, and why; it can be added by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from bawn.config.kinds import is_loopback
from bawn.config.load import check
from bawn.errors import Misconfigured
from bawn.registry.filling import Fill, Filling, Unusable
from bawn.registry.server_json import Argument, KeyValue, Named, PackageJson, ServerJson, Sse, Stdio
from bawn.registry.server_json import StreamableHttp as Http
from bawn.telemetry.text import prints

Way: TypeAlias = Literal["npm", "pypi", "oci", "remote", ""]

_NPM: Final = re.compile(r"(@[A-Za-z0-9_][A-Za-z0-9._~-]*/)?[A-Za-z0-9_][A-Za-z0-9._~-]*")
_SEMVER: Final = re.compile(r"\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?", re.ASCII)
_PYPI: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_PEP440: Final = re.compile(r"\d[0-9A-Za-z.!+_-]*", re.ASCII)
_IMAGE: Final = re.compile(
    r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
    r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?"
)
_RUN: Final = ("run", "-i", "--interactive", "--rm", "--init")
_BEARER: Final = re.compile(r"bearer\s+\{([^{}]+)\}", re.IGNORECASE)
_BY_HAND: Final = "read what it asks for, and add it with `bawn server add`"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One way to reach a server. `settings` are as in bawn.yaml; with a `problem` they are not to be used.

    `references` are variables to be set where bawn is started; `missing` is what has to be given before.
    """

    way: Way
    shown: str  # the package or endpoint, for people
    settings: Mapping[str, Any]
    references: tuple[Fill, ...] = ()
    missing: tuple[Fill, ...] = ()
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""


def proposals(document: ServerJson, id_: str, given: Mapping[str, str]) -> tuple[Proposal, ...]:
    """Every way that the document names, in its order; `given` fills its inputs, by name."""
    facts, notes = _facts(document)
    found = []
    for package in document.packages:
        shown = f"{package.registry_type} {package.identifier}"
        build = _of_package(package)
        found.append(_proposal(build[0], shown, Filling(id_, given), build[1], facts, notes))
    for remote in document.remotes:
        make = _of_remote(remote)
        found.append(_proposal("remote", remote.url, Filling(id_, given), make, facts, notes))
    return tuple(found)


_Build: TypeAlias = Callable[[Filling], dict[str, Any]]


def _proposal(
    way: Way, shown: str, fill: Filling, build: _Build, facts: dict[str, Any], notes: list[str]
) -> Proposal:
    settings: dict[str, Any] = {}
    problem = ""
    try:
        settings = {**build(fill), **facts}
        if not fill.missing:
            check({"servers": {fill.id: settings}})
    except Unusable as why:
        problem = str(why)
    except Misconfigured as error:
        problem = "; ".join(error.problems)
    return Proposal(
        way,
        shown,
        settings,
        tuple(fill.references),
        tuple(fill.missing),
        tuple(fill.left_out),
        (*notes, *fill.notes),
        problem,
    )


def _facts(document: ServerJson) -> tuple[dict[str, Any], list[str]]:
    """Purpose and source, as far as they are one line that can be seen."""
    facts: dict[str, Any] = {}
    notes = []
    source = document.repository.url if document.repository is not None else document.website_url
    for key, text in (("purpose", " ".join(document.description.split())), ("source", source)):
        if not prints(text) or len(text) > 512:
            notes.append(f"its {key} was not taken over: it has characters that cannot be seen")
        elif text and not (key == "source" and not text.startswith(("https://", "http://"))):
            facts[key] = text
    return facts, notes


def _of_package(package: PackageJson) -> tuple[Way, _Build]:
    ways: dict[str, tuple[Way, Callable[[PackageJson, Filling], dict[str, Any]]]] = {
        "npm": ("npm", _npm),
        "pypi": ("pypi", _pypi),
        "oci": ("oci", _oci),
    }
    way, build = ways.get(package.registry_type, ("", _unknown))

    def built(fill: Filling) -> dict[str, Any]:
        if not isinstance(package.transport, Stdio):
            raise Unusable(
                "it listens on HTTP itself once it is started: start it, and add its `url`"
            )
        settings = build(package, fill)
        _note_registry(package, fill)
        return settings

    return way, built


def _unknown(package: PackageJson, fill: Filling) -> dict[str, Any]:
    raise Unusable(f"packages of `{package.registry_type}` are not started by bawn")


def _npm(package: PackageJson, fill: Filling) -> dict[str, Any]:
    _insist(package, _NPM, _SEMVER, "npx")
    if any(_words(argument) not in (["-y"], ["--yes"]) for argument in package.runtime_arguments):
        raise Unusable(f"it wants options of npx itself: {_BY_HAND}")
    return _local(["npx", f"{package.identifier}@{package.version}"], package, fill)


def _pypi(package: PackageJson, fill: Filling) -> dict[str, Any]:
    _insist(package, _PYPI, _PEP440, "uvx")
    if package.runtime_arguments:
        raise Unusable(f"it wants options of uvx itself: {_BY_HAND}")
    return _local(["uvx", f"{package.identifier}=={package.version}"], package, fill)


def _oci(package: PackageJson, fill: Filling) -> dict[str, Any]:
    image = _image(package)
    passed = tuple(_passed(package.runtime_arguments))
    env = fill.env((*package.environment_variables, *passed))
    names = [word for name in env for word in ("-e", name)]
    command = [package.runtime_hint or "docker", "run", "-i", "--rm", *names, image]
    return _with_env([*command, *fill.words(package.package_arguments)], env)


def _insist(package: PackageJson, name: re.Pattern[str], version: re.Pattern[str], by: str) -> None:
    if package.runtime_hint not in {"", by}:
        raise Unusable(f"it wants to be started by something else than {by}: {_BY_HAND}")
    if not name.fullmatch(package.identifier):
        raise Unusable("its identifier is not the name of a package")
    if package.version is None or not version.fullmatch(package.version):
        raise Unusable("its version is not exact")


def _image(package: PackageJson) -> str:
    if package.runtime_hint not in {"", "docker", "podman"}:
        raise Unusable(f"it wants to be started by something else than docker: {_BY_HAND}")
    image = package.identifier
    host = urlsplit(package.registry_base_url).netloc
    if host and not image.startswith(f"{host}/"):
        image = f"{host}/{image}"
    last = image.rpartition("/")[2]
    if package.version is not None and ":" not in last and "@" not in last:
        image = f"{image}:{package.version}"
        last = image.rpartition("/")[2]
    if not _IMAGE.fullmatch(image):
        raise Unusable("its identifier is not a reference to an image")
    if "@" not in last and (":" not in last or last.endswith(":latest")):
        raise Unusable("its image has neither a version nor a digest")
    return image


def _passed(arguments: tuple[Argument, ...]) -> Iterator[KeyValue]:
    """The variables that docker is told to pass on; any other option of docker is not carried."""
    for argument in arguments:
        if isinstance(argument, Named) and argument.name in {"-e", "--env"}:
            name, equals, value = (argument.value or "").partition("=")
            if name:
                yield KeyValue(
                    name=name,
                    value=value if equals else None,
                    is_required=not equals,
                    is_secret=argument.is_secret,
                    description=argument.description,
                    variables=argument.variables,
                )
                continue
        words = _words(argument)
        if len(words) != 1 or words[0] not in _RUN:
            raise Unusable(f"it wants options of docker itself: {_BY_HAND}")


def _words(argument: Argument) -> list[str]:
    """An argument that asks for nothing, as the words that it is."""
    if isinstance(argument, Named):
        return [argument.name, *([argument.value] if argument.value else [])]
    return [argument.value or ""]


def _local(command: list[str], package: PackageJson, fill: Filling) -> dict[str, Any]:
    env = fill.env(package.environment_variables)
    return _with_env([*command, *fill.words(package.package_arguments)], env)


def _with_env(command: list[str], env: dict[str, str]) -> dict[str, Any]:
    return {"command": command, "env": env} if env else {"command": command}


def _note_registry(package: PackageJson, fill: Filling) -> None:
    if package.file_sha256 is not None:
        fill.notes.append("its fileSha256 is not looked at; what is installed is pinned by digest")
    if package.registry_base_url and package.registry_type != "oci":
        host = urlsplit(package.registry_base_url).netloc
        fill.notes.append(
            f"the document means the package of {ascii(host)[1:-1]}; which registry is asked is for "
            "this machine's own configuration to say"
        )


def _of_remote(remote: Http | Sse) -> _Build:
    def built(fill: Filling) -> dict[str, Any]:
        if isinstance(remote, Sse):
            raise Unusable("it speaks the HTTP+SSE transport of 2024-11-05 alone")
        auth = _auth(remote, fill)
        url = fill.template(remote.url, remote.variables)
        settings: dict[str, Any] = {"url": url or remote.url, **auth}
        if url is not None:
            _insist_on_url(url)
        return settings

    return built


def _auth(remote: Http, fill: Filling) -> dict[str, Any]:
    auth: dict[str, Any] = {}
    for header in remote.headers:
        if header.name.lower() == "authorization":
            if header.is_required or header.is_secret or header.value is not None:
                token = fill.reference("token", header.description)
                auth = {"auth": {"type": "bearer", "token": token}}
                _note_token(header, fill)
        elif header.is_required:
            raise Unusable("it wants a header that bawn does not send: only bearer tokens are")
        else:
            fill.left_out.append(f"header {ascii(header.name)[1:-1]}")
    return auth


def _note_token(header: KeyValue, fill: Filling) -> None:
    if header.value is not None and not _BEARER.fullmatch(header.value):
        raise Unusable("its Authorization is not a bearer token that is left to be filled in")
    fill.notes.append("the variable holds the token alone, without the word Bearer")


def _insist_on_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise Unusable("its endpoint is not a URL") from None
    if not prints(url) or not url.isascii():
        raise Unusable("its endpoint has characters that only look like others")
    if parts.scheme != "https" and not is_loopback(host):
        raise Unusable("its endpoint is not reached by https")
