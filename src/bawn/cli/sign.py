"""`bawn sign`: vouch for a lockfile or a server's pins, and verify who did."""

from __future__ import annotations

import json as jsonlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bawn.cli.options import ConfigOption, JsonOption, fail
from bawn.cli.quoting import printable
from bawn.cli.reading import explained, loaded
from bawn.cli.sign_keys import KeyOption, PassphraseOption, judged, opened
from bawn.cli.sign_root import ROOT, RootOption, YesOption, confirmed, trusted

if TYPE_CHECKING:
    from bawn.model import Json
    from bawn.signing.envelope import Envelope
    from bawn.signing.root import Root
    from bawn.signing.statement import Statement
    from bawn.signing.trusted import Trusted

LifetimeOption = Annotated[
    int, typer.Option("--days", help="Days until a new statement expires.", min=1, max=3650)
]
_LOCK = Path("bawn.lock")


def lock(
    path: Annotated[Path, typer.Argument(help="The lockfile.")] = _LOCK,
    key: KeyOption = None,
    passphrase: PassphraseOption = None,
    days: LifetimeOption = 90,
    yes: YesOption = False,
) -> None:
    """Sign a lockfile, besides those who have signed this content already. (preview)"""
    from bawn.assurance.lock.contents import written
    from bawn.signing import lock as locks
    from bawn.signing.editing import edit
    from bawn.signing.statement import Statement

    now, lifetime = time.time(), days * 86_400.0
    with judged(), explained():
        shown = locks.proposal(locks.read(_content(path)), now, lifetime)
        _describe(Statement.read(shown.payload), shown)
        keys = opened(key, passphrase)
        confirmed(f"Sign {printable(str(path))}, as whoever holds the key?", yes=yes)

        def signed(content: bytes | None) -> bytes:
            found = locks.read(content or b"")
            # somebody may have signed meanwhile, but what was read must be what is signed
            if Statement.read(locks.proposal(found, now, lifetime).payload).subjects != (
                Statement.read(shown.payload).subjects
            ):
                fail(f"{path}: was changed meanwhile.", "Read it, and sign it again.")
            return written(locks.sign(found, keys, now, lifetime))

        edit(path, signed)
    print(f"signed by {', '.join(each.public.id for each in keys)}")


def server(
    name: Annotated[str, typer.Argument(help="The server, by its id.")],
    config: ConfigOption = None,
    key: KeyOption = None,
    passphrase: PassphraseOption = None,
    days: LifetimeOption = 90,
    yes: YesOption = False,
) -> None:
    """Sign the approved pins of a server, into signatures/NAME.json beside the configuration. (preview)"""
    from bawn.signing import proposal
    from bawn.signing.editing import edit
    from bawn.signing.servers import pins_proposal
    from bawn.signing.statement import Statement

    found = loaded(config)
    if name not in found.config.servers:
        fail(
            f"no server {printable(name)!r} in {found.path}.",
            "`bawn server list` shows them.",
            code=2,
        )
    path, now = found.base / "signatures" / f"{name}.json", time.time()
    with judged(), explained():
        root = _merkle_root(found.state, name)
        path.parent.mkdir(exist_ok=True)

        def proposed(content: bytes | None) -> Envelope:
            before = None if content is None else _envelope(content)
            return pins_proposal(name, root, now, before=before, lifetime=days * 86_400.0)

        shown = proposed(_content(path) if path.exists() else None)
        _describe(Statement.read(shown.payload), shown)
        keys = opened(key, passphrase)
        confirmed(f"Sign the pins of {name}?", yes=yes)
        edit(path, lambda content: _written(proposal.signed(proposed(content), keys).json()))
    print(f"signed by {', '.join(each.public.id for each in keys)}, in {printable(str(path))}")


