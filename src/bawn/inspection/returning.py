"""What comes back from a server: held, looked at leaf by leaf where anything stands out, and then released.

Everything goes this way: results, errors, questions of servers, and what they tell meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from bawn.detectors import questions
from bawn.detectors.survey import Survey
from bawn.errors import INSPECTION_CANARY, INSPECTION_OUTPUT, INSPECTION_QUESTION, Reason, Refused
from bawn.inspection.decisions import ACTIONS, CANARY, QUESTION, Decisions, hardest
from bawn.inspection.outputs.apply import Way, acted
from bawn.inspection.outputs.forged import NOTE, unforged
from bawn.inspection.outputs.leaves import escaped, of_message
from bawn.inspection.outputs.structured import Validator, validator
from bawn.inspection.outputs.withholding import Withheld, withheld, withheld_error
from bawn.inspection.redaction.redact import STYLES, Style, redact
from bawn.inspection.redaction.tokens import Tokens
from bawn.model import Answer, Call, Detection, Item, Json, Kind, Label, Severity, Surface
from bawn.ports import Found, Inspected, Placed
from bawn.protocol.strict import encode

Hold: TypeAlias = Callable[[Call, Item, Json, Sequence[Found]], Withheld]
"""Keeps a message where only those who may see it reach it; raises Refused when that cannot be."""

Look: TypeAlias = Callable[[Json], Iterable[Placed]]
"""What is wrong with the params of one kind of question."""

PARTIAL: Final = Detection("inspection/partial", Severity.MEDIUM, 0, 0, "more than is looked at")

_ASKS: Final = "input_required"
_LOOKS: Final[Mapping[str, Look]] = {
    "sampling/createMessage": questions.sampling,
    "elicitation/create": questions.elicitation,
}
_MARKS: Final = frozenset({"output", "hidden", "inspection", "question", "forged"})
_BLOB: Final = b'"blob"'
_UNTRUSTED: Final = frozenset({Label.UNTRUSTED})
_HELD: Final = ACTIONS.index("ask")


class Returning:
    """Inspects what servers answer and tell. `nonce` gives a new word for the marks of each message."""

    def __init__(
        self,
        survey: Survey,
        decisions: Decisions,
        nonce: Callable[[], str],
        style: Style,
        tokens: Tokens | None,
        hold: Hold,
    ) -> None:
        self._survey = survey
        self._decisions = decisions
        self._nonce = nonce
        self._style = style
        self._tokens = tokens
        self._hold = hold
        self._schemas: dict[str, tuple[Json, Validator | None]] = {}

    def forget(self) -> None:
        """Definitions have changed: compile their schemas anew."""
        self._schemas.clear()

    def answer(
        self, call: Call, item: Item, answer: Answer, more: Sequence[Placed]
    ) -> Inspected | None:
        """What of an answer the caller gets; None when nothing was found.

        Raises:
            Refused: inspection.output, .question, .canary; store.unavailable.
        """
        result = answer.result
        given = result if result is not None else answer.error or {}
        asked = result is not None and result.get("resultType") == _ASKS
        tree, detections = self._detected(given, answer.written)
        if asked:
            detections += _asked(tree)
        detections += more
        if not detections:
            return None
        found = self._decisions.decided(item, "outputs", detections)
        made = self._made(call, item, tree, found, error=result is None)
        changed = made is not given
        mended = Answer(made, parked=answer.parked) if result is not None else Answer(error=made)
        return Inspected(answer=mended if changed else None, found=found, labels=_labels(found))

    def told(self, call: Call, item: Item, message: Json) -> Inspected | None:
        """What of a notification the caller is told; None when nothing was found.

        Raises:
            Refused: inspection.output, .canary: what is not told is not kept either.
        """
        given = message.get("params")
        if not isinstance(given, dict):
            return None
        params, detections = self._detected(given, None)
        if not detections:
            return None
        found = self._decisions.decided(item, "outputs", detections)
        _refuse(found, "quarantine")
        made = acted(params, found, self._way(call, item, note=True))
        if made is None:
            raise Refused(INSPECTION_OUTPUT, _rules(found))
        told = message if made is given else {**message, "params": made}
        return Inspected(params=told, found=found, labels=_labels(found))

    def _detected(self, given: Json, written: bytes | None) -> tuple[Json, list[Placed]]:
        """The message without notes that only the gate writes, and what is found in it."""
        tree = unforged(given)
        found: list[Placed] = [] if tree is given else [("", NOTE)]
        data = encode(tree) if written is None else written
        # short texts in Base64 show no trigger: what says that it may be one is always opened
        if self._survey.clean(data, Surface.OUTPUT) and _BLOB not in data:
            return tree, found
        leaves = of_message(tree)
        found += self._survey.look_at(tuple(leaves.texts), Surface.OUTPUT)
        if not leaves.whole:
            found.append(("", PARTIAL))
        return tree, found

    def _made(
        self, call: Call, item: Item, tree: Json, found: Sequence[Found], *, error: bool
    ) -> Json:
        """The result or error as the caller gets it."""
        _refuse(found, "block")
        if ACTIONS.index(hardest(found)) < _HELD:
            made = acted(tree, found, self._way(call, item, note=not error))
            if made is not None:
                return made
        why = self._hold(call, item, tree, found)
        if error:
            return withheld_error(tree, why)
        checked = "outputSchema" in item.definition
        uri = str(call.params.get("uri", ""))
        instead = withheld(call.method, tree, why, checked=checked, uri=uri)
        if instead is None:
            raise Refused(INSPECTION_OUTPUT, _rules(found))
        return instead

    def _way(self, call: Call, item: Item, *, note: bool) -> Way:
        token = self._tokens and self._tokens.mask(call.principal.key, item.server)

        def redacted(text: str, found: Sequence[Detection], style: str) -> str:
            # where the shape counts, a token would not fit
            mask = STYLES["shape"] if style == "shape" else token or STYLES["label"]
            return redact(text, found, mask)

        return Way(self._nonce(), redacted, self._style, self._schema(item), note)

    def _schema(self, item: Item) -> Validator | None:
        """What the tool says of its structured content, compiled once."""
        if item.kind is not Kind.TOOL or "outputSchema" not in item.definition:
            return None
        known = self._schemas.get(item.key)
        if known is None or known[0] is not item.definition:  # of another View
            known = item.definition, validator(item.definition["outputSchema"])
            self._schemas[item.key] = known
        return known[1]


def _asked(result: Json) -> Iterator[Placed]:
    """What is wrong with the questions of a server."""
    requests = result.get("inputRequests")
    for key, request in requests.items() if isinstance(requests, dict) else ():
        params = request.get("params") if isinstance(request, dict) else None
        if isinstance(params, dict) and request.get("method") in _LOOKS:
            at = f"/inputRequests/{escaped(key)}/params"
            yield from ((at + place, each) for place, each in _LOOKS[request["method"]](params))


def _labels(found: Sequence[Found]) -> frozenset[Label]:
    """Whoever reads this may have read what somebody else wants it to do."""
    grave = (each.detection for each in found if each.detection.severity >= Severity.MEDIUM)
    return (
        _UNTRUSTED if any(each.rule.partition("/")[0] in _MARKS for each in grave) else frozenset()
    )


def _refuse(found: Sequence[Found], least: str) -> None:
    taken = [each for each in found if not each.shadow]
    bad = [each for each in taken if ACTIONS.index(each.action) >= ACTIONS.index(least)]
    if not bad:
        return
    rules = [each.detection.rule for each in bad]
    if any(rule.startswith(CANARY) for rule in rules):
        raise Refused(INSPECTION_CANARY, detail=rules[0])
    asked = any(rule.startswith(QUESTION) for rule in rules)
    reason: Reason = INSPECTION_QUESTION if asked else INSPECTION_OUTPUT
    raise Refused(reason, _rules(bad))


def _rules(found: Sequence[Found]) -> str:
    rules = dict.fromkeys(each.detection.rule for each in found)
    return ", ".join(list(rules)[:8])
