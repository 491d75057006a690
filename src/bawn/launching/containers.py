"""Containers: docker, podman, nerdctl. Images are normal; what reaches out of the container is not.

Sources: the reference of `docker container run` (28), podman-run(1) 5.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import msgspec

from bawn.launching.command import Command, Launching
from bawn.launching.environment import assigned
from bawn.launching.options import Option, Parsed, Syntax, names, parse
from bawn.launching.problem import Problem, problem
from bawn.launching.specifier import image, is_remote, remote

_GLOBAL: Final = Syntax(
    valued=names(
        "-H --host -c --context --config -l --log-level --tlscacert --tlscert --tlskey --connection --url "
        "--identity --root --runroot --storage-driver --hooks-dir --module --conmon --runtime --address -a "
        "--namespace -n"),
    kinds={
        "-H": "elsewhere", "--host": "elsewhere", "-c": "elsewhere", "--context": "elsewhere",
        "--connection": "elsewhere", "--url": "elsewhere", "--hooks-dir": "preload", "--runtime": "preload",
        "--conmon": "preload",
    },
)  # fmt: skip
_RUN: Final = Syntax(
    valued=names(
        "-a --attach --add-host --annotation --blkio-weight --blkio-weight-device --cap-add --cap-drop "
        "--cgroup-parent --cgroupns --cidfile --cpu-count --cpu-percent --cpu-period --cpu-quota --cpu-rt-period "
        "--cpu-rt-runtime --cpu-shares -c --cpus --cpuset-cpus --cpuset-mems --detach-keys --device "
        "--device-cgroup-rule --device-read-bps --device-read-iops --device-write-bps --device-write-iops --dns "
        "--dns-opt --dns-option --dns-search --domainname --entrypoint -e --env --env-file --expose --gpus "
        "--group-add --health-cmd --health-interval --health-retries --health-start-period "
        "--health-start-interval --health-timeout -h --hostname --io-maxbandwidth --io-maxiops --ip --ip6 --ipc "
        "--isolation --kernel-memory -l --label --label-file --link --link-local-ip --log-driver --log-opt "
        "--mac-address -m --memory --memory-reservation --memory-swap --memory-swappiness --mount --name --net "
        "--net-alias --network --network-alias --oom-score-adj --pid --pids-limit --platform -p --publish --pull "
        "--restart --runtime --security-opt --shm-size --stop-signal --stop-timeout --storage-opt --sysctl "
        "--tmpfs --ulimit -u --user --userns --uts -v --volume --volume-driver --volumes-from -w --workdir "
        # podman's and nerdctl's own
        "--authfile --arch --os --variant --variant-arch --conmon-pidfile --decryption-key --gidmap --uidmap "
        "--group-entry --passwd-entry --hostuser --image-volume --init-path --init-ctr --pod --pod-id-file "
        "--preserve-fds --requires --sdnotify --seccomp-policy --secret --subgidname --subuidname --timeout --tz "
        "--umask --unsetenv --chrootdirs --env-merge --cgroup-conf --cgroups --personality --retry --retry-delay "
        "--shm-size-systemd --systemd --verify --snapshotter"),
    flags=names(
        "-d --detach --disable-content-trust --help -i --interactive --init --oom-kill-disable -P --publish-all "
        "-q --quiet --read-only --rm --sig-proxy -t --tty --replace --rmi --env-host --http-proxy --tls-verify "
        "--unsetenv-all --read-only-tmpfs --passwd --no-healthcheck --no-hosts --no-hostname"),
    kinds={
        "--privileged": "privileged", "--device": "privileged", "--device-cgroup-rule": "privileged",
        "--use-api-socket": "mount", "--volumes-from": "device", "--runtime": "device", "--env-host": "device",
        "--init-path": "preload", "--rootfs": "device",
    },
    closed=True,
)  # fmt: skip
_COMPOSE: Final = Syntax(
    names("-f --file -p --project-name --profile --env-file --project-directory --ansi --parallel --progress")
)  # fmt: skip
_COMPOSE_RUN: Final = Syntax(
    valued=names("-e --env --env-from-file -l --label --name -p --publish --pull -u --user -v --volume -w --workdir "
                 "--entrypoint --cap-add --cap-drop --index"),
    flags=names("-d --detach --build --remove-orphans --rm -P --service-ports --use-aliases -T --no-TTY -i "
                "--interactive -q --quiet --quiet-build --quiet-pull -t --tty"),
    kinds={"--privileged": "privileged"},
)  # fmt: skip
_EXEC: Final = Syntax(
    valued=names("-e --env --env-file -u --user -w --workdir --detach-keys --preserve-fds"),
    kinds={"--privileged": "privileged"},
)
_CAPABILITIES: Final = names(
    "ALL SYS_ADMIN SYS_PTRACE SYS_MODULE SYS_RAWIO SYS_BOOT SYS_CHROOT NET_ADMIN DAC_READ_SEARCH DAC_OVERRIDE "
    "BPF PERFMON MKNOD SETFCAP MAC_ADMIN MAC_OVERRIDE SYSLOG CHECKPOINT_RESTORE"
)
_SHARED: Final = frozenset(["--pid", "--ipc", "--uts", "--userns", "--cgroupns"])
_GOVERNS: Final = re.compile(
    r"/(?:(?:etc|root|boot|dev|proc|sys|run|usr|s?bin|lib(?:32|64)?|var|var/run|var/lib|opt|home|Users|host)?"
    r"|(?:(?:mnt|host_mnt|run/desktop/mnt/host)/)?c|(?:mnt|host_mnt|run/desktop/mnt/host)/[a-z]"
    r"|(?:var/)?run/user(?:/\d+(?:/podman)?)?"
    r"|(?:etc|boot|dev|proc|sys|usr/s?bin|var/lib/(?:docker|kubelet|containerd)|root/\.ssh)/.*)"
)
_SOCKETS: Final = re.compile(
    r"(?:docker|containerd|podman|crio|dockershim|buildkitd)\.sock$|^/pipe/\w*(?:docker|podman|containerd)"
)
_CREDENTIALS: Final = re.compile(
    r"(?:^|/)\.(?:ssh|gnupg|docker|netrc|git-credentials|password-store|bawn)(?:/|$)"
)
_HOME: Final = re.compile(
    r"(?:~|\$\{?HOME\}?|\$\{env:HOME\}|\$\{userHome\}|/(?:home|Users)/[^/]+)/?"
)
_CLOUD: Final = re.compile(r"(?:^|/)\.(?:aws|kube|azure|config|npmrc|pypirc)(?:/|$)")


def container(command: Command) -> Launching:
    """docker, podman, nerdctl: `run` starts an image, `exec` a program in a container that runs."""
    before = parse(command.words, _GLOBAL)
    own = tuple(before.problems(_GLOBAL, command.at))
    at = before.others[0] if before.others else len(command.words)
    verbs = command.words[at : at + 2]
    if verbs[:1] == ("container",):
        at, verbs = at + 1, verbs[1:]
    runner = command.runner
    if verbs[:1] == ("run",):
        return _run(command, parse(command.words, _RUN, at + 1)).beside(own)
    if verbs[:1] == ("create",):
        return _run(command, parse(command.words, _RUN, at + 1)).beside(
            (*own, problem("unknown", command.at, f"{runner} create"))
        )
    if verbs[:1] == ("compose",):
        return compose(replace(command, words=command.words[at:], at=command.at + at)).beside(own)
    if verbs[:1] == ("exec",):
        parsed = parse(command.words, _EXEC, at + 1)
        found = (*own, *parsed.problems(_EXEC, command.at), problem("elsewhere", command.at + at))
        start = parsed.others[1] if len(parsed.others) > 1 else len(command.words)
        inner = command.inner(start)
        return Launching(
            f"{runner} exec", None, inner.program, inner.arguments, (*found, *inner.problems)
        )
    unknown = problem("unknown", command.at, f"{runner} {' '.join(verbs[:1])}".strip())
    return Launching(runner, None, "", command.words[at:], (*own, unknown))


def compose(command: Command) -> Launching:
    """Compose: `run` starts a service of a file; what that file gives it is not seen here."""
    before = parse(command.words, _COMPOSE)
    own = (
        *before.problems(_COMPOSE, command.at),
        problem("script", command.at, "compose"),
        *(_from(each, command.at) for each in before.values("-f", "--file") if is_remote(each.value or "")),
    )  # fmt: skip
    at = before.others[0] if before.others else len(command.words)
    if command.words[at : at + 1] not in {("run",), ("exec",)}:
        return Launching("compose", None, "", command.words[at:], own)
    parsed = parse(command.words, _COMPOSE_RUN, at + 1)
    found = [*own, *_options(parsed, command.at, _COMPOSE_RUN)]
    entry = [each for each in parsed.values("--entrypoint") if each.value]
    inside = tuple(command.words[each] for each in parsed.others[1:])
    if entry:
        found += _inside(command, (*_entry(entry[-1].value or ""), *inside), entry[-1].at)
    elif inside:
        found += _inside(command, inside, parsed.others[1])
    return Launching("compose", None, "", command.words[at:], tuple(found))


def _from(option: Option, at: int) -> Problem:
    return remote(option.value or "", at + option.at)


def _inside(command: Command, words: tuple[str, ...], at: int) -> tuple[Problem, ...]:
    """What a command within a container would do, as far as its program is known."""
    inner = command.nested(words, at)
    return inner.problems if inner.runner else ()


def _entry(text: str) -> tuple[str, ...]:
    """An entry point: one word, or as Podman takes it, several in JSON."""
    if text.startswith("["):
        try:
            words = msgspec.json.decode(text, type=tuple[str, ...])
        except (msgspec.MsgspecError, UnicodeError):
            return (text,)
        return words or (text,)
    return (text,)


def _run(command: Command, parsed: Parsed) -> Launching:
    problems = list(_options(parsed, command.at, _RUN))
    words = tuple(command.words[each] for each in parsed.others)
    if not words:
        found = problem("empty", command.at, "no image")
        return Launching(command.runner, None, "", (), (*problems, found))
    if any(each.name == "--rootfs" and _is_on(each) for each in parsed.options):
        package, found_in_name = None, tuple(_mount(words[0], command.at + parsed.others[0]))
    else:
        package, found_in_name = image(words[0], command.at + parsed.others[0])
    problems += found_in_name
    entry = [each for each in parsed.values("--entrypoint") if each.value]
    if entry:
        inside = (*_entry(entry[-1].value or ""), *words[1:])
        problems += _inside(command, inside, entry[-1].at)
    elif words[1:]:
        problems += _inside(command, words[1:], parsed.others[1])
    program = (entry[-1].value or "") if entry else ""
    return Launching(command.runner, package, program, words[1:], tuple(problems))


def _is_on(option: Option) -> bool:
    return (option.value or "").lower() not in {"false", "0"}


def _options(parsed: Parsed, at: int, syntax: Syntax) -> Iterator[Problem]:
    on = tuple(filter(_is_on, parsed.options))
    yield from Parsed(on, ()).problems(syntax, at)
    for each in on:
        if each.value is None:
            continue
        place = at + each.at
        if each.name in {"-e", "--env"}:
            name, equals, value = each.value.partition("=")
            yield from assigned(name, value, place) if equals else ()
        elif each.name in {"-v", "--volume"}:
            yield from _mount(_volume_source(each.value), place)
        elif each.name == "--mount":
            for source in _mount_sources(each.value):
                yield from _mount(source, place)
        else:
            yield from _namespace(each, each.value, place)


def _namespace(option: Option, value: str, at: int) -> Iterator[Problem]:
    """What the container shares with the host, or with another container."""
    value = value.strip().lower()
    if option.name in {"--network", "--net"} and value == "host":
        yield problem("network", at, option.name)
    elif option.name in {"--network", "--net"} and value.startswith("container:"):
        yield problem("device", at, option.name)
    elif value.startswith("ns:") and option.name in _SHARED | {"--network", "--net"}:
        yield problem("privileged", at, option.name)
    elif option.name in _SHARED and value == "host":
        yield problem("privileged", at, f"{option.name}=host")
    elif option.name in _SHARED and value.startswith("container:"):
        yield problem("device", at, option.name)
    elif option.name == "--cap-add":
        grave = any(
            each.strip().upper().removeprefix("CAP_") in _CAPABILITIES for each in value.split(",")
        )
        yield problem("privileged" if grave else "device", at, option.name)
    elif option.name == "--security-opt":
        if "unconfined" in value or re.search(r"no-new-privileges[:=]false", value):
            yield problem("privileged", at, option.name)
        elif re.search(r"label[:=]disable|unmask", value):
            yield problem("device", at, option.name)


def _volume_source(value: str) -> str:
    if re.match(r"[A-Za-z]:[\\/]", value):
        return value[:2] + value[2:].partition(":")[0]
    # A reference such as ${env:HOME} holds a colon of its own.
    match = re.match(r"((?:\$\{[^}]*\}|[^:])*):", value)
    return match[1] if match else ""


def _mount_sources(value: str) -> Iterator[str]:
    """The paths of the host in a `--mount`, which is a line of CSV; a volume's driver may bind one, too."""
    for row in csv.reader([value]):
        for field in row:
            name, _, text = field.strip().partition("=")
            name = name.strip().lower()
            if name in {"volume-opt", "volume-option", "o"}:
                name, _, text = text.partition("=")
            if name.strip().lower() in {"src", "source", "device"}:
                yield text.strip()


def _mount(source: str, at: int) -> Iterator[Problem]:
    if not source:
        return
    path = source.replace("\\", "/")
    if path.startswith("//./"):  # a pipe of Windows
        path = path.removeprefix("//.")
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    up = next((count for count, part in enumerate(parts) if part != ".."), len(parts))
    # Two directories up from wherever it is may be the root: what follows is read as if it were.
    rooted = path.startswith("/") or up > 1
    parts = parts[up:] if rooted else parts
    path = ("/" if rooted else "") + "/".join(parts)
    drive = re.fullmatch(r"[A-Za-z]:", path) is not None
    if drive or _GOVERNS.fullmatch(path) or _SOCKETS.search(path) or _CREDENTIALS.search(path):
        yield problem("mount", at, path)
    elif _HOME.fullmatch(path) or _CLOUD.search(path):
        yield problem("mount", at, path, level="warning")
