"""DSSE v1 envelopes: bytes, what they are, and who signed both.

https://github.com/secure-systems-lab/dsse, `protocol.md` and `envelope.md`. Of the two alphabets of
base64 that it allows, only the standard one is taken, in its canonical writing: an envelope has one form.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

import msgspec

from bawn.model import Json
from bawn.signing.unverified import Unverified

STATEMENT: Final = "application/vnd.in-toto+json"
SIGNATURES: Final = 64
"""The most signatures on one envelope."""

_TEXT: Final = 2 << 20  # base64 of the largest payload, with room


class _Signature(msgspec.Struct):
    keyid: Annotated[str, msgspec.Meta(max_length=128)]
    sig: Annotated[str, msgspec.Meta(max_length=128)]


class _Envelope(msgspec.Struct, rename="camel"):
    payload: Annotated[str, msgspec.Meta(max_length=_TEXT)]
    payload_type: Annotated[str, msgspec.Meta(max_length=128)]
    signatures: Annotated[list[_Signature], msgspec.Meta(max_length=SIGNATURES)]


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature. `key` is the id that it claims: a hint by which key to try it, no more."""

    key: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is signed, its media type, and the signatures. Nothing of it is verified."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...] = ()

    @classmethod
    def read(cls, tree: Any) -> Envelope:
        """An envelope from its JSON.

        Raises:
            Unverified: malformed.
        """
        try:
            found = msgspec.convert(tree, _Envelope)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise Unverified("malformed", f"not a DSSE envelope: {error}") from None
        signatures = (Signature(each.keyid, _decoded(each.sig)) for each in found.signatures)
        return cls(_decoded(found.payload), found.payload_type, tuple(signatures))

    def json(self) -> Json:
        """The envelope as JSON."""
        signatures = [{"keyid": each.key, "sig": _encoded(each.value)} for each in self.signatures]
        return {
            "payload": _encoded(self.payload),
            "payloadType": self.payload_type,
            "signatures": signatures,
        }

    @property
    def signed(self) -> bytes:
        """What the signatures are over: the pre-authentication encoding of type and payload."""
        kind = self.payload_type.encode("utf-8", "surrogatepass")
        return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(self.payload), self.payload)

    def joined(self, more: Iterable[Signature]) -> Envelope:
        """The envelope with further signatures; a newer one of the same key takes the older one's place.

        Raises:
            Unverified: malformed: there would be too many.
        """
        together = {each.key: each for each in (*self.signatures, *more)}
        if len(together) > SIGNATURES:
            raise Unverified("malformed", f"expected at most {SIGNATURES} signatures")
        return replace(self, signatures=tuple(together.values()))


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _decoded(text: str) -> bytes:
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Unverified("malformed", "the envelope holds what is not base64") from None
    if _encoded(content) != text:
        raise Unverified("malformed", "the envelope holds base64 in a second writing")
    return content
