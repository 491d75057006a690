"""Python, and the runners of its packages: uvx, uv run, pipx run, pip.

Sources: CPython's "Command line and environment", the reference of uv 0.9, pipx 1.8.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bawn.findings.finding import Level
from bawn.launching.command import Command, Launching, is_stream, is_writable, name_of
from bawn.launching.loopback import is_loopback
from bawn.launching.options import Parsed, Syntax, names, parse
from bawn.launching.package import Package
from bawn.launching.problem import Problem, problem
from bawn.launching.specifier import is_remote, python, remote

_PYTHON: Final = Syntax(
    valued=frozenset(["-c", "-m", "-W", "-X", "--check-hash-based-pycs"]),
    flags=names(
        "-b -B -d -E -h -? -I -O -P -q -s -S -t -u -v -V -x -R -3 --help --version --help-all --help-env "
        "--help-xoptions"
    ),
    final=frozenset(["-c", "-m"]),
    kinds={"-c": "inline", "-i": "inline"},
    closed=True,
)
_UV: Final = Syntax(
    valued=names(
        "--from --with --with-editable --with-requirements -w -c --constraint --constraints -b "
        "--build-constraint --build-constraints --override --overrides --env-file --python -p --index "
        "--default-index -i --index-url --extra-index-url -f --find-links -P --upgrade-package --index-strategy "
        "--keyring-provider --resolution --prerelease --fork-strategy --exclude-newer --exclude-newer-package "
        "--link-mode -C --config-setting --config-settings-package --no-build-isolation-package "
        "--no-build-package --no-binary-package --refresh-package --reinstall-package --cache-dir "
        "--python-preference --color --allow-insecure-host --directory --project --config-file "
        "--torch-backend --python-platform --extra --no-extra --group --no-group --only-group --package "
        "--upgrade-group"),
    flags=names(
        "--isolated --offline --quiet -q --verbose -v --native-tls --refresh --upgrade -U --reinstall -n "
        "--module -m --script -s --gui-script --all-extras --dev --only-dev --all-groups --locked --frozen "
        "--exact --active --all-packages --managed-python --compile-bytecode --compile --system-certs "
        "--preview --help -h --version -V --show-settings --lfs --inexact --editable"),
    kinds={
        "-i": "index", "--index": "index", "--default-index": "index", "--index-url": "index",
        "--extra-index-url": "index", "-f": "index", "--find-links": "index", "--config-file": "index",
        "--allow-insecure-host": "unverified", "--env-file": "override",
    },
    closed=True,
)  # fmt: skip
_PIPX: Final = Syntax(
    valued=names("--spec --python --pip-args --index-url -i --with --fetch-missing-python"),
    flags=names("--no-cache --pypackages --path --verbose -v --quiet -q --system-site-packages"),
    kinds={"--pip-args": "index", "--index-url": "index", "-i": "index"},
    closed=True,
)
_PIP: Final = Syntax(
    valued=names("-r --requirement -c --constraint -e --editable -t --target --prefix --root"),
    kinds={
        "-i": "index", "--index-url": "index", "--extra-index-url": "index", "-f": "index",
        "--find-links": "index", "--trusted-host": "unverified",
    },
    anywhere=True,
    abbreviates=True,
)  # fmt: skip
_RUNS_TEXT: Final = frozenset(["timeit", "code", "pdb", "idlelib", "asyncio", "bdb", "doctest"])
_RUNNERS: Final = frozenset(
    ["uv", "pipx", "pip", "ipython", "poetry", "pdm", "hatch", "pipenv", "xonsh"]
)
_DEBUGGER: Final = Syntax(
    frozenset(["--listen", "--connect", "--log-to", "--adapter-access-token"])
)


def interpreter(command: Command) -> Launching:
    """python, pypy: a script or a module."""
    words = command.words
    parsed = parse(words, _PYTHON)
    problems = [*parsed.problems(_PYTHON, command.at), *_cached(parsed, command.at)]
    module = parsed.values("-m")
    rest = tuple(words[each] for each in parsed.others)
    if module:
        name, at = module[0].value or "", module[0].at
        return _module(command, name, at, rest).beside(problems)
    if parsed.values("-c"):
        return Launching("python", None, "", rest, tuple(problems))
    if not rest or rest[0] == "-":
        problems.append(problem("inline", command.at, "code is read from the standard input"))
        return Launching("python", None, "", rest, tuple(problems))
    problems += _script(rest[0], command.at + parsed.others[0])
    return Launching("python", None, rest[0], rest[1:], tuple(problems))


def _module(command: Command, name: str, at: int, rest: tuple[str, ...]) -> Launching:
    root = name.partition(".")[0]
    if root.lower() in _RUNNERS:
        return command.nested((root, *rest), at)
    if root == "debugpy":
        return Launching("python", None, name, rest, tuple(_debugged(rest, command.at + at)))
    found = (problem("inline", command.at + at, f"-m {root}"),) if root in _RUNS_TEXT else ()
    return Launching("python", None, name, rest, found)


def _debugged(rest: tuple[str, ...], at: int) -> Iterator[Problem]:
    """A debugger's port, as debugpy takes it."""
    for each in parse(rest, _DEBUGGER, 0).values("--listen", "--connect"):
        level: Level | None = "warning" if is_loopback(each.value) else None
        yield problem("debugger", at, each.name, level=level)


