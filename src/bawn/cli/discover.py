"""`bawn discover`: MCP servers that are not behind the gate, wherever they can be seen."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bawn.cli.discover_report import Report, as_tree, lines, write_metrics, write_sarif
from bawn.cli.options import ConfigOption, JsonOption, fail, find_config, user_config
from bawn.cli.quoting import printable
from bawn.cli.reading import explained

if TYPE_CHECKING:
    from bawn.config.load import Loaded
    from bawn.discovery.telling.registered import Registered
    from bawn.discovery.telling.survey import Scope

_ASKS: Final = "it sends `server/discover`, then `initialize`, then `GET /sse`; no call, no list, no credentials"


AllUsersOption = Annotated[
    bool, typer.Option("--all-users", help="The client files of every user; best as root.")
]
DirectoriesOption = Annotated[
    list[Path] | None,
    typer.Option("--dir", help="Every project below it, and their repositories; repeatable."),
]
RepositoriesOption = Annotated[
    list[Path] | None,
    typer.Option("--git", metavar="REPO", help="All branches of a repository; repeatable."),
]
ImagesOption = Annotated[
    list[Path] | None,
    typer.Option("--image", metavar="TAR", help="A saved container image; repeatable."),
]
LogsOption = Annotated[
    list[Path] | None,
    typer.Option("--log", metavar="FILE", help="Access log of Envoy, nginx or Zeek."),
]
KubeconfigOption = Annotated[
    Path | None, typer.Option(help="List a cluster's services and pods by its API.")
]
DumpsOption = Annotated[
    list[Path] | None,
    typer.Option("--cluster-dump", metavar="FILE", help="`kubectl get … -o json`, saved."),
]
ProcessesOption = Annotated[
    bool, typer.Option("--processes/--no-processes", help="Running processes and sockets.")
]
PortsOption = Annotated[
    bool, typer.Option("--ports", help="Ask this machine's listening ports what they are.")
]
NetworkOption = Annotated[
    bool, typer.Option("--network", help="Ask the hosts of `discovery.networks` as well.")
]
AdoptOption = Annotated[
    list[str] | None,
    typer.Option("--adopt", metavar="NAME", help="Move it behind the gate; repeatable."),
]
AdoptAllOption = Annotated[
    bool, typer.Option("--adopt-all", help="Move every client's server behind the gate.")
]
KeyringOption = Annotated[
    bool, typer.Option("--keyring", help="Put adopted secrets into the keyring, not files.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
WatchOption = Annotated[
    bool, typer.Option("--watch", help="Look again and again, and print changes.")
]
EveryOption = Annotated[
    float, typer.Option("--every", help="Seconds between two looks of --watch.", min=1)
]
SarifOption = Annotated[
    Path | None, typer.Option("--sarif", metavar="FILE", help="Write findings as SARIF.")
]
MetricsOption = Annotated[
    Path | None, typer.Option("--metrics", metavar="FILE", help="Write a Prometheus textfile.")
]


def discover(
    *,
    all_users: AllUsersOption = False,
    directory: DirectoriesOption = None,
    repositories: RepositoriesOption = None,
    images: ImagesOption = None,
    logs: LogsOption = None,
    kubeconfig: KubeconfigOption = None,
    cluster_dump: DumpsOption = None,
    processes: ProcessesOption = True,
    ports: PortsOption = False,
    network: NetworkOption = False,
    adopt: AdoptOption = None,
    adopt_all: AdoptAllOption = False,
    keyring: KeyringOption = False,
    yes: YesOption = False,
    watch: WatchOption = False,
    every: EveryOption = 60.0,
    sarif: SarifOption = None,
    metrics: MetricsOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Find MCP servers outside the gate: in client files, processes and sockets, and where you say.

    Nothing is started. Nothing is sent but look-ups of registered servers' names, unless you say --ports,
    --network or --kubeconfig. Exit code 1 when a server is unknown, passes the gate, or can be taken for
    another. (preview)
    """
    from bawn.discovery.clients import Roots
    from bawn.discovery.telling.registered import Registered
    from bawn.discovery.telling.survey import Scope

    _insist_on((directory, repositories, images, logs, cluster_dump, [kubeconfig or Path()]))
    found = _configured(config)
    if (adopt or adopt_all) and watch:
        fail("--watch goes without --adopt.", code=2)
    registered = Registered.of(found) if found else Registered({}, {})
    networks, of_hosts = _networks(found) if network else ((), ())
    scope = Scope(
        roots=Roots.of(os.environ),
        project=Path.cwd(),
        all_users=all_users,
        directories=tuple(map(Path.absolute, directory or ())),
        repositories=tuple(map(Path.absolute, repositories or ())),
        images=tuple(images or ()),
        logs=tuple(logs or ()),
        dumps=tuple(cluster_dump or ()),
        kubeconfig=kubeconfig,
        processes=processes,
        probes=ports,
        networks=networks,
        ports=of_hosts,
        ours=_gate_processes(found),
    )
    if ports or network:
        print(f"bawn: asks servers what they are: {_ASKS}", file=sys.stderr)
    if adopt or adopt_all:
        return _adopted(found, registered, scope, adopt or [], keyring, yes)
    return _told(scope, registered, found, watch, every, sarif, metrics, as_json)


