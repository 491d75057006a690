"""`bawn sign key`: keys that sign, and how the other commands open them."""

from __future__ import annotations

import json as jsonlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bawn.cli.options import JsonOption, fail
from bawn.cli.quoting import printable
from bawn.cli.reading import explained, on_terminal

if TYPE_CHECKING:
    from bawn.signing.keys import PublicKey
    from bawn.signing.private import PrivateKey

KeyOption = Annotated[
    list[Path] | None,
    typer.Option("--key", "-k", help="File with a private key to sign with; may be repeated."),
]
PassphraseOption = Annotated[
    str | None,
    typer.Option(
        "--passphrase",
        help="Where the passphrase of the keys is: ${env:NAME}, ${file:PATH} or ${keyring:NAME}. Else you are asked.",
    ),
]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")


def new(
    path: Annotated[Path, typer.Argument(help="File for the private key, such as alice.key.")],
    passphrase: PassphraseOption = None,
    encrypt: Annotated[
        bool, typer.Option("--encrypt", help="Ask for a passphrase to keep the key under.")
    ] = False,
) -> None:
    """Make a key: the private one for you alone, the public one (.pub) for the trust root. (preview)"""
    if encrypt and passphrase is None:
        if not on_terminal():
            fail(
                "there is no terminal to ask on.", "Give the passphrase with --passphrase.", code=2
            )
        secret = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=True).encode()
    else:
        secret = referenced(passphrase)
    with explained():
        public = made(path, secret)
    print(f"private key: {printable(str(path))} (mode 0600; keep it)")
    print(f"public key:  {printable(str(beside(path)))} (give it to who keeps the trust root)")
    print(f"key id:      {public.id}")


def show(
    path: Annotated[Path, typer.Argument(help="File of a public or private key.")],
    passphrase: PassphraseOption = None,
    json: JsonOption = False,
) -> None:
    """Show the id of a key; never a private key. (preview)"""
    with judged(), explained():
        key = public_key(path, passphrase)
    if json:
        print(jsonlib.dumps({"id": key.id, "scheme": "ed25519", "public": key.raw.hex()}))
        return
    print(f"{key.id}  ed25519")


def opened(paths: Sequence[Path] | None, passphrase: str | None) -> list[PrivateKey]:
    """The private keys of these files; a passphrase that is needed and not given is asked for."""
    secret = referenced(passphrase)
    if not paths:
        fail("nothing to sign with.", "Name your private key: --key alice.key.", code=2)
    with explained():
        return [_opened(path, secret) for path in paths]


def made(path: Path, secret: bytes | None) -> PublicKey:
    """A new pair of files; what is there already is left alone."""
    from bawn.config.atomic import replace
    from bawn.errors import Misconfigured
    from bawn.signing.private import PrivateKey

    if beside(path).exists():
        raise Misconfigured(f"{beside(path)}: there is a file already, and it was left alone")
    key = PrivateKey.generate()
    key.write(path, secret)
    replace(beside(path), key.public.pem(), 0o644)
    return key.public


def public_key(path: Path, passphrase: str | None = None) -> PublicKey:
    """The public key of a file of either kind."""
    from bawn.config import files
    from bawn.errors import Misconfigured
    from bawn.signing.keys import PublicKey

    try:
        content, _ = files.read(path, 16 << 10)
    except OSError as error:
        raise Misconfigured(
            f"{path}: cannot be read ({error.strerror}); expected a key of `bawn sign key new`"
        ) from None
    if b"PRIVATE KEY" in content:
        return opened([path], passphrase)[0].public
    return PublicKey.read_pem(content)


def beside(path: Path) -> Path:
    """Where the public key of a private key's file is."""
    return path.with_name(f"{path.name.removesuffix('.key')}.pub")


def plain(name: str) -> str:
    """The name of a key's owner, which is also that of a file; exits with 2 for another."""
    if not _NAME.fullmatch(name):
        fail(
            f"{printable(name)!r} cannot be the name of a key.",
            "Expected up to 64 of letters, digits and ._@+-, such as alice or alice@example.com.",
            code=2,
        )
    return name


def referenced(passphrase: str | None) -> bytes | None:
    """What a reference refers to; exits with 2 for a passphrase that is written out."""
    from bawn.config.secrets import is_reference, resolve

    if passphrase is None:
        return None
    if not is_reference(passphrase):
        fail(
            "a passphrase on the command line can be read by everybody on this machine.",
            "Give a reference: '${env:NAME}', '${file:PATH}' or '${keyring:NAME}'.",
            code=2,
        )
    with explained():
        return resolve(passphrase, Path.cwd()).encode()


@contextmanager
def judged() -> Iterator[None]:
    """Turn Unverified into a word, a sentence and exit code 1."""
    from bawn.signing.unverified import Unverified

    try:
        yield
    except Unverified as error:
        fail(f"refused: {printable(error.detail)}", code=1)


def _opened(path: Path, secret: bytes | None) -> PrivateKey:
    from bawn.signing.private import LockedError, PrivateKey

    try:
        return PrivateKey.read(path, secret)
    except LockedError:
        if not on_terminal():
            raise
        asked = typer.prompt(f"Passphrase of {printable(os.fspath(path))}", hide_input=True)
        return PrivateKey.read(path, asked.encode())