def _cached(parsed: Parsed, at: int) -> Iterator[Problem]:
    """`-X pycache_prefix` is where compiled code is taken from."""
    for each in parsed.values("-X"):
        name, _, path = (each.value or "").partition("=")
        if name == "pycache_prefix" and path:
            yield problem("preload" if is_writable(path) else "override", at + each.at, "-X")
    for each in parsed.values("-W"):  # a category is a class, whose module is imported
        if "." in (each.value or "").rpartition("::")[2] and "::" in (each.value or ""):
            yield problem("override", at + each.at, "-W")


def _script(path: str, at: int) -> list[Problem]:
    if is_remote(path):
        return [remote(path, at)]
    if is_stream(path):
        return [problem("inline", at, path)]
    return [problem("writable", at, path)] if is_writable(path) else []


def uvx(command: Command) -> Launching:
    """uvx, which is `uv tool run`."""
    return _tool(command, parse(command.words, _UV), "uvx")


def uv(command: Command) -> Launching:
    """uv, by its verb; its options may stand before it, too."""
    before = parse(command.words, _UV)
    own = tuple(before.problems(_UV, command.at))
    at = before.others[0] if before.others else len(command.words)
    verbs = command.words[at : at + 2]
    if verbs[:1] == ("run",):
        return _run(command, parse(command.words, _UV, at + 1)).beside(own)
    if verbs in {("tool", "run"), ("tool", "uvx")}:
        return _tool(command, parse(command.words, _UV, at + 2), "uv tool run").beside(own)
    if verbs[:1] == ("tool",):  # `uv tool --from x run y`: options between the verbs
        between = parse(command.words, _UV, at + 1)
        if between.others and command.words[between.others[0]] in {"run", "uvx"}:
            after = parse(command.words, _UV, between.others[0] + 1)
            whole = Parsed(between.options + after.options, after.others)
            return _tool(command, whole, "uv tool run").beside(own)
    if verbs[:1] == ("pip",):
        return command.inner(at).beside(own)
    unknown = problem("unknown", command.at, "uv " + " ".join(verbs[:1]))
    return Launching("uv", None, "", command.words[at:], (*own, unknown))


def _tool(command: Command, parsed: Parsed, runner: str) -> Launching:
    """A package's program: of the package that `--from` names, or of its own name."""
    problems = [*parsed.problems(_UV, command.at), *_with(command, parsed)]
    words = tuple(command.words[each] for each in parsed.others)
    at = parsed.others[0] if parsed.others else 0
    given = parsed.values("--from")[-1:]
    if not words and not given:
        return Launching(runner, None, "", (), (*problems, problem("empty", command.at, runner)))
    text, place = (given[0].value or "", given[0].at) if given else (words[0], at)
    if not given and text.endswith(".py"):
        package, found = None, tuple(_script(text, command.at + place))
    else:
        package, found = python(text, command.at + place)
    problems += found
    program = words[0] if words else ""
    bare = program.partition("@")[0] if not is_remote(program) else program
    if package is not None and package.name == "python":
        package = None  # uvx knows it as the interpreter, not as a package
    if not words:
        return Launching(runner, package, "", (), tuple(problems))
    inner = command.nested((bare, *words[1:]), at)
    problems += inner.problems if inner.runner else ()
    return Launching(runner, package, bare, words[1:], tuple(problems))


