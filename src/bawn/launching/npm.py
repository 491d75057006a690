"""The runners of npm packages: npx, npm exec, pnpm dlx, yarn dlx, bunx.

Sources: the command pages of npm 11, pnpm 10, Yarn 4 and Bun 1.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import msgspec

from bawn.launching.command import Command, Launching
from bawn.launching.options import Parsed, Syntax, names, parse
from bawn.launching.problem import Problem, problem
from bawn.launching.specifier import npm

_VALUED: Final = names(
    "--package --call --workspace -w --cache --prefix -C --loglevel --tag --omit --include --scope --proxy "
    "--https-proxy --noproxy --ca --cafile --cert --key --before --otp --node-version --target --libc --os "
    "--cpu --fetch-retries --fetch-timeout --maxsockets --logs-dir --logs-max --install-strategy"
)
_FLAGS: Final = names(
    "--yes -y --no -n --quiet -q --silent -s --verbose -d --version -v --help -h --offline --prefer-offline "
    "--prefer-online --ignore-existing --ignore-scripts --workspaces --ws --include-workspace-root --force "
    "-f --global -g --audit --fund --progress --color --update-notifier --legacy-peer-deps --foreground-scripts "
    "--strict-ssl --strict-peer-deps --package-lock --save --production --json --long -l --parseable "
    "--always-spawn --shell-auto-fallback --engine-strict --bin-links --dry-run"
)
_KINDS: Final = {
    "-c": "inline",
    "--call": "inline",
    "--node-arg": "inline",
    "--git": "inline",
    "--node-gyp": "inline",
    "--script-shell": "shell",
    "--shell": "shell",
    "--node-options": "preload",
    "--registry": "index",
    "--userconfig": "index",
    "--globalconfig": "index",
    "-y": "consent",
    "--yes": "consent",
}
_MORE: Final = names(
    "-c --node-arg --git --node-gyp --script-shell --shell --node-options --registry --userconfig --globalconfig"
)
_NPX: Final = Syntax(_VALUED | _MORE | {"-p"}, _FLAGS, kinds=_KINDS, abbreviates=True, closed=True)
_NPM: Final = Syntax(
    _VALUED | _MORE, _FLAGS | {"-p"}, kinds=_KINDS, abbreviates=True, closed=True, anywhere=True
)
_PNPM: Final = Syntax(
    names("--package --reporter --dir -C --filter -F --allow-build --loglevel --config"),
    names("--silent -s --color --stream --offline --prefer-offline -w --workspace-root -r"),
    kinds={
        "-c": "shell", "--shell-mode": "shell", "--registry": "index", "--node-options": "preload",
        "--script-shell": "shell", "--userconfig": "index", "--globalconfig": "index", "--node-gyp": "inline",
    },
    closed=True,
)  # fmt: skip
_YARN: Final = Syntax(
    frozenset(["-p", "--package", "--cwd"]), frozenset(["-q", "--quiet"]), closed=True
)
_BUNX: Final = Syntax(
    frozenset(["-p", "--package", "--cwd"]),
    frozenset(["--bun", "--silent", "--verbose", "--no-install", "-b"]),
    kinds={"--registry": "index", "-c": "index", "--config": "index", "-r": "preload", "--preload": "preload",
           "-e": "inline", "--eval": "inline", "--print": "inline"},
    closed=True,
)  # fmt: skip
_SCRIPTS: Final = frozenset(["run", "run-script", "start", "test", "restart", "rum", "urn", "t"])
_NPM_EXEC: Final = frozenset(["exec", "x"])


def npx(command: Command) -> Launching:
    """npx: everything after the first word that is no option belongs to the program."""
    return _fetch(command, "npx", parse(command.words, _NPX), _NPX)


def bunx(command: Command) -> Launching:
    """bunx, and `bun x` without its first word."""
    return _fetch(command, "bunx", parse(command.words, _BUNX), _BUNX)


def npm_itself(command: Command) -> Launching:
    """npm: `exec` takes options anywhere before `--`, `run` starts a script of package.json by a shell."""
    parsed = parse(command.words, _NPM)
    return _by_verb(command, "npm", parsed, _NPM, _NPM_EXEC, _NPM)


def pnpm(command: Command) -> Launching:
    """pnpm dlx and exec. pnpx is the former."""
    # `--config.NAME` is pnpm's other way to write `--NAME`.
    plain = tuple(
        "--" + word.removeprefix("--config.") if word.startswith("--config.") else word
        for word in command.words
    )
    command = replace(command, words=plain)
    if command.runner == "pnpx":
        return _fetch(command, "pnpm dlx", parse(command.words, _PNPM), _PNPM)
    return _by_verb(command, "pnpm", parse(command.words, _PNPM), _PNPM, {"dlx", "exec"}, _PNPM)


def yarn(command: Command) -> Launching:
    """Yarn dlx and exec; the latter's shell is Yarn's own."""
    return _by_verb(command, "yarn", parse(command.words, _YARN), _YARN, {"dlx", "exec"}, _YARN)


def _by_verb(
    command: Command,
    runner: str,
    parsed: Parsed,
    before: Syntax,
    fetching: set[str] | frozenset[str],
    after: Syntax,
) -> Launching:
    """A runner with subcommands: what it fetches or runs, by its verb."""
    own = tuple(parsed.problems(before, command.at))
    verb = command.words[parsed.others[0]] if parsed.others else ""
    if verb not in fetching:
        kind = "script" if verb in _SCRIPTS or runner != "npm" else "unknown"
        at = command.at + (parsed.others[0] if parsed.others else 0)
        words = tuple(command.words[each] for each in parsed.others[1:])
        found = (*own, problem(kind, at, f"{runner} {verb}".strip()))
        return Launching(runner, None, verb, words, (*found, *_fallen(command, runner, parsed)))
    if after.anywhere:
        rest = Parsed(parsed.options, parsed.others[1:])
    else:
        rest = parse(command.words, after, parsed.others[0] + 1)
    if runner != "npm" and verb == "exec":
        return _local(command, f"{runner} exec", rest, after).beside(own)
    return _fetch(command, f"{runner} {verb}", rest, after).beside(() if after.anywhere else own)


def _fallen(command: Command, runner: str, parsed: Parsed) -> tuple[Problem, ...]:
    """What a word starts that is no verb: Yarn and pnpm take it for a program of the path."""
    if not parsed.others:
        return ()
    if runner == "npm":
        explored = command.words[parsed.others[0]] == "explore"
        return (problem("shell", command.at + parsed.others[0], "explore"),) if explored else ()
    inner = command.inner(parsed.others[0])
    return inner.problems if inner.runner else ()


def _local(command: Command, runner: str, parsed: Parsed, syntax: Syntax) -> Launching:
    """A program of the project: found on the path, so that it may be any."""
    start = parsed.others[0] if parsed.others else len(command.words)
    inner = command.inner(start)
    found = (*parsed.problems(syntax, command.at), problem("script", command.at, runner))
    return msgspec.structs.replace(inner, runner=runner).beside(found)


def _fetch(command: Command, runner: str, parsed: Parsed, syntax: Syntax) -> Launching:
    """A package, and the program in it that is started."""
    problems = [*parsed.problems(syntax, command.at), *_scoped(parsed, command.at)]
    given = parsed.values("--package") + (parsed.values("-p") if "-p" in syntax.valued else ())
    words = tuple(command.words[each] for each in parsed.others)
    at = parsed.others[0] if parsed.others else 0
    packages = [(each.value or "", each.at) for each in given] or [(word, at) for word in words[:1]]
    read = [npm(text, command.at + place) for text, place in packages]
    problems += [each for _, found in read for each in found]
    package = next((found for found, _ in read if found is not None), None)
    if not packages:
        problems.append(problem("empty", command.at, runner))
    if not words:
        return Launching(runner, package, "", (), tuple(problems))
    program = words[0] if given or package is None else package.name
    inner = command.nested((program, *words[1:]), at)
    if inner.runner:
        problems += inner.problems
    shown = program if given else ""
    return Launching(
        runner, package, inner.program if inner.runner else shown, words[1:], tuple(problems)
    )


def _scoped(parsed: Parsed, at: int) -> Iterator[Problem]:
    """`--@scope:registry=…` is npm's way to take one scope from elsewhere."""
    for each in parsed.options:
        if each.name.lower().endswith(":registry"):
            yield problem("index", at + each.at, "--@…:registry")
