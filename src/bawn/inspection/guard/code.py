"""What a program writes, in whatever language: the strings in it, alone and put together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bawn.detectors.engine import Gate
from bawn.inspection.guard.paths import unescaped
from bawn.inspection.guard.words import decoded

LONGEST: Final = 1 << 20
"""Characters of a program that are read."""

_STRINGS: Final = 2000
_TOGETHER: Final = 6
_APART: Final = 64
_PATH: Final = 4096

_WRITING: Final = Gate(
    (
        r"writ",
        r"[,=]\s{0,4}[\"'`]([rb]{0,2}\+|[rbt]{0,2}[wax])[bt+]{0,2}[\"'`]",
        r"(save|dump|rename|replace|move|copy|cp|symlink|link|unlink|remove|rmtree|delete|rm|mkdir|touch)\w{0,12}\s?\(",
        r"(truncate|append|outfile|output|chmod|put|create|install|extract|download|upload|spit|save)\w{0,16}",
        r"(system|exec|popen|spawn|subprocess|shell|sh|run|call|check_output|getattr|eval|import)\w{0,16}\s?[\(.`\[]",
        r"shutil|fs\.|child_process|createwritestream|file_put_contents|fopen|[^-=]>>?\s{0,4}[\"'$\w./~]",
        r"\b(attach|vacuum|into|copy|export)\b|\.(output|once|backup|save|clone|import|shell|system)\b",
        r"%%?(writefile|file|bash|sh|sx|system|script)|^\s{0,8}!|system",
    )
)
"""Signs that a program may write, or starts another one."""


def may_write(code: str) -> bool:
    """Whether anything in a program looks like writing."""
    return _WRITING.opens(code[:LONGEST].encode(errors="replace"))


def paths_in(code: str) -> Iterator[str]:
    """The strings of a program, and what neighbours come to, side by side and as components of a path."""
    parts = _parts(code[:LONGEST])
    for index, value in enumerate(parts):
        yield value
        yield from _said(value)
        glued, path = value, value
        for after in range(index + 2, min(index + 2 * _TOGETHER, len(parts)), 2):
            if len(parts[after - 1]) > _APART:
                break
            glued, path = glued + parts[after], f"{path}/{parts[after]}"
            yield from (glued, path)
    yield from _spelled(code[:LONGEST])


def is_cut(code: str) -> bool:
    """Whether a program has more than is read."""
    quotes = code.count("'") + code.count('"') + code.count("`")
    return len(code) > LONGEST or quotes >= _STRINGS


def strings(code: str) -> list[str]:
    """The strings of a program, and what stands between them."""
    return _parts(code[:LONGEST])


def _parts(code: str) -> list[str]:
    """What stands between quotes of any kind.

    Which quote opens and which closes is not asked: a comment with an apostrophe in it would decide that.
    """
    same = code.replace('"', "'").replace("`", "'")
    return [unescaped(part) for part in same.split("'")[:_STRINGS] if len(part) <= _PATH]


def _said(value: str) -> Iterator[str]:
    """What a string says when it is decoded or turned round."""
    if len(value) >= 8 and " " not in value:
        yield value[::-1]
        for how in ("base64", "xxd"):
            if said := decoded(value, how):
                yield said


def _spelled(code: str) -> Iterator[str]:
    """Texts given as the numbers of their characters: `[46, 99, …]`, `chr(46)+chr(99)`, `%c`."""
    digits = "".join(character if character in "0123456789" else " " for character in code)
    numbers = [int(number) for number in digits.replace(",", " ").split() if len(number) <= 3]
    run = ""
    for number in (*numbers, 0):
        if 32 <= number < 127:
            run += chr(number)
            continue
        if len(run) >= 6:
            yield run
        run = ""
