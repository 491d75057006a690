"""What an answer means to the caller who gets it: a result, a question, or a task that goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bawn.config import Isolation
from bawn.errors import INPUT_UNDECLARED, UPSTREAM_INVALID, Refused
from bawn.gateway.stages import Stages
from bawn.gateway.step import Step
from bawn.model import Answer, Json
from bawn.policy.isolation import isolation_key
from bawn.ports import Reply
from bawn.protocol import answers, asking, completion, lifecycle, replies, rounds, tasks, versions
from bawn.protocol.sessions import LIFETIME
from bawn.protocol.tasks import TaskHandle

INPUT: Final = "input_required"
_TASK: Final = "task"
_LONGEST_TASK: Final = 2048  # characters
_COMPLETE: Final = "complete"


class Question(Exception):
    """What a server asks of a legacy caller, as an `input_required` answer."""

    def __init__(self, answer: Answer, consented: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.answer = answer
        self.consented = consented


class Judge:
    """Holds answers against what was asked, and puts them in the caller's terms."""

    def __init__(self, stages: Stages, isolation: Mapping[str, Isolation]) -> None:
        self._stages = stages
        self._isolation = isolation
        self.view = ""

    def judged(self, step: Step, answer: Answer) -> Reply:
        """What an answer means to this caller.

        Raises:
            Question: a legacy caller has to be asked first.
            Refused: upstream.invalid, input.undeclared.
        """
        call, result = step.call, answer.result
        if result is not None:
            kind = result["resultType"]
            if step.method.asks and kind == INPUT:
                return self._input(step, answer)
            if kind == _TASK and call.method != "tools/call" and step.task is None:
                raise Refused(UPSTREAM_INVALID, detail=f"{call.method} was answered with a task")
            if kind == _TASK or (kind == _COMPLETE and step.task is not None):
                answer = self._task(step, answer)
            elif kind != _COMPLETE:
                raise Refused(UPSTREAM_INVALID, detail=f"{call.method} was answered with {kind}")
            elif step.method.cacheable:
                answer = answers.private(answer)
            elif step.method.name == "completion/complete":
                answer = Answer(result=completion.bounded(result))
        return replies.answer(call.id, call.method, answer, call.client.version)

    def _input(self, step: Step, answer: Answer) -> Reply:
        """What a server asks: the caller's to answer, in the way of its era."""
        call, item, result = step.call, step.item, answers.uncached(answer.result or {})
        asking.check(result)
        requests = asking.named(result.get("inputRequests") or {}, item.server)
        asked: Json = {**result, "inputRequests": requests} if requests else result
        if not step.modern:
            raise Question(Answer(result=asked, parked=answer.parked), step.consented)
        lacking = asking.undeclared(requests, dict(call.client.capabilities))
        if lacking is not None:
            raise Refused(INPUT_UNDECLARED, data={"requiredCapabilities": lacking})
        # what was consented to need not be consented to again on the way back
        state = self._stages.rounds.state(call, item, answer, self.view, consented=step.consented)
        whole = Answer(result={**asked, rounds.STATE: state})
        return replies.answer(call.id, call.method, whole, call.client.version)

    def _task(self, step: Step, answer: Answer) -> Answer:
        """A task, under the one id by which this caller knows it."""
        call, result = step.call, answer.result or {}
        if not step.modern or versions.TASKS not in lifecycle.extensions(call.client.capabilities):
            raise Refused(UPSTREAM_INVALID, "a task, which this client cannot follow")
        requests = result.get("inputRequests")
        if requests is not None:
            asking.check_requests(requests)
            lacking = asking.undeclared(requests, dict(call.client.capabilities))
            if lacking is not None:
                raise Refused(INPUT_UNDECLARED, data={"requiredCapabilities": lacking})
            result = {**result, "inputRequests": asking.named(requests, step.item.server)}
        return Answer(result=tasks.rewritten(result, lambda own: self._known(step, own)))

    def _known(self, step: Step, own: str) -> str:
        """The caller's id for a task of this server: the one it came with, or a new one."""
        if len(own) > _LONGEST_TASK:
            raise Refused(
                UPSTREAM_INVALID, detail="its task id is too long to be carried in a header"
            )
        if step.task is not None and step.task.task == own:
            return str(step.call.params["taskId"])
        call, item = step.call, step.item
        isolation = (  # a task that another one names lives where that one does
            step.task.isolation if step.task else isolation_key(self._isolation[item.server], call)
        )
        handle = TaskHandle(
            call.principal.key, call.endpoint, item.server, isolation, item.kind.value, item.name,
            own, self._stages.clock() + LIFETIME,
        )  # fmt: skip
        return tasks.seal(self._stages.sealer, handle)