def _adopted(
    found: Loaded | None,
    registered: Registered,
    scope: Scope,
    names: list[str],
    keyring: bool,
    yes: bool,
) -> None:
    from bawn.cli.discover_adopt import adopt_servers

    if found is None:
        fail("there is no bawn.yaml to move servers to.", "`bawn init` writes one.", code=2)
    adopt_servers(found, registered, scope, names, keyring=keyring, yes=yes)


def _networks(found: Loaded | None) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The networks and ports that may be asked."""
    if found is None or not found.config.discovery.networks:
        fail("--network: no networks are configured.", "Set `discovery.networks`.", code=2)
    return found.config.discovery.networks, found.config.discovery.ports


def _told(
    scope: Scope,
    registered: Registered,
    found: Loaded | None,
    again: bool,
    every: float,
    sarif: Path | None,
    metrics: Path | None,
    as_json: bool,
) -> None:
    def look() -> Report:
        return _looked(scope, registered, found is not None)

    def keep(report: Report) -> None:
        for path, write in ((sarif, write_sarif), (metrics, write_metrics)):
            if path is not None:
                _written(path, partial(write, path, report), lasting=again)

    if again:
        from bawn.cli.discover_watch import watch

        stop = _stopped()
        watch(look, keep, _say, lambda: not stop.wait(every), as_json=as_json)
        return
    report = look()
    keep(report)
    if as_json:
        print(json.dumps(as_tree(report), indent=2))
    else:
        for line in lines(report):
            print(line)
    if report.alarms:
        raise typer.Exit(1)


def _looked(scope: Scope, registered: Registered, is_configured: bool) -> Report:
    from bawn.discovery.telling.reconcile import reconcile
    from bawn.discovery.telling.survey import survey

    seen = survey(scope, registered, _progress)
    rows = reconcile(registered, seen.look.sightings, seen.passing, seen.around)
    return Report(rows, seen.look.unseen, is_configured, time.time())


def _progress(what: str) -> None:
    if sys.stderr.isatty():
        print(f"… {printable(what)}", file=sys.stderr)


def _say(line: str) -> None:
    print(line, flush=True)


def _written(path: Path, write: Callable[[], None], *, lasting: bool) -> None:
    try:
        write()
    except OSError as problem:
        what = f"{printable(str(path))}: cannot be written ({problem.strerror})."
        if not lasting:
            fail(what, code=2)
        print(f"bawn: {what}", file=sys.stderr)


def _stopped() -> threading.Event:
    """Set by the signals that end a service."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _configured(given: Path | None) -> Loaded | None:
    from bawn.config.load import load

    if given is None and not any(path.is_file() for path in (Path("bawn.yaml"), user_config())):
        return None
    path = find_config(given)
    with explained():
        return load(path, os.environ)


def _gate_processes(found: Loaded | None) -> tuple[int, ...]:
    """The processes of the running gate, as it tells them; none when it does not run."""
    from bawn.app.control import NotRunningError, ask
    from bawn.errors import Misconfigured

    if found is None:
        return ()
    try:
        pids = ask(found.state, "status")["pids"]
    except (NotRunningError, Misconfigured, OSError, KeyError, ValueError):
        return ()
    listed = (pid for each in pids.values() for pid in (each if isinstance(each, list) else [each]))
    return tuple(pid for pid in listed if isinstance(pid, int))


def _insist_on(named: tuple[list[Path] | None, ...]) -> None:
    for path in (path for each in named for path in each or ()):
        if not path.exists():
            fail(f"{printable(str(path))}: no such file or directory.", code=2)
