"""What is trusted: a type that data enters by verification, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, NoReturn, TypeVar, final

from bawn.signing.envelope import Envelope
from bawn.signing.keys import PublicKey
from bawn.signing.unverified import Unverified

T = TypeVar("T")


class _Seal:
    """Its one instance is what a Trusted needs to come into being."""


_SEAL: Final = _Seal()


@final
class Trusted(Generic[T]):
    """A value that enough keys have signed, and that was found to be valid. Only `verified` makes one."""

    __slots__ = ("_seal", "_signers", "_value")
    _seal: _Seal
    _signers: frozenset[str]
    _value: T

    def __init__(self, value: T, signers: frozenset[str], seal: _Seal) -> None:
        if seal is not _SEAL:
            raise TypeError("a Trusted is made by verification alone")
        for name, part in (("_value", value), ("_signers", signers), ("_seal", seal)):
            object.__setattr__(self, name, part)

    @property
    def value(self) -> T:
        """What is trusted.

        Raises:
            TypeError: this was not made by verification.
        """
        if getattr(self, "_seal", None) is not _SEAL:
            raise TypeError("a Trusted is made by verification alone")
        return self._value

    @property
    def signers(self) -> frozenset[str]:
        """The ids of the keys that were counted."""
        return self._signers

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise TypeError("a Trusted stays as it was verified")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Trusted is neither copied nor pickled: verify again")

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("a Trusted has no subclasses")


@dataclass(frozen=True, slots=True)
class Quorum:
    """The keys that count for something by their own ids, and how many have to sign.

    `unfit` tells of keys of the same root that do not count, and why.
    """

    role: str
    keys: Mapping[str, PublicKey]
    threshold: int
    unfit: Mapping[str, str] = field(default_factory=dict)

    def signers(self, envelope: Envelope) -> frozenset[str]:
        """The keys whose signatures the envelope has, each once, however often it signed.

        Raises:
            Unverified: tampered, unknown key, or threshold.
        """
        if not 1 <= self.threshold <= len(self.keys) + len(self.unfit):
            raise Unverified("threshold", f"{self.role}: {self.threshold} can never be reached")
        found = set()
        signed = envelope.signed
        for each in set(envelope.signatures):
            key = self.keys.get(each.key)
            if key is None:
                continue
            if not key.signed(signed, each.value):
                raise Unverified("tampered", f"the signature of key {key.id[:16]} does not fit")
            found.add(key.id)
        if len(found) < self.threshold:
            raise self._short(envelope, len(found))
        return frozenset(found)

    def _short(self, envelope: Envelope, found: int) -> Unverified:
        others = sorted({each.key for each in envelope.signatures} - set(self.keys))
        told = [f"{each[:16]} {self.unfit.get(each, 'is not in the root')}" for each in others]
        wanted = f"{self.role}: {found} of {self.threshold} signatures needed"
        if not envelope.signatures:
            return Unverified("threshold", f"{wanted}; there is none at all")
        if any("expired" in self.unfit.get(each, "") for each in others):
            return Unverified("expired", f"{wanted}; key {', key '.join(told)}")
        if found == 0 and told:
            return Unverified("unknown key", f"{wanted}; key {', key '.join(told)}")
        return Unverified("threshold", "; key ".join([wanted, *told]))


def verified(
    envelope: Envelope,
    payload_type: str,
    decode: Callable[[bytes], T],
    quorums: Callable[[T], Sequence[Quorum]],
    check: Callable[[T], None],
) -> Trusted[T]:
    """The value in an envelope, trusted: of this type, signed by every quorum, and found good by `check`.

    Raises:
        Unverified: it is not.
    """
    if envelope.payload_type != payload_type:
        raise Unverified("type", f"expected {payload_type}, got {envelope.payload_type[:64]!r}")
    value = decode(envelope.payload)
    wanted = quorums(value)
    if not wanted:
        raise Unverified("threshold", "nobody would have to sign this")
    signers = frozenset[str]().union(*(each.signers(envelope) for each in wanted))
    check(value)
    return Trusted(value, signers, _SEAL)
