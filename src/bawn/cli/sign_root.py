"""`bawn sign root`: the trust root, its versions, and whose keys count for what."""

from __future__ import annotations

import json as jsonlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bawn.cli.options import ConfigOption, JsonOption, fail
from bawn.cli.quoting import printable
from bawn.cli.reading import explained, loaded, on_terminal
from bawn.cli.sign_keys import KeyOption, PassphraseOption, judged, opened, plain, public_key

if TYPE_CHECKING:
    from bawn.signing.envelope import Envelope
    from bawn.signing.root import Role, Root
    from bawn.signing.rotation import Changes
    from bawn.signing.trusted import Trusted

ROOT: Final = Path("signing/root.json")
RootOption = Annotated[
    Path, typer.Option("--root", help="File of the trust root.", show_default=True)
]
DaysOption = Annotated[int, typer.Option("--days", help="Days until it expires.", min=1, max=3650)]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do it without being asked.")]
_ROLES: Final = ("organisation", "publisher", "reviewer")


def show(root: RootOption = ROOT, json: JsonOption = False) -> None:
    """Show the newest version of the trust root, after verifying the line of it. (preview)"""
    _print(trusted(root), json=json)


def verify(root: RootOption = ROOT, json: JsonOption = False) -> None:
    """Verify every version of the trust root, offline. (preview)"""
    found = trusted(root)
    if json:
        _print(found, json=True)
        return
    form = found.value.form
    print(f"verified: version {form.version} of root {found.value.id[:16]}, until {form.expires}")


def rotate(
    root: RootOption = ROOT,
    add: Annotated[
        list[str] | None,
        typer.Option("--add", help="ROLE=NAME=FILE.pub[=SERVER,…]: give somebody's key a role."),
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", help="ROLE=NAME or ROLE=KEYID: take it away.")
    ] = None,
    threshold: Annotated[
        list[str] | None, typer.Option("--threshold", help="ROLE=N: how many have to sign.")
    ] = None,
    days: DaysOption = 365,
    key: KeyOption = None,
    passphrase: PassphraseOption = None,
    yes: YesOption = False,
) -> None:
    """Make or sign the next version of the trust root.

    It is signed by those who held the organisation's keys and by those who hold them in it; until enough
    of both have, it waits beside the root (`.next`) for the next one to run this with their key. (preview)
    """
    from bawn.signing import proposal, rotation

    content = _read(root)
    current, waiting = trusted(root), root.with_name(root.name + ".next")
    changed = bool(add or remove or threshold)
    with judged(), explained():
        if waiting.exists() and changed:
            fail(f"{waiting}: a version waits for signatures.", "Sign or remove it first.", code=2)
        if waiting.exists():
            envelope = _waiting(waiting)
        else:
            changes = _changes(current.value, add or (), remove or (), threshold or ())
            envelope = rotation.following(current.value, changes, time.time(), days * 86_400.0)
        _describe(_parsed(envelope, current.value))
        confirmed("Sign this version of the trust root?", yes=yes)
        _store(root, content, waiting, proposal.signed(envelope, opened(key, passphrase)))


def trust(config: ConfigOption = None, yes: YesOption = False) -> None:
    """Let this gate trust the root of its configuration from now on, whatever it trusted before.

    For a root that was replaced, or when the gate's record of versions is lost. (preview)
    """
    from bawn.signing import chain
    from bawn.signing.seen import Seen
    from bawn.storage import StateDirectory

    found = loaded(config)
    if found.config.signing.root is None:
        fail("no trust root is configured.", "Set `signing.root` in the configuration.", code=2)
    path = found.base / found.config.signing.root
    with judged(), explained():
        line = chain.history(chain.read(_read(path)), time.time())
        line[-1].value.alive(time.time())
        _print(line[-1], json=False)
        confirmed("Trust this root, and forget which versions were seen?", yes=yes)
        Seen(StateDirectory(found.state).path / "signing.json").begin_anew(
            [each.value for each in line]
        )
    print("trusted from now on")


def trusted(path: Path) -> Trusted[Root]:
    """The root of this file, verified; exits with 1 if it is not to be trusted, 2 if there is none."""
    from bawn.signing import chain

    content = _read(path)
    with judged():
        return chain.load(content, time.time())


def confirmed(question: str, *, yes: bool) -> None:
    """Go on only if somebody says so; exits with 2 where nobody can be asked, with 1 when they say no."""
    if yes:
        return
    if not on_terminal():
        fail(
            "somebody has to agree, and there is no terminal to ask on.",
            "Read it, then add --yes.",
            code=2,
        )
    if not typer.confirm(question, default=False):
        fail("nothing was changed.")


