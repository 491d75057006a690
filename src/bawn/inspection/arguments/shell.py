"""What a text says to a shell: its pipelines and commands, read by tree-sitter-bash, which forgives errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from bawn.inspection.arguments import documents

_PARSER: Final = Parser(Language(tree_sitter_bash.language()))
_COMMANDS: Final = 1_000
"""Commands of one text that are looked at."""
_NEAR: Final = 40
"""Nodes of a word that are searched for substitutions, and of each for its commands."""
_PART: Final = 2048
_OVERLAP: Final = 256
_SUBSTITUTIONS: Final = frozenset({"command_substitution", "process_substitution"})
_WRITING: Final = frozenset({">", ">>", ">|", "&>", "&>>", "<>"})


class Redirect(msgspec.Struct, frozen=True, gc=False):
    """A file that is read (`writes` false) or written in place of a standard stream."""

    target: str
    writes: bool


class Command(msgspec.Struct, gc=False):
    """One simple command: its name and words without their quotes, as a shell would see them.

    `raw` is the name as written, `paths` the words with backslashes as Windows reads them, and `inside`
    the commands in substitutions among its words.
    """

    name: str
    raw: str
    words: list[str]
    paths: list[str]
    inside: list[Command]
    assigned: list[str]
    redirects: list[Redirect]


class Script(msgspec.Struct, gc=False):
    """All pipelines of a text, those in substitutions included; single commands are pipelines of one."""

    pipelines: list[list[Command]]
    assigned: list[str]
    broken: bool
    cut: bool = False


def read(text: str) -> Script:
    """What a shell would make of a text.

    `broken` where no shell would take it as it stands, `cut` where it has more than is looked at.
    """
    script = Script([], [], False)
    for part in _parts(text):
        root = _PARSER.parse(part.encode("utf-8", "replace")).root_node
        script.broken = script.broken or root.has_error
        _gather(script, root)
        if sum(map(len, script.pipelines)) > _COMMANDS:
            script.cut = True
            break
    return script


def _parts(text: str) -> Iterator[str]:
    """The text in parts of at most 2,048 characters that overlap: on errors the parser's time is quadratic."""
    for script in documents.split(text) if "<<" in text else (text,):
        for start in range(0, max(len(script) - _OVERLAP, 1), _PART - _OVERLAP):
            yield script[start : start + _PART]


def bare(word: str) -> str:
    """A word without the quotes and backslashes that a shell takes away."""
    return word.translate(_QUOTES)


_QUOTES: Final = str.maketrans("", "", "'\"\\")


_SHELLS: Final = frozenset({"sh", "bash", "zsh", "dash", "ksh", "ash"})


def handed(pipeline: Sequence[Command]) -> Iterator[str]:
    """The command lines that shells are handed within a pipeline: `sh -c TEXT`, `eval TEXT`, `echo TEXT | sh`."""
    said = ""
    for command in pipeline:
        words = [command.name, *command.words]
        names = [word.rsplit("/", 1)[-1] for word in words]
        for at, name in enumerate(names):
            if name in _SHELLS:
                flag = next((i for i in range(at + 1, len(words)) if words[i] in _FLAGS), None)
                if flag is not None and flag + 1 < len(words):
                    yield words[flag + 1]
                elif said and at == len(words) - 1:
                    yield said
                break
        if names[0] == "eval" and len(words) > 1:
            yield " ".join(words[1:])
        said = " ".join(words[1:]) if names[0] in ("echo", "printf") else ""


_FLAGS: Final = frozenset({"-c", "-lc", "-ic", "-xc", "-ec", "/c", "-exc"})


def _gather(script: Script, root: Node) -> None:
    """Notes the pipelines and assignments below a node; redirections of a group hold for each command in it."""
    stack: list[tuple[Node, tuple[Redirect, ...]]] = [(root, ())]
    while stack:
        node, redirects = stack.pop()
        kind = node.type
        if kind == "pipeline":
            script.pipelines.append(list(_stages(node, redirects, stack)))
            continue
        if kind == "redirected_statement":
            redirects = (*redirects, *_redirects(node))
        elif kind == "command":
            script.pipelines.append([_command(node, redirects)])
        elif kind == "variable_assignment":
            script.assigned.append(_text(node))
        passed = redirects if kind in _GROUPS else ()
        stack.extend((child, passed) for child in reversed(node.named_children))


_GROUPS: Final = frozenset({"redirected_statement", "list", "compound_statement", "subshell"})


def _stages(
    pipeline: Node, redirects: tuple[Redirect, ...], stack: list[tuple[Node, tuple[Redirect, ...]]]
) -> Iterator[Command]:
    """The commands of a pipeline; what lies below them is left on the stack."""
    for child in pipeline.named_children:
        stage: Node | None = child
        own = redirects
        if child.type == "redirected_statement":
            stage, own = child.child_by_field_name("body"), (*redirects, *_redirects(child))
        if stage is not None and stage.type == "command":
            yield _command(stage, own)
            stack.extend((inner, ()) for inner in stage.named_children)
        else:
            stack.append((child, ()))


def _command(node: Node, redirects: tuple[Redirect, ...] = (), *, inner: bool = True) -> Command:
    raw = ""
    words: list[str] = []
    paths: list[str] = []
    inside: list[Command] = []
    assigned: list[str] = []
    for child in node.named_children:
        if child.type == "command_name":
            raw = _text(child)
        elif child.type == "variable_assignment":
            assigned.append(_text(child))
        elif not child.type.endswith("redirect"):
            word = _text(child)
            words.append(bare(word))
            if "\\" in word:
                paths.append(bare(word.replace("\\", "/")))
        if inner:
            inside += _substituted(child)
    return Command(
        bare(raw),
        raw,
        words,
        paths,
        inside,
        assigned,
        [*redirects, *_redirects(node)],
    )


def _redirects(node: Node) -> Iterator[Redirect]:
    for child in node.named_children:
        if child.type == "file_redirect" and child.named_children:
            yield Redirect(bare(_text(child.named_children[-1])), _operator(child) in _WRITING)


def _operator(redirect: Node) -> str:
    return next((child.type for child in redirect.children if not child.is_named), "")


def _substituted(node: Node) -> list[Command]:
    """The commands in the substitutions of one word, nearest first."""
    return [
        _command(inner, inner=False)
        for each in _nodes(node, _NEAR)
        if each.type in _SUBSTITUTIONS
        for inner in _nodes(each, _NEAR)
        if inner.type == "command"
    ]


def _nodes(root: Node, most: int) -> Iterator[Node]:
    """The nodes below, in the order of the text, without recursion."""
    stack, seen = [root], 0
    while stack and seen < most:
        node = stack.pop()
        seen += 1
        yield node
        stack.extend(reversed(node.named_children))


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")
