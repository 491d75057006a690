"""How a server is started or reached, and what it gets: the launch grammar, secrets, permissions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final
from urllib.parse import urlsplit

from bawn.assurance.across.offer import of_list
from bawn.assurance.scanning.target import Target
from bawn.config.kinds import is_loopback
from bawn.discovery.secrets import names_credential
from bawn.findings.finding import Finding
from bawn.launching.grammar import read
from bawn.policy.labelling.labels import Labelled

_NAMED: Final = 5


def reached(target: Target) -> Iterator[Finding]:
    """Everything about how a server is reached."""
    return chain(_secrets(target), _launch(target), _permissions(target))


def _launch(target: Target) -> Iterator[Finding]:
    if not target.command:
        return
    for each in read(target.command, target.env, target.cwd_as_written).problems:
        at = f"word {each.at}" if isinstance(each.at, int) else f"variable {each.at}"
        message = f"`{target.name}`, {at} of its command: {each.message}"
        yield target.finding(each.level, each.kind, message, each.fix)
    if target.settings is not None and target.settings.launch == "any":
        message = f"the launch grammar is set aside for `{target.name}` (`launch: any`)"
        yield target.finding(
            "note", "permission/any-launch", message, "Take it out if the command does without."
        )


def _secrets(target: Target) -> Iterator[Finding]:
    for secret in target.secrets:
        message = f"`{target.name}`, {secret.place}: {secret}"
        fix = "Move it out of the file: `bawn init` makes a reference of it. Then change it at its issuer."
        yield target.finding("error", "secret/inline", message, fix)


def _permissions(target: Target) -> Iterator[Finding]:
    settings = target.settings
    if settings is not None and settings.command is not None and settings.confine == "off":
        message = f"`{target.name}` runs with all rights of the gate's user (`confine: off`)"
        fix = "Leave `confine` at `auto`, or set `required`."
        yield target.finding("warning", "permission/unconfined", message, fix)
    given = sorted(name for name in target.env if names_credential(name))
    if given:
        named = ", ".join(given[:_NAMED]) + (", …" if len(given) > _NAMED else "")
        message = f"`{target.name}` is given credentials: {named}"
        fix = "See that they allow no more than it needs."
        yield target.finding("note", "permission/credentials", message, fix)
    if target.url and _in_clear(target.url):
        message = (
            f"`{target.name}` is reached without TLS: whoever is between reads and changes all"
        )
        yield target.finding("warning", "permission/cleartext", message, "Use its https:// URL.")
    if target.definitions is not None and target.definitions.get("tool"):
        yield _tools(target)


def _tools(target: Target) -> Finding:
    labelled = Labelled({})
    traits = [
        labelled.traits(each) for each in of_list(target.name, target.definitions or {}).tools
    ]
    unsaid = sum(not each.annotated for each in traits)
    destructive = sum(each.annotated and each.destructive for each in traits)
    open_world = sum(each.annotated and each.open_world for each in traits)
    message = (
        f"`{target.name}` has {len(traits)} tools: {destructive} may destroy and {open_world} reach "
        f"into the world, as they say; {unsaid} say nothing, which stands for both"
    )
    return target.finding("note", "permission/tools", message, "labels.yaml says what you know.")


def _in_clear(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")