def _run(command: Command, parsed: Parsed) -> Launching:
    """`uv run`: a script, a module, or any program that the path has."""
    problems = [*parsed.problems(_UV, command.at), *_with(command, parsed)]
    words = tuple(command.words[each] for each in parsed.others)
    package = _first(parsed)
    if not words:
        return Launching("uv run", package, "", (), (*problems, problem("empty", command.at)))
    at = command.at + parsed.others[0]
    if any(each.name in {"-m", "--module"} for each in parsed.options):
        inner = _module(command, words[0], parsed.others[0], words[1:])
        return Launching("uv run", package, words[0], words[1:], (*problems, *inner.problems))
    if words[0] == "-":
        problems.append(problem("inline", at, "code is read from the standard input"))
        return Launching("uv run", package, "", words[1:], tuple(problems))
    if is_remote(words[0]) or is_stream(words[0]) or words[0].endswith(".py"):
        problems += _script(words[0], at)
        return Launching("uv run", package, words[0], words[1:], tuple(problems))
    inner = command.inner(parsed.others[0])
    problems += inner.problems if inner.runner else ()
    return Launching(
        "uv run",
        package or inner.package,
        inner.program or words[0],
        inner.arguments,
        tuple(problems),
    )


def _first(parsed: Parsed) -> Package | None:
    given = parsed.values("--with", "-w")
    return python((given[0].value or "").partition(",")[0], 0)[0] if given else None


def _with(command: Command, parsed: Parsed) -> list[Problem]:
    """What is wrong with further packages, and with files of requirements from elsewhere."""
    found: list[Problem] = []
    for each in parsed.values("--with", "-w", "--with-editable"):
        for text in (each.value or "").split(","):
            found += python(text.strip(), command.at + each.at)[1]
    names = ("--with-requirements", "-c", "--constraint", "--constraints", "--overrides", "--override",
             "-b", "--build-constraint", "--build-constraints", "--directory", "--project")  # fmt: skip
    for each in parsed.values(*names):
        found += _script(each.value or "", command.at + each.at)
    for each in parsed.values("--python", "-p"):
        path, at = each.value or "", command.at + each.at
        if "/" in path and not name_of(path).startswith(("python", "pypy")):
            found.append(problem("override", at, each.name))
        found += [problem("writable", at, path)] if is_writable(path) else []
    return found


def pipx(command: Command) -> Launching:
    """pipx run: a package, or a script from an address."""
    before = parse(command.words, _PIPX)
    own = tuple(before.problems(_PIPX, command.at))
    at = before.others[0] if before.others else len(command.words)
    if command.words[at : at + 1] != ("run",):
        return Launching(
            "pipx", None, "", command.words[at:], (*own, problem("unknown", command.at))
        )
    parsed = parse(command.words, _PIPX, at + 1)
    problems = [*own, *parsed.problems(_PIPX, command.at), *_with(command, parsed)]
    words = tuple(command.words[each] for each in parsed.others)
    if not words:
        return Launching("pipx run", None, "", (), (*problems, problem("empty", command.at)))
    spec = parsed.values("--spec")[-1:]
    text, place = (spec[0].value or "", spec[0].at) if spec else (words[0], parsed.others[0])
    package, found = python(text, command.at + place)
    inner = command.nested(words, parsed.others[0])
    started = inner.problems if spec and inner.runner else ()
    return Launching("pipx run", package, words[0], words[1:], (*problems, *found, *started))


def pip(command: Command) -> Launching:
    """pip: it installs, and serves nobody; what it would install is looked at all the same."""
    parsed = parse(command.words, _PIP)
    problems = [*parsed.problems(_PIP, command.at), problem("unknown", command.at, command.runner)]
    words = [(command.words[each], command.at + each) for each in parsed.others]
    package = None
    for word, at in words[1:]:
        named, found = python(word, at)
        package = package or named
        problems += found
    return Launching("pip", package, "", tuple(word for word, _ in words), tuple(problems))
