"""The flow interpreter: where a flow run goes next. Pure and total; it says what is to be done, others do it.

Each function takes the run as it is and answers with a ``Step``. Whatever is wrong (a node that is gone, a kind that cannot do what is
asked of it, too many moves) is answered with ``Fail``, which speaks; nothing raises.
"""

from callcenter.domain.ivr.document import Flow
from callcenter.domain.ivr.expressions import Circumstances
from callcenter.domain.ivr.kind import Ask, EnterFlow, Fail, Kind, Leave, Listen, ReturnFlow, Say, Step
from callcenter.domain.ivr.kinds import KINDS
from callcenter.domain.ivr.questions import Question
from callcenter.domain.ivr.run import DEEPEST, MOST_MOVES, FlowRun

_WAITS = (Say, Listen, Ask)


def _kind(run: FlowRun) -> Kind | None:
    return KINDS.get(type(run.flow.nodes.get(run.node)))


def _checked(run: FlowRun, step: Step) -> Step:
    """Nothing goes on for ever, nothing leads nowhere."""
    if isinstance(step, Leave):
        return step if step.to in run.flow.nodes else Fail(f"node '{run.node}' leads to '{step.to}', which does not exist")
    if isinstance(step, _WAITS) and run.moves >= MOST_MOVES:
        return Fail(f"said, listened and asked {MOST_MOVES} times")
    if isinstance(step, EnterFlow) and (step.flow not in run.library or len(run.frames) >= DEEPEST):
        return Fail(f"sub-flow '{step.flow}' cannot be entered")
    if isinstance(step, ReturnFlow) and not run.frames and not run.sent:
        return Fail("comes back from no sub-flow")
    return step


def arrive(run: FlowRun, around: Circumstances) -> Step:
    """The caller has come to the present node."""
    kind = _kind(run)
    if kind is None:
        return Fail(f"node '{run.node}' is not there")
    return _checked(run, kind.enter(run, run.flow.nodes[run.node], around))


def is_lost(run: FlowRun) -> bool:
    """The flow was changed while we were away: the node we are in is gone, or cannot be in the state that we are in."""
    kind = _kind(run)
    if kind is None:
        return True
    if run.ask:
        return kind.outcome is None
    if run.until is not None:
        return kind.silence is None
    return bool(run.playback) and kind.said is None


def after_prompt(run: FlowRun, around: Circumstances) -> Step | None:
    """What is being said at the present node was heard to its end; None: nothing follows from it."""
    kind = _kind(run)
    if kind is None or kind.said is None:
        return None if run.ask else Fail(f"node '{run.node}' says nothing")
    step = kind.said(run, run.flow.nodes[run.node], around)
    return None if step is None else _checked(run, step)


def after_key(run: FlowRun, digit: str, around: Circumstances) -> Step | None:
    """The caller pressed a key; None: it means nothing at this moment."""
    kind = _kind(run)
    if kind is None or kind.key is None:
        return None
    step = kind.key(run, run.flow.nodes[run.node], digit, around)
    return None if step is None else _checked(run, step)


def without_key(run: FlowRun, around: Circumstances) -> Step:
    """No key came in time."""
    kind = _kind(run)
    if kind is None or kind.silence is None:
        return Fail(f"node '{run.node}' does not listen")
    return _checked(run, kind.silence(run, run.flow.nodes[run.node], around))


def after_outcome(run: FlowRun, outcome: str, around: Circumstances) -> Step:
    """The outside answered, or what the node wanted was done, or not."""
    kind = _kind(run)
    if kind is None or kind.outcome is None:
        return Fail(f"node '{run.node}' asked nothing")
    return _checked(run, kind.outcome(run, run.flow.nodes[run.node], outcome, around))


def question(run: FlowRun, around: Circumstances) -> Question | None:
    """What the present node asks, made anew; None: it would not ask now."""
    kind = _kind(run)
    if kind is None:
        return None
    step = (kind.asks or kind.enter)(run, run.flow.nodes[run.node], around)
    return step.question if isinstance(step, Ask) else None


def is_secret(run: FlowRun) -> bool:
    """Whether what is entered at the present node must be kept nowhere."""
    return bool(getattr(run.flow.nodes.get(run.node), "secret", False))


def keeps_keys(run: FlowRun) -> bool:
    """Whether a key pressed at the present node is kept for the next one that takes keys."""
    kind = _kind(run)
    return kind is not None and kind.keeps is not None and kind.keeps(run.flow.nodes[run.node])


def takes_kept_keys(run: FlowRun) -> bool:
    """Whether keys count at the present node that were pressed before the caller came to it. Secrets begin once they are asked for."""
    kind, node = _kind(run), run.flow.nodes.get(run.node)
    if kind is None or kind.key is None or kind.keeps is not None or is_secret(run) or getattr(node, "is_spoken", False):
        return False
    return bool(getattr(node, "type_ahead", False) and getattr(node, "barge_in", False))


def is_surplus(run: FlowRun, digit: str) -> bool:
    """The key that would have ended an entry which was whole already, pressed by habit: it means nothing, unless it is a choice here."""
    node = run.flow.nodes.get(run.node)
    return digit == run.surplus and digit not in getattr(node, "choices", ()) and digit not in getattr(node, "keys", ())


def error_exit(run: FlowRun) -> tuple[int, str] | None:
    """Where a run goes on in which something went wrong: how many flows around are kept, and the node; None: nowhere.

    The error exit of the innermost flow that has one. It is tried once in a run: what fails there too only says goodbye.
    """
    if run.failures:
        return None
    flows: list[Flow] = [*(frame.flow for frame in run.frames), run.flow]
    for depth in range(len(flows) - 1, -1, -1):
        if flows[depth].on_error in flows[depth].nodes:
            return depth, flows[depth].on_error
    return None
