"""What a policy mentions: literals, attribute names, and which parts of the context.

Over-approximate: an attribute counts whatever it is taken of, and of a policy that has anything which
is not known here, everything counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Self

from bawn.model import Json
from bawn.policy.cedar.uids import Uid, uid

# fmt: off
_BINARY: Final = frozenset((
    "==", "!=", "in", "<", "<=", ">", ">=", "&&", "||", "+", "-", "*",
    "contains", "containsAll", "containsAny", "getTag", "hasTag",
))
_UNARY: Final = frozenset(("!", "neg", "isEmpty"))
_FUNCTIONS: Final = frozenset((
    "decimal", "lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual",
    "ip", "isIpv4", "isIpv6", "isLoopback", "isMulticast", "isInRange",
    "datetime", "duration", "offset", "durationSince", "toDate", "toTime",
    "toMilliseconds", "toSeconds", "toMinutes", "toHours", "toDays",
))
# fmt: on
_OF_SETS: Final = ("contains", "containsAll", "containsAny")
_OWN_SETS: Final = ("roles", "scopes")
_ARGUMENTS: Final[Json] = {".": {"left": {"Var": "context"}, "attr": "arguments"}}


class Scan:
    """What was mentioned so far.

    `members` has, for each of the caller's sets that policies only ask for certain members, these;
    `grants` says that roles are also asked for by what an item allows. `arguments` are those of the
    call that policies name one by one.
    """

    def __init__(self) -> None:
        self.literals: set[Uid] = set()
        self.attributes: set[str] = set()
        self.members: dict[str, set[str]] = {name: set() for name in _OWN_SETS}
        self.grants = False
        self.context: set[str] = set()
        self.whole_context = False
        self.arguments: set[str] = set()
        self.whole_arguments = False
        self.everything = False

    @classmethod
    def of_policies(cls, asts: Iterable[Json]) -> Self:
        """What these policies mention."""
        scan = cls()
        for ast in asts:
            scan._policy(ast)
        return scan

    @classmethod
    def of_expression(cls, expression: Json) -> Self:
        """What one expression mentions."""
        scan = cls()
        scan._expression(expression)
        return scan

    @property
    def looks_at_context(self) -> bool:
        """Whether the context matters at all."""
        return bool(self.context) or self.whole_context or self.everything

    def looks_at(self, part: str) -> bool:
        """Whether this part of the context matters."""
        return part in self.context or self.whole_context or self.everything

    @property
    def of_arguments(self) -> frozenset[str] | None:
        """The arguments that matter, by name; None for whichever there are."""
        whole = self.whole_arguments or self.whole_context or self.everything
        return None if whole else frozenset(self.arguments)

    def _policy(self, ast: Json) -> None:
        known = {"effect", "principal", "action", "resource", "conditions", "annotations"}
        if not ast.keys() <= known:
            self.everything = True
        for variable in ("principal", "action", "resource"):
            self._scope(ast.get(variable))
        for condition in ast.get("conditions", ()):
            self._expression(condition.get("body"))

    def _scope(self, scope: Any) -> None:
        match scope:
            case {"op": "All", **more} if not more:
                return
            case {"op": "==" | "in", "entity": named, **more} if not more:
                self._literal(named)
            case {"op": "in", "entities": list(several), **more} if not more:
                for named in several:
                    self._literal(named)
            case {"op": "is", "entity_type": str(), **more} if not more:
                return
            case {"op": "is", "entity_type": str(), "in": {"entity": named}, **more} if not more:
                self._literal(named)
            case _:
                self.everything = True

    def _expression(self, node: Any) -> None:
        left: list[Any] = [node]
        while left:
            left.extend(self._parts(left.pop()))

    def _parts(self, node: Any) -> list[Any]:
        """Note what this expression mentions itself; its operands are returned."""
        if not isinstance(node, dict) or len(node) != 1:
            return self._unknown()
        ((operator, body),) = node.items()
        if operator == "Value":
            return self._value(body)
        if operator == "Var":
            return self._variable(body)
        if operator in _OF_SETS and self._membership(operator, body):
            return []
        if operator in {".", "has"}:
            return self._attribute(operator, body)
        return self._operands(operator, body)

    def _operands(self, operator: str, body: Any) -> list[Any]:
        match operator, body:
            case "is", {"left": of, "entity_type": str(), **more} if more.keys() <= {"in"}:
                return [of, *more.values()]
            case "like", {"left": of, "pattern": list(), **more} if not more:
                return [of]
            case "if-then-else", {"if": condition, "then": yes, "else": no, **more} if not more:
                return [condition, yes, no]
            case "Set", list(members):
                return members
            case "Record", dict(fields):
                return list(fields.values())
        if operator in _FUNCTIONS and isinstance(body, list):
            return body
        expected = {"left", "right"} if operator in _BINARY else {"arg"}
        known = operator in _BINARY or operator in _UNARY
        if known and isinstance(body, dict) and body.keys() == expected:
            return list(body.values())
        return self._unknown()

    def _variable(self, name: Any) -> list[Any]:
        if name == "context":
            self.whole_context = True
        elif name not in {"principal", "action", "resource"}:
            self.everything = True
        return []

    def _attribute(self, operator: str, body: Any) -> list[Any]:
        match body:
            case {"left": {"Var": "context"}, "attr": str(name), **more} if not more:
                self.context.add(name)
                if name == "arguments" and operator == ".":
                    self.whole_arguments = True
                return []
            case {"left": left, "attr": str(name), **more} if not more and left == _ARGUMENTS:
                self.context.add("arguments")
                self.arguments.add(name)
                return []
            case {"left": of, "attr": str(name), **more} if not more:
                self.attributes.add(name)
                return [of]
        return self._unknown()

    def _membership(self, operator: str, body: Any) -> bool:
        """Whether this asks for certain members of the caller's own set, and for nothing more."""
        match body:
            case {"left": {".": {"left": {"Var": "principal"}, "attr": str(name)}}, "right": asked}:
                if name not in _OWN_SETS:
                    return False
            case _:
                return False
        match operator, asked:
            case "contains", {"Value": str(member)}:
                self.members[name].add(member)
            case "containsAny", {".": {"left": {"Var": "resource"}, "attr": "allows"}} if (
                name == "roles"
            ):
                self.grants = True
                self.attributes.add("allows")
            case "containsAll" | "containsAny", {"Set": list(several)}:
                found = [one.get("Value") for one in several]
                if not all(isinstance(one, str) for one in found):
                    return False
                self.members[name].update(found)
            case _:
                return False
        return True

    def _value(self, value: Any) -> list[Any]:
        match value:
            case str() | bool() | int():
                pass
            case {"__entity": named, **more} if not more:
                self._literal(named)
            case _:
                self.everything = True
        return []

    def _literal(self, named: Any) -> None:
        try:
            self.literals.add(uid(named))
        except (KeyError, TypeError, AttributeError):
            self.everything = True

    def _unknown(self) -> list[Any]:
        self.everything = True
        return []