def verify(
    path: Annotated[Path, typer.Argument(help="A lockfile, or signatures/NAME.json.")] = _LOCK,
    root: RootOption = ROOT,
    json: JsonOption = False,
) -> None:
    """Verify who signed a lockfile or a server's pins; needs neither gate, network nor configuration.

    Judges signatures, thresholds, times and digests. That nothing newer was signed, the gate knows. (preview)
    """
    from bawn.signing.unverified import Unverified

    signers = trusted(root)
    with explained():
        content = _content(path)
    try:
        found = _verified(path, content, signers)
    except Unverified as error:
        if json:
            print(jsonlib.dumps({"verified": False, "why": error.why, "detail": error.detail}))
            raise typer.Exit(1) from None
        fail(f"{printable(str(path))}: {printable(error.detail)}", _next_step(error.why), code=1)
    _tell(found, signers, json=json)


def _verified(path: Path, content: bytes, root: Trusted[Root]) -> Trusted[Statement]:
    from bawn.signing import lock as locks
    from bawn.signing.envelope import Envelope
    from bawn.signing.statement import Statement
    from bawn.signing.unverified import Unverified
    from bawn.signing.verify import verify_statement

    tree, now = locks.read(content), time.time()
    if "payloadType" not in tree:
        return locks.verify(tree, root, now)
    envelope = Envelope.read(tree)
    kind = Statement.read(envelope.payload).kind
    if kind == "urn:bawn:lock:1":
        raise Unverified("type", "the signature of a lockfile counts within that lockfile alone")
    # by its name, so that one server's file cannot stand for another's
    return verify_statement(envelope, kind, path.stem, root, now, None, {})


def _tell(found: Trusted[Statement], root: Trusted[Root], *, json: bool) -> None:
    from bawn.signing import times
    from bawn.signing.root import names

    value, who = found.value, names(root, found.signers)
    until = times.written(value.expires)
    if json:
        told: Mapping[str, Any] = {
            "verified": True,
            "type": value.kind,
            "server": value.server,
            "subjects": value.subjects,
            "version": value.version,
            "issued": times.written(value.issued),
            "expires": until,
            "signers": [
                {"name": root.value.form.keys[id_].name, "id": id_} for id_ in sorted(found.signers)
            ],
        }
        print(jsonlib.dumps(told))
        return
    print(f"verified: signed by {', '.join(who)}, version {value.version}, until {until}")
    for name, digest in value.subjects.items():
        print(f"  {name}  sha256:{digest}")


def _describe(statement: Statement, envelope: Envelope) -> None:
    from bawn.signing import times

    print(f"{statement.kind}, version {statement.version}")
    print(f"issued {times.written(statement.issued)}, expires {times.written(statement.expires)}")
    for name, digest in statement.subjects.items():
        print(f"  {name}  sha256:{digest}")
    for each in envelope.signatures:
        print(f"  has a signature that claims to be of key {printable(each.key)}")


def _merkle_root(state: Path, name: str) -> str:
    from bawn.errors import Refused
    from bawn.pins import tree
    from bawn.pins.record import Record
    from bawn.storage import StateDirectory
    from bawn.storage.files import ServerFiles

    try:
        record = ServerFiles(StateDirectory(state).pins, Record).read(name)
    except Refused as error:
        fail(error.detail or error.message, error.reason.fix)
    if record is None or not record.pins:
        fail(f"nothing of {name} was approved yet.", f"`bawn server approve {name}` does that.")
    if record.waiting:
        print(f"{len(record.waiting)} changes wait for approval and are not signed")
    return tree.root(record.pins)


def _envelope(content: bytes) -> Envelope:
    from bawn.signing import lock as locks
    from bawn.signing.envelope import Envelope

    return Envelope.read(locks.read(content))


def _content(path: Path) -> bytes:
    from bawn.signing.editing import read

    try:
        return read(path)
    except FileNotFoundError:
        fail(f"{printable(str(path))}: no such file.", "`bawn lock` writes bawn.lock.", code=2)


def _written(tree: Json) -> bytes:
    return jsonlib.dumps(tree, indent=2, ensure_ascii=False).encode() + b"\n"


def _next_step(why: str) -> str:
    return {
        "threshold": "The others sign it with `bawn sign lock --key FILE`.",
        "missing": "Sign it with `bawn sign lock --key FILE`.",
        "expired": "Look at it again, then sign it anew.",
        "subject": "It was changed after it was signed: read the difference before you sign it anew.",
        "unknown key": "`bawn sign root show` lists whose keys count.",
    }.get(why, "")
