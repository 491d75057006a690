"""The inputs of a `server.json`: what the document gives, what the user has to give, what becomes a reference.

A secret is never taken from the document nor from a command line: it becomes a reference to an
environment variable whose name begins with `MCP_` and the server's id, so that no document can choose
which of the gate's own variables its server gets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bawn.config.credentials import denotes_credential, may_be_credential
from bawn.registry.server_json import Argument, Input, KeyValue, Named

_BRACES: Final = re.compile(r"\{([^{}]+)\}")
_OTHER: Final = re.compile(r"[^A-Z0-9]+")


class Unusable(Exception):
    """This way to reach the server cannot be carried; the text says why."""


@dataclass(frozen=True, slots=True)
class Fill:
    """Something that only the user knows. `variable` has to be set where bawn is started, if there is one."""

    name: str
    variable: str
    description: str


@dataclass(slots=True)
class Filling:
    """What is given for one server's inputs, and what was found to be missing on the way."""

    id: str
    given: Mapping[str, str]
    references: list[Fill] = field(default_factory=list)
    missing: list[Fill] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def words(self, arguments: tuple[Argument, ...]) -> list[str]:
        """The words of a command that these arguments stand for.

        Raises:
            Unusable: one of them is a secret, or holds what no command can.
        """
        return [word for argument in arguments for word in self._argument(argument)]

    def env(self, variables: tuple[KeyValue, ...]) -> dict[str, str]:
        """Values and references by name; what is optional and has no default is left out."""
        found: dict[str, str] = {}
        for variable in variables:
            value = self._variable(variable)
            if value is not None:
                found[variable.name] = value
        return found

    def template(self, text: str, variables: Mapping[str, Input]) -> str | None:
        """The text with its `{variables}` filled in; None when something is missing.

        Raises:
            Unusable: a variable is a secret.
        """
        complete = True

        def filled(match: re.Match[str]) -> str:
            nonlocal complete
            name = match[1]
            if name not in variables:
                return match[0]
            if is_secret(name, variables[name]):
                raise Unusable(f"its `{name}` is a secret, in a place that others can read")
            value = self._plain(name, variables[name])
            complete = complete and value is not None
            return value or ""

        result = _BRACES.sub(filled, text)
        return result if complete else None

    def reference(self, name: str, description: str) -> str:
        """A reference to what the user has to set."""
        variable = f"MCP_{_upper(self.id)}_{_upper(name)}"
        self.references.append(Fill(name, variable, description))
        return f"${{env:{variable}}}"

    def _argument(self, argument: Argument) -> list[str]:
        key = _key(argument)
        if is_secret(key, argument):
            raise Unusable(f"its argument `{key}` is a secret, where every process can read it")
        if isinstance(argument, Named) and _is_switch(argument):
            return [_safe(argument.name)]
        value = self._value(key, argument, argument.variables)
        if value is None:
            return []
        _safe(value)
        if not isinstance(argument, Named):
            return [value]
        name = _safe(argument.name)
        return [f"{name}={value}"] if name.startswith("--") else [name, value]

    def _value(self, key: str, of: Input, variables: Mapping[str, Input]) -> str | None:
        """What an input that is no secret stands for; None when it is left out, or missing."""
        if of.value is not None:
            return self.template(of.value, variables)
        if key in self.given or of.default is not None or of.is_required:
            return self._plain(key, of)
        self.left_out.append(key)
        return None

    def _plain(self, key: str, of: Input) -> str | None:
        value = of.value if of.value is not None else self.given.get(key, of.default)
        if value is None:
            if all(key != known.name for known in self.missing):
                self.missing.append(Fill(key, "", of.description))
        elif of.choices and value not in of.choices:
            raise Unusable(f"its `{key}` has to be one of {', '.join(of.choices)}")
        return value

    def _variable(self, variable: KeyValue) -> str | None:
        name = variable.name
        if is_secret(name, variable) or any(
            is_secret(each, of) for each, of in variable.variables.items()
        ):
            if name in self.given:
                raise Unusable(
                    f"`{name}` is a secret: expected it in the environment, not in --set"
                )
            if variable.value is None and variable.default is None and not variable.is_required:
                self.left_out.append(name)
                return None
            if variable.value is not None and not _BRACES.search(variable.value):
                self.notes.append(f"the value that the document has for {name} was not taken over")
            return self.reference(name, variable.description)
        if variable.value is None and name not in self.given and variable.default is None:
            if variable.is_required:
                return self.reference(name, variable.description)
            self.left_out.append(name)
            return None
        value = self._value(name, variable, variable.variables)
        if value is not None and may_be_credential(value):
            self.notes.append(f"the value that the document has for {name} looks like a secret")
            return self.reference(name, variable.description)
        return None if value is None else value.replace("${", "$${")


def is_secret(name: str, of: Input) -> bool:
    """Whether an input holds a credential, by what the document says or by its name."""
    return of.is_secret or denotes_credential(name)


def _key(argument: Argument) -> str:
    """What `--set` calls an argument."""
    if isinstance(argument, Named):
        return argument.name.lstrip("-") or argument.name
    return argument.value_hint or "argument"


def _is_switch(argument: Named) -> bool:
    """Whether the name is all there is to it: nothing says that the user would give it a value."""
    told = (argument.description, argument.placeholder, argument.choices, argument.variables)
    return argument.value is None and argument.default is None and not any(told)


def _safe(word: str) -> str:
    if "${" in word or "\0" in word:
        raise Unusable("an argument holds characters that no command of bawn can")
    return word


def _upper(name: str) -> str:
    return _OTHER.sub("_", name.upper()).strip("_")
