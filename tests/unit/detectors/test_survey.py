"""The survey: bounds, splits, order, and nothing swallowed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bawn.detectors import survey as module
from bawn.detectors.phrases import Phrases
from bawn.detectors.rule import Rule
from bawn.detectors.survey import PARTIAL, Survey
from bawn.model import Detection, Severity, Surface
from bawn.ports.inspecting import Wanted

RULE = Rule("test/order", "high", (Surface.OUTPUT,), "", ("ignore all previous",))
SURVEY = Survey([Phrases("test", [RULE])])


class Echo:
    """Finds the whole of every form that it is shown."""

    id = "echo"
    surfaces = frozenset(Surface)
    triggers: Sequence[str] = ()

    def __init__(self, forms: Wanted = "all") -> None:
        self.forms = forms
        self.seen: list[str] = []

    def detect(self, text: str, surface: Surface) -> Sequence[Detection]:
        self.seen.append(text)
        return [Detection("echo/all", Severity.LOW, 0, len(text), "")]


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        ("raw", ["A %41", "A A"]),
        ("folded", ["a %41", "a a"]),
        ("all", ["A %41", "a %41", "A A", "a a"]),
    ],
)
def test_a_detector_is_shown_the_forms_that_it_reads(wanted: Wanted, seen: list[str]) -> None:
    echo = Echo(wanted)
    Survey([echo]).look("A %41", Surface.OUTPUT)
    assert echo.seen == seen


def test_what_several_forms_show_is_told_once_in_the_rawest() -> None:
    assert [each.view for each in Survey([Echo()]).look("A %41", Surface.OUTPUT)] == ["raw"]


def test_what_raises_is_not_swallowed() -> None:
    class Broken(Echo):
        def detect(self, text: str, surface: Surface) -> Sequence[Detection]:
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        Survey([Broken()]).look("x", Surface.OUTPUT)


def test_a_detector_without_triggers_is_always_asked() -> None:
    assert not Survey([Echo()]).clean(b"{}", Surface.OUTPUT)
    assert Survey([]).clean(b"ignore all previous", Surface.OUTPUT)


def test_findings_come_in_order() -> None:
    text = "x ignore all previous y ignore all previous z " * 2
    found = SURVEY.look(text, Surface.OUTPUT)
    assert [each.start for each in found] == sorted(each.start for each in found)
    assert len(found) == 4
    assert {text[each.start : each.end] for each in found} == {"ignore all previous"}


@pytest.mark.parametrize(
    "texts",
    [
        ["please ignore", "all previous orders"],
        ["please ignore all prev", "ious orders"],
        ["ign", "ore ", "all pre", "vious", "orders"],
        ["it is late", "ignore", "all", "previous", "so be it"],
    ],
)
def test_a_phrase_split_over_neighbours_is_told_at_each_of_them(texts: list[str]) -> None:
    placed = [(f"/{at}", text) for at, text in enumerate(texts)]
    found = SURVEY.look_at(placed, Surface.OUTPUT)
    assert {each.rule for _, each in found} == {"test/order"}
    assert len(found) > 1
    said = [dict(placed)[place][each.start : each.end] for place, each in found]
    assert "".join("".join(said).split()) == "ignoreallprevious"


def test_what_one_text_has_whole_is_told_there_alone() -> None:
    texts = [("/a", "so"), ("/b", "ignore all previous"), ("/c", "words")]
    assert [place for place, _ in SURVEY.look_at(texts, Surface.OUTPUT)] == ["/b"]


def test_long_texts_are_not_joined() -> None:
    texts = [("/a", "x" * 600 + " ignore all"), ("/b", "previous")]
    assert SURVEY.look_at(texts, Surface.OUTPUT) == []


@pytest.fixture
def in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of a thousand characters, two hundred of which the next one has, too."""
    monkeypatch.setattr(module, "LONGEST", 1000)
    monkeypatch.setattr(module, "_LAP", 200)


@pytest.mark.usefixtures("in_pieces")
@pytest.mark.parametrize("before", [0, 600, 795, 990, 1000, 3333])
def test_a_long_text_is_looked_at_in_pieces_to_its_end(before: int) -> None:
    text = "x" * before + " ignore all previous " + "y" * 5000
    (found,) = SURVEY.look(text, Surface.OUTPUT)
    assert text[found.start : found.end] == "ignore all previous"


@pytest.mark.usefixtures("in_pieces")
def test_what_was_not_looked_at_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ALL", 2100)
    order = "ignore all previous "
    texts = [("/a", order * 200), ("/b", order), ("/c", "z" * 5000)]
    found = SURVEY.look_at(texts, Surface.OUTPUT)
    (place, partial) = found[-1]
    assert [each.rule for _, each in found].count(PARTIAL) == 1
    assert (place, partial.rule, partial.severity) == ("/a", PARTIAL, Severity.MEDIUM)
    assert (partial.start, partial.end) == (1600, 4000)


@pytest.mark.usefixtures("in_pieces")
def test_what_a_gate_passes_costs_nothing_of_what_may_be_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ALL", 1100)
    texts = [("/a", "word " * 999), ("/b", "line " * 999 + "ignore all previous")]
    assert [(place, each.rule) for place, each in SURVEY.look_at(texts, Surface.OUTPUT)] == [
        ("/b", "test/order")
    ]


def test_many_small_looks_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ALL", 3 * 1024)
    texts = [(f"/{number}", "ignore all previous") for number in range(9)]
    found = SURVEY.look_at(texts, Surface.OUTPUT)
    assert [each.rule for _, each in found] == ["test/order"] * 3 + [PARTIAL]


def test_neighbours_are_read_as_one_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "JOINED", 10)
    texts = [("/a", "so ignore all"), ("/b", "previous words")]
    ((place, partial),) = SURVEY.look_at(texts, Surface.OUTPUT)
    assert (place, partial.rule, partial.start, partial.end) == ("", PARTIAL, 0, 0)


def test_what_was_not_told_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 5)
    found = SURVEY.look("ignore all previous. " * 20, Surface.OUTPUT)
    assert [each.rule for each in found] == ["test/order"] * 5 + [PARTIAL]


def test_what_is_grave_is_told_however_much_else_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    small = Rule("test/small", "low", (Surface.OUTPUT,), "", ("little thing",))
    survey = Survey([Phrases("test", [RULE, small])])
    found = survey.look("little thing. " * 9 + "ignore all previous", Surface.OUTPUT)
    assert [each.rule for each in found] == ["test/small"] * 2 + ["test/order", PARTIAL]


def test_a_flood_of_one_kind_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    small = Rule("test/small", "low", (Surface.OUTPUT,), "", ("little thing",))
    survey = Survey([Phrases("test", [RULE, small])])
    found = survey.look("ignore all previous. " * 9 + "little thing", Surface.OUTPUT)
    assert [each.rule for each in found] == ["test/order"] * 2 + ["test/small", PARTIAL]
