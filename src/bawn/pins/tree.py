"""The Merkle tree over the pins of one server: its root stands for all of them, a path proves one.

Hashes and proofs are those of RFC 9162 §2.1 (the tree of RFC 6962) over SHA-256. A leaf is the RFC 8785
form of [aspect, name, digest]; leaves are sorted by these three, each by code point, and stand once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final, TypeAlias

import msgspec
import rfc8785

from bawn.pins.record import Pin

_LEAF: Final = b"\0"
_NODE: Final = b"\1"
_HASH: Final = 32
_LONGEST: Final = 64  # hashes on a path

Leaf: TypeAlias = tuple[str, str, str]


class Proof(msgspec.Struct, frozen=True):
    """Shows that a pin is the `index`th of the `size` under a root; `path` are hashes in hex, leaf first."""

    index: int
    size: int
    path: tuple[str, ...]


def root(pins: Iterable[Pin]) -> str:
    """The root of these pins, in hex; their order and who approved them when do not matter."""
    return _root([_leaf_hash(leaf) for leaf in _leaves(pins)]).hex()


def proof(pins: Iterable[Pin], pin: Pin) -> Proof:
    """That this pin is one of these.

    Raises:
        ValueError: it is not.
    """
    leaves = _leaves(pins)
    index = leaves.index(_leaf(pin))
    path = _path(index, [_leaf_hash(leaf) for leaf in leaves])
    return Proof(index, len(leaves), tuple(each.hex() for each in path))


def verify_proof(root: str, pin: Pin, proof: Proof) -> bool:
    """Whether the proof shows that this pin is under this root. Source: RFC 9162 §2.1.3.2."""
    try:
        path = [bytes.fromhex(each) for each in proof.path]
        claimed = bytes.fromhex(root)
        found = _leaf_hash(_leaf(pin))
    except ValueError:
        return False
    if not 0 <= proof.index < proof.size or len(path) > _LONGEST:
        return False
    if any(len(each) != _HASH for each in path):
        return False
    index, last = proof.index, proof.size - 1
    for beside in path:
        if last == 0:
            return False
        if index & 1 or index == last:
            found = _node_hash(beside, found)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            found = _node_hash(found, beside)
        index, last = index >> 1, last >> 1
    return last == 0 and found == claimed


def _leaf(pin: Pin) -> Leaf:
    return pin.aspect, pin.name, pin.digest


def _leaves(pins: Iterable[Pin]) -> list[Leaf]:
    return sorted({_leaf(pin) for pin in pins})


def _leaf_hash(leaf: Leaf) -> bytes:
    return sha256(_LEAF + rfc8785.dumps(leaf)).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(_NODE + left + right).digest()


def _root(hashes: Sequence[bytes]) -> bytes:
    if not hashes:
        return sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    split = _split(len(hashes))
    return _node_hash(_root(hashes[:split]), _root(hashes[split:]))


def _path(index: int, hashes: Sequence[bytes]) -> list[bytes]:
    if len(hashes) == 1:
        return []
    split = _split(len(hashes))
    if index < split:
        return [*_path(index, hashes[:split]), _root(hashes[split:])]
    return [*_path(index - split, hashes[split:]), _root(hashes[:split])]


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
