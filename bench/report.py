"""What was measured, as a page and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from bench.figures import Budget, Results, Times, budgets, middle
from bench.load import Sample
from bench.matrix import Result
from bench.policy import Figure
from bench.target import SERVER

_SIZES: Final = {200: "200 B", 10_000: "10 KB", 1_000_000: "1 MB"}


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that one run of the benchmark found."""

    date: str
    setting: Mapping[str, str]
    results: Sequence[Result]
    times: Times
    servers_at_start: str
    decided: Mapping[Figure, float]

    @property
    def budgets(self) -> list[Budget]:
        """The figures against what the design promises."""
        return budgets(Results(self.results), self.times, self.decided)


def as_json(run: Run) -> dict[str, Any]:
    """All of it, every sample included."""
    return {
        "date": run.date,
        "setting": dict(run.setting),
        "times": asdict(run.times),
        "deciding": [
            {"what": each.what, "policies": each.policies, "value": value, "unit": each.unit}
            for each, value in run.decided.items()
        ],
        "budgets": [{**asdict(budget), "verdict": budget.verdict} for budget in run.budgets],
        "results": [
            {
                **asdict(result.case),
                "targets": {
                    name: [sample.as_json() for sample in samples]
                    for name, samples in result.samples.items()
                },
            }
            for result in run.results
        ],
    }


def tables(run: Run) -> str:
    """The figures in Markdown: budgets first, then deciding, then every case."""
    parts = (_budget_table(run), _policy_table(run.decided), _case_table(run.results))
    return "\n\n".join("\n".join(part) for part in parts)


def page(run: Run) -> str:
    """docs/benchmarks.md."""
    setting = "\n".join(f"- {name}: {value}" for name, value in run.setting.items())
    return f"""# Benchmarks

Written by `make bench` on {run.date}; do not edit. Absolute figures belong to that machine on that
day and swing by 30 % on shared ones; **CPU per call and ratios within the run are what holds**.

## Setting

{setting}

The program under test runs on one core, the load (wrk, one thread) and the MCP server behind it on
another; everything is on the loopback interface. The server is a mock in C that speaks 2026-07-28.
Every call is a modern `tools/call` with an id and a mark of its own. Before each row is timed, its
targets answer four calls on each connection, and every answer must belong to its request; the
timed answers must all be HTTP 200 and as long as the result. Targets take turns in short rounds;
figures are medians of the rounds, ratios are medians of what ran in the same round.

- **direct**: wrk to the mock, both on the same core; the CPU shown is the mock's.
- **nginx**: a plain reverse proxy, one worker, kept-alive connections, no access log.
- **yardstick**: a bare relay on bawn's own stack (uvicorn, bare ASGI, bawn's upstream client)
  without any check.
- **bawn**: one worker, as `bawn up` starts it: token verified, role decided, body and headers
  judged, intent and outcome in the audit (`durability: normal`), metrics. Calls go to the
  aggregate endpoint, so the tool's name is mapped as well. Arguments and answers are inspected: schema,
  kinds, text. The text is plain words in which no trigger is: what has one is looked at again, and
  dearer: an argument called `token` was, and a call cost 156 µs.
- **bawn, safe policies**: the same with a policy directory in which there are no rules, so that the
  set is in force that comes with bawn. The mock says of its tools that they only read.
- **bawn, 100 policies**: with a directory of so many rules, of which none looks at the call itself;
  **arguments**: ten of them look at the arguments of any tool, and are evaluated for each call.
- **bawn, stdio**: the same in front of a local server. Worker and runner share the one core; the
  server's process, which is a mock in C too, runs on the other. CPU and memory are the worker's and
  the runner's together (those of supervisor and steward, which are idle, are in the sum as well).
- **FastMCP**: `create_proxy(URL)` with its defaults and no authentication, in the newest version
  whose dependencies could be installed. It makes a new HTTP client with a TLS context for each
  call, which explains most of its figure.

## Budgets

{chr(10).join(_budget_table(run))}

`bawn up` was timed with {run.servers_at_start}, from a new state directory.

## Deciding

{chr(10).join(_policy_table(run.decided))}

CPU time in process, each figure in a process of its own. A decision is constant when no rule that
could still matter looks at the call itself: then it is looked up. Otherwise the rules that are left
open are evaluated. The first caller of a class has the rules evaluated for all tools that they can
tell apart, once in a View.

## Every row

{chr(10).join(_case_table(run.results))}

Sizes are those of the text in the result. CPU is user and system time of the target's own processes
per completed call. Memory is resident memory of all the target's own processes after the run.

## Not measured

- Envoy: not part of this run.
- Two workers against one: this release has one worker, and this comparison wants four cores.
- TLS, HTTP/2 and callers on another machine: everything here is plain HTTP on the loopback.
- FastMCP at 64 connections, where no answer comes within a round; with sizes above 200 B, with
  1,000 tools, and in front of a local server.
- `durability: strict`: its cost is the disk's.

## Regressions

`python -m bench.ab --base REF` judges a change: two processes run bawn's data path in memory, the
work tree's and the base's, and take turns (A B B A) for at least 30 rounds. The change is a
regression when the confidence interval of the median difference in CPU per call lies above 3 %.
`python -m bench.stages` says where the time of a call goes.
"""


def _budget_table(run: Run) -> Iterator[str]:
    yield "| figure | measured | floor | goal | |"
    yield "|---|---|---|---|---|"
    for budget in run.budgets:
        value = "–" if budget.value is None else f"{_number(budget.value)} {budget.unit}"
        note = f"{budget.verdict}{f' ({budget.note})' if budget.note else ''}"
        sign = "≥" if budget.more_is_better else "≤"
        floor, goal = (f"{sign} {_number(bound)}" for bound in (budget.floor, budget.goal))
        yield f"| {budget.name} | {value} | {floor} | {goal} | {note} |"


def _policy_table(decided: Mapping[Figure, float]) -> Iterator[str]:
    yield "| figure | policies | measured |"
    yield "|---|---|---|"
    for figure, value in decided.items():
        yield f"| {figure.what} | {figure.policies} | {_number(value)} {figure.unit} |"


def _case_table(results: Sequence[Result]) -> Iterator[str]:
    yield "| result | connections | target | calls/s | p50 ms | p99 ms | CPU µs/call | memory MB |"
    yield "|---|---|---|---|---|---|---|---|"
    for result in results:
        case = result.case
        for name, samples in result.samples.items():
            yield (
                f"| {_SIZES[case.size]} | {case.connections} | {name} "
                f"| {middle(samples, lambda s: s.rate):,.0f} "
                f"| {_number(middle(samples, lambda s: s.p50_ms))} "
                f"| {_number(middle(samples, lambda s: s.p99_ms))} "
                f"| {_number(middle(samples, _cpu))} | {middle(samples, _memory):.0f} |"
            )


def _cpu(sample: Sample) -> float:
    return sample.own_cpu_us or sample.cpu_us[SERVER]


def _memory(sample: Sample) -> float:
    return sample.own_rss_mb or sample.rss_mb[SERVER]


def _number(value: float) -> str:
    """Three significant digits, or all before the point."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