def role_of(text: str) -> Role:
    """A role by its name; exits with 2 for another."""
    for role in _ROLES:
        if text == role:
            return role
    fail(f"{printable(text)!r} is no role.", f"Expected one of {', '.join(_ROLES)}.", code=2)


def thresholds(told: Sequence[str]) -> dict[Role, int]:
    """Thresholds from ROLE=N."""
    found: dict[Role, int] = {}
    for each in told:
        role, _, number = each.partition("=")
        if not number.isdecimal() or not number.isascii() or len(number) > 4:
            fail(
                f"{printable(each)!r} is no threshold.",
                "Expected ROLE=N, as in reviewer=2.",
                code=2,
            )
        found[role_of(role)] = int(number)
    return found


def _changes(
    root: Root, add: Sequence[str], remove: Sequence[str], threshold: Sequence[str]
) -> Changes:
    from bawn.signing.root import Entry
    from bawn.signing.rotation import Changes

    added = []
    for each in add:
        role, name, file, servers = (*each.split("="), "", "", "")[:4]
        limits = tuple(filter(None, servers.split(",")))
        added.append((role_of(role), Entry.of(public_key(Path(file)), plain(name), "", limits)))
    removed = []
    for each in remove:
        role, _, who = each.partition("=")
        ids = [id_ for id_, entry in root.form.keys.items() if who in {id_, entry.name}]
        if len(ids) != 1:
            fail(
                f"{printable(who)!r} is the name or id of {len(ids)} keys.",
                "Give the key id.",
                code=2,
            )
        removed.append((role_of(role), ids[0]))
    return Changes(added, removed, thresholds(threshold))


def _store(root: Path, content: bytes, waiting: Path, envelope: Envelope) -> None:
    """Put the version at the end of the line if enough have signed, else beside it to wait."""
    from bawn.signing import chain
    from bawn.signing.editing import edit
    from bawn.signing.unverified import Unverified

    line = (*chain.read(content), envelope)
    try:
        chain.load(chain.write(line), time.time())
    except Unverified as short:
        if short.why not in {"threshold", "unknown key"}:
            raise
        edit(waiting, lambda _: chain.write([envelope]))
        print(f"signed; it waits in {printable(str(waiting))} for more: {short.detail}")
        return

    def appended(now: bytes | None) -> bytes:
        if now != content:
            fail(f"{root}: was changed meanwhile.", "Run it again.")
        return chain.write(line)

    edit(root, appended)
    waiting.unlink(missing_ok=True)
    print(f"{printable(str(root))} is at version {len(line)}")


def _waiting(path: Path) -> Envelope:
    from bawn.signing import chain
    from bawn.signing.root import PAYLOAD

    found = chain.read(_read(path))
    if len(found) != 1 or found[0].payload_type != PAYLOAD:
        fail(f"{path}: not one version of a trust root.", "Remove it, and begin again.", code=2)
    return found[0]


def _parsed(envelope: Envelope, before: Root) -> Root:
    from bawn.signing.root import Root

    return Root.read(envelope.payload, before.id)


def _print(root: Trusted[Root], *, json: bool) -> None:
    if not json:
        print(f"root {root.value.id}")
        _describe(root.value)
        return
    form = jsonlib.loads(_form(root.value))
    print(jsonlib.dumps({"id": root.value.id, "digest": root.value.digest, **form}))


def _form(root: Root) -> bytes:
    from bawn.signing import canonical

    return canonical.encode(root.form)


def _describe(root: Root) -> None:
    form = root.form
    print(f"version {form.version}, issued {form.issued}, expires {form.expires}")
    for role, holders in form.roles.items():
        print(f"{role}: {holders.threshold} of {len(holders.keyids)}")
        for id_ in holders.keyids:
            entry = form.keys[id_]
            limit = f"  for {', '.join(entry.servers)}" if entry.servers else ""
            end = f"  until {entry.expires}" if entry.expires else ""
            print(f"  {entry.name}  {id_}{limit}{end}")


def _read(path: Path) -> bytes:
    from bawn.signing.editing import read

    with explained():
        try:
            return read(path)
        except FileNotFoundError:
            fail(
                f"{printable(str(path))}: no such file.",
                "Expected a trust root: `bawn sign init` makes one, --root names another file.",
                code=2,
            )
