"""Takes a command line apart: which programs it runs with which words, what it redirects where, and from where.

The grammar is bash's; what cmd and PowerShell have in common with it (words, quotes, `>`, `|`) reads the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from time import perf_counter
from typing import Final

import msgspec
import tree_sitter_bash
from tree_sitter import Language, Node, Parser, Tree

from bawn.inspection.guard.paths import unescaped
from bawn.inspection.guard.words import Variables, Word, bare, expansion, joined, output, text_of

LONGEST: Final = 65536
"""Characters of a command that are read; a longer one is looked at as far as that."""

_PARSER: Final = Parser(Language(tree_sitter_bash.language()))
_READ: Final = 4096
_PATIENCE: Final = 0.03  # seconds; a long script of everyday takes a third of it
_PART: Final = 512
_OVERLAP: Final = 128
_DEEPEST: Final = 200
_MOST: Final = 1000
_MOVES: Final = frozenset({"cd", "pushd", "chdir", "set-location", "sl"})


class Command(msgspec.Struct):
    """One simple command: its words, what it is fed, where it stands. A redirection alone has no words."""

    argv: list[Word]
    at: str  # the directory that it went to; empty for where it began
    fed: str = ""
    targets: list[Word] = msgspec.field(default_factory=list)  # of redirections
    more: bool = False  # here is more than is read


def commands(text: str) -> list[Command]:
    """The simple commands of a command line, in their order."""
    reader = _Reader()
    for tree in _parsed(text[:LONGEST].encode("utf-8", "replace")):
        reader.visit(tree.root_node, 0)
    if reader.more or len(reader.found) > _MOST:
        return [*reader.found[:_MOST], Command([], "", more=True)]
    return reader.found


def _parsed(data: bytes) -> Iterator[Tree]:
    """The whole, or where that takes too long (on errors the time is quadratic) parts that overlap."""
    until = perf_counter() + _PATIENCE
    tree: Tree | None = None
    with suppress(ValueError):  # it was stopped
        tree = _PARSER.parse(
            lambda at, _: data[at : at + _READ],
            progress_callback=lambda _, __: perf_counter() > until,
        )
    if tree is not None:
        yield tree
        return
    _PARSER.reset()
    for start in range(0, len(data), _PART - _OVERLAP):
        yield _PARSER.parse(data[start : start + _PART])


class _Reader:
    """Walks the tree in the order in which things happen."""

    def __init__(self) -> None:
        self.found: list[Command] = []
        self.more = False
        self._variables = Variables()
        self._at = ""
        self._fed = ""
        self._visits: dict[str, Callable[[Node, int], None]] = {
            "variable_assignment": self._assignment,
            "for_statement": self._loop,
            "command": self._command,
            "declaration_command": self._declaration,
            "redirected_statement": self._redirected,
            "pipeline": self._pipeline,
        }

    def visit(self, node: Node, depth: int) -> None:
        """Reads a node and what is in it."""
        if depth > _DEEPEST or len(self.found) > _MOST:
            self.more = True
            return
        special = self._visits.get(node.type)
        if special is not None:
            special(node, depth)
            return
        for child in node.children:
            self.visit(child, depth + 1)

    def _assignment(self, node: Node, depth: int) -> None:
        name = node.child_by_field_name("name")
        value = node.child_by_field_name("value")
        if name is None:
            return
        if value is None:
            self._variables.put(text_of(name), ("",))
            return
        self._inside(value, depth)
        added = any(child.type == "+=" for child in node.children)
        self._variables.put(text_of(name), self._word(value), added=added)

    def _declaration(self, node: Node, depth: int) -> None:
        for child in node.named_children:
            self.visit(child, depth + 1)

    def _loop(self, node: Node, depth: int) -> None:
        variable = node.child_by_field_name("variable")
        values = [
            value for child in node.children_by_field_name("value") for value in self._word(child)
        ]
        if variable is not None:
            self._variables.put(text_of(variable), tuple(values))
        for child in node.named_children:
            self.visit(child, depth + 1)

    def _pipeline(self, node: Node, depth: int) -> None:
        before = self._fed
        for child in node.named_children:
            count = len(self.found)
            self.visit(child, depth + 1)
            last = self.found[-1] if len(self.found) > count else None
            printed = output(last.argv, last.fed) if last is not None and last.argv else None
            self._fed = printed or ""
        self._fed = before

    def _redirected(self, node: Node, depth: int) -> None:
        body = node.child_by_field_name("body")
        fed = "".join(self._fed_by(child, depth) for child in node.named_children if child != body)
        before, self._fed = self._fed, fed or self._fed
        count = len(self.found)
        if body is not None:
            self.visit(body, depth + 1)
        self._fed = before
        targets = [target for child in node.named_children for target in self._targets(child)]
        if len(self.found) > count:
            self.found[-1].targets += targets
        elif targets:
            self.found.append(Command([], self._at, targets=targets))

    def _fed_by(self, node: Node, depth: int) -> str:
        """What a here-document or here-string feeds; the commands in it are read as well."""
        if node.type == "heredoc_redirect":
            for child in node.named_children:
                if child.type not in {"heredoc_body", "file_redirect"}:
                    self.visit(child, depth + 1)
            bodies = (child for child in node.named_children if child.type == "heredoc_body")
            return "".join(text_of(body) for body in bodies)
        if node.type == "herestring_redirect" and node.named_children:
            return self._word(node.named_children[-1])[0]
        return ""

    def _targets(self, node: Node) -> Iterator[Word]:
        if node.type == "heredoc_redirect":
            for child in node.named_children:
                yield from self._targets(child)
        if node.type != "file_redirect":
            return
        if any(">" in child.type for child in node.children if not child.is_named):
            for word in self._words(node.children_by_field_name("destination")):
                if not word[0].isdecimal():  # `2>&1` names a descriptor
                    yield word

    def _command(self, node: Node, depth: int) -> None:
        words: list[Node] = []
        targets: list[Word] = []
        fed = self._fed
        for child in node.children:
            if child.type == "variable_assignment":
                self._assignment(child, depth)
            elif child.type.endswith("_redirect"):
                fed = self._fed_by(child, depth) or fed
                targets += self._targets(child)
            else:
                self._inside(child, depth)
                words.append(child)
        argv = self._words(words)
        command = Command(argv, self._at, fed, targets)
        self.found.append(command)
        if argv and argv[0][0].casefold() in _MOVES:
            self._move(argv)

    def _move(self, argv: list[Word]) -> None:
        plain = [word[0] for word in argv[1:] if not word[0].startswith("-")]
        if plain:
            absolute = plain[0].startswith(("/", "~", "$")) or plain[0][1:2] == ":"
            self._at = plain[0] if absolute or not self._at else f"{self._at}/{plain[0]}"

    def _inside(self, node: Node, depth: int) -> None:
        """The commands of the substitutions within a word."""
        if node.type in {"command_substitution", "process_substitution"}:
            at = self._at
            for child in node.named_children:
                self.visit(child, depth + 1)
            self._at = at
        elif depth < _DEEPEST:
            for child in node.named_children:
                self._inside(child, depth + 1)
        else:
            self.more = True

    def _words(self, nodes: list[Node]) -> list[Word]:
        """What nodes come to; the grammar parts some words (`a'b'\\c`) of which nothing stands between."""
        words: list[Word] = []
        end = -1
        for node in nodes:
            word = self._word(node) or ("",)
            if node.start_byte == end:
                words[-1] = joined([words[-1], word])
            else:
                words.append(word)
            end = node.end_byte
        return words

    def _word(self, node: Node) -> Word:
        match node.type:
            case "raw_string":
                return (text_of(node)[1:-1],)
            case "ansi_c_string":
                return (unescaped(text_of(node)[2:-1]),)
            case "string":
                return self._quoted(node)
            case "concatenation" | "command_name" | "translated_string":
                return joined([self._word(child) for child in node.named_children]) or ("",)
            case "simple_expansion" | "expansion":
                return expansion(node, self._variables)
            case "command_substitution":
                return (self._substituted(node),)
            case "array":
                return tuple(value for child in node.named_children for value in self._word(child))
            case _:
                return bare(text_of(node))

    def _quoted(self, node: Node) -> Word:
        """A string in double quotes, with what stands between its parts."""
        inside = node.children[1:-1] if node.child_count > 1 else node.children
        parts = [
            (text_of(child),) if child.type == "string_content" else self._word(child)
            for child in inside
        ]
        return joined(parts) if parts else ("",)

    def _substituted(self, node: Node) -> str:
        """What the commands of a substitution print, as far as that can be said."""
        inner = _Reader()
        inner._variables = self._variables
        for child in node.named_children:
            inner.visit(child, 1)
        self.more = self.more or inner.more
        if not inner.found or not inner.found[-1].argv:
            return "*"
        last = inner.found[-1]
        printed = output(last.argv, last.fed)
        return "*" if printed is None else printed.strip()
