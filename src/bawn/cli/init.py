"""`bawn init`: write a configuration with the servers that the clients have, their secrets moved out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bawn.cli.options import ConfigOption, fail, user_config
from bawn.cli.quoting import command_line, printable
from bawn.cli.reading import explained, on_terminal

if TYPE_CHECKING:
    from bawn.config.load import Loaded
    from bawn.discovery.taking.importing import Imported, Skipped

STATE = ".bawn"

_HEAD = """\
# The configuration of bawn. Every key has a default; docs/configuration.md lists them all.
# `bawn config check` checks this file, `bawn up` starts the gate, `bawn reload` takes up changes.

listen: 127.0.0.1:8811        # where clients connect; loopback only
# public_url: http://127.0.0.1:8811   # the gate as clients see it, when that differs
state: ./.bawn                # keys, secrets, audit; private

# identity:
#   mode: embedded            # tokens of `bawn token`; or `oidc` with `issuers`

# roles:                      # beyond the built-in ones
#   reader: {servers: ["*"], tools: ["get_*", "list_*"]}

"""
_EXAMPLE = """\
# servers:
#   files:
#     command: [npx, "@modelcontextprotocol/server-filesystem@2026.8.31", ./docs]
#     env: {TOKEN: "${keyring:files}"}    # secrets as references only
#   issues:
#     url: https://mcp.example.com/mcp
#     auth: {type: bearer, token: "${env:ISSUES_TOKEN}"}
"""


def init(
    *,
    user: Annotated[
        bool, typer.Option("--user", help="Write the one in your configuration folder.")
    ] = False,
    empty: Annotated[bool, typer.Option("--empty", help="Import nothing.")] = False,
    keyring: Annotated[
        bool, typer.Option("--keyring", help="Put secrets into the keyring, not into files.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigOption = None,
) -> None:
    """Write a bawn.yaml with the servers found in your clients, after showing each exact command. (stable)"""
    from bawn.config import trust
    from bawn.config.load import parse

    path = config or (user_config() if user else Path("bawn.yaml"))
    if os.path.lexists(path):
        fail(
            f"{printable(str(path))} exists already, and is not overwritten.",
            "Add servers with `bawn server add`, or move the file away first.",
            code=2,
        )
    servers, skipped = ((), ()) if empty else _imported(None if user else Path.cwd(), keyring)
    text = text_of(servers)
    with explained():
        found = parse(text.encode(), path, os.environ)
    if not empty:
        show(servers, skipped)
        _ask(yes, path)
    secrets = {name: value for server in servers for name, value in server.secrets.items()}
    with explained():
        (into_keyring if keyring else into_files)(secrets, found)
        _create(path, text.encode())
        trust.record(found.path, found.digest)
    print(f"Wrote {printable(str(path))} with {len(servers)} servers; your consent is recorded.")
    if secrets:
        print(
            "The clients' files still hold the secrets, until `bawn connect` replaces the entries."
        )
    print("Next: `bawn up`.")


def text_of(servers: Sequence[Imported]) -> str:
    """The file: comments, defaults worth knowing, and the servers."""
    from bawn.config.render import rendered

    if not servers:
        return _HEAD + _EXAMPLE
    lines = ["servers:"]
    for server in servers:
        lines.append(f"  # from {printable(', '.join(server.origins))}")
        lines += [f"  # {printable(note)}" for note in server.notes]
        lines += [f"  {line}" for line in rendered({server.id: server.settings})]
    return _HEAD + "\n".join(lines) + "\n"


def _imported(
    project: Path | None, keyring: bool
) -> tuple[tuple[Imported, ...], tuple[Skipped, ...]]:
    from bawn.discovery.clients import Roots
    from bawn.discovery.inventory import inventory
    from bawn.discovery.taking.importing import imported

    kind = "keyring:" if keyring else f"file:{STATE}/secrets/"
    found = inventory(Roots.of(os.environ), project)
    for file in found:
        if file.error:
            print(f"{printable(str(file.path))}: not usable: {printable(file.error)}")
    return imported(found, lambda name: f"${{{kind}{name}}}")


def show(servers: Sequence[Imported], skipped: Sequence[Skipped] = ()) -> None:
    """What would be started for each server, with what, and which entries stay out."""
    for server in servers:
        print(f"{server.id}  (from {', '.join(server.origins)})")
        command, url = server.settings.get("command"), server.settings.get("url", "")
        print(f"    {command_line(command) if command else printable(url)}")
        if "cwd" in server.settings:
            print(f"    in {printable(server.settings['cwd'])}")
        for name, value in server.settings.get("env", {}).items():
            print(f"    with {printable(name)}={printable(value)}")
        for name in server.secrets:
            print(f"    moves a secret to {name}")
        for note in server.notes:
            print(f"    warning: {printable(note)}")
    for entry in skipped:
        print(f"not imported: {printable(entry.name)} of {entry.origin}: {printable(entry.why)}")
    if not servers:
        print("No servers to import.")


def _ask(yes: bool, path: Path) -> None:
    if yes:
        return
    if not on_terminal():
        fail(
            "there is no terminal to ask on.", "Read the commands above, then say `--yes`.", code=2
        )
    if not typer.confirm(f"Write {printable(str(path))}, and let it start these?", default=False):
        fail("nothing was written.")


def into_files(secrets: Mapping[str, str], found: Loaded) -> None:
    """Keep secrets in private files of the state directory.

    Raises:
        Misconfigured: one of them holds another secret already, or cannot be written.
    """
    from bawn.config import atomic
    from bawn.errors import Misconfigured
    from bawn.storage import StateDirectory, read_private

    if not secrets:
        return
    state = StateDirectory(found.state)
    contents = {state.secrets / name: f"{value}\n".encode() for name, value in secrets.items()}
    for path, content in contents.items():
        with suppress(FileNotFoundError):
            if read_private(path) != content:
                raise Misconfigured(f"{path}: holds another secret already; move it away first")
    try:
        for path, content in contents.items():
            atomic.replace(path, content, 0o600)
        # Keys and secrets never belong into a repository.
        atomic.replace(state.path / ".gitignore", b"*\n", 0o600)
    except OSError as problem:
        raise Misconfigured(f"{state.path}: cannot be written ({problem.strerror})") from None


def into_keyring(secrets: Mapping[str, str], found: Loaded) -> None:
    """Keep secrets in the system's keyring.

    Raises:
        Misconfigured: it cannot be used, or holds another secret of a name already.
    """
    import keyring

    from bawn.config.secrets import KEYRING_SERVICE
    from bawn.errors import Misconfigured

    for name, value in secrets.items():
        try:
            known = keyring.get_password(KEYRING_SERVICE, name)
            if known is None:
                keyring.set_password(KEYRING_SERVICE, name, value)
        except Exception as problem:  # noqa: BLE001 - backends raise errors of their own libraries
            raise Misconfigured(
                f"the keyring cannot be used ({type(problem).__name__}); nothing was written: "
                "unlock it, or leave `--keyring` out to use files of mode 0600"
            ) from None
        if known not in {None, value}:
            raise Misconfigured(
                f"the keyring holds another secret `{name}` of {KEYRING_SERVICE} already; "
                f"remove it first with `keyring del {KEYRING_SERVICE} {name}`"
            )


def _create(path: Path, content: bytes) -> None:
    from bawn.config import atomic
    from bawn.errors import Misconfigured

    try:
        if os.path.lexists(path):
            raise FileExistsError(17, "it appeared in the meantime")
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.replace(path, content, 0o600)
    except OSError as problem:
        raise Misconfigured(f"{path}: cannot be written ({problem.strerror})") from None
