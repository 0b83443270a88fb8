"""Who asked not to be called is not called: asked at each promise and at each dial, heeded at once by what is promised already.

The list of the configuration (``calling.do_not_call``) is among the rules of numbers; here is what callers and people said since.
"""

from collections.abc import Iterator

from callcenter.domain import promises
from callcenter.domain.call import Call
from callcenter.domain.callback import Callback
from callcenter.domain.events import DoNotCallAddRequested, DoNotCallRemoveRequested
from callcenter.domain.facts import DoNotCallAdded, DoNotCallRemoved, DoNotCallSource
from callcenter.domain.router import route_agent
from callcenter.domain.turn import Turn


def opt_out(turn: Turn, call: Call, number: str) -> bool:
    """The caller says so in a flow. False when there is no number that could be called anyway: withheld, or none at all."""
    return _add(turn, number, DoNotCallSource.FLOW, call=call.id)


def asked_of_agent(turn: Turn, call: str, number: str, agent: str) -> None:
    """The caller has told her agent so, who chose a disposition that says it. A number that is withheld cannot be called anyway."""
    _add(turn, number, DoNotCallSource.PERSON, call=call, by=agent)


def add(turn: Turn, event: DoNotCallAddRequested) -> None:
    """One of ours says so for somebody."""
    if not _add(turn, event.number, DoNotCallSource.PERSON, by=event.by, note=event.note):
        turn.refuse(f"'{event.number}' is no telephone number that could be called")


def remove(turn: Turn, event: DoNotCallRemoveRequested) -> None:
    """It was a mistake, or the person has agreed to be called again."""
    number = turn.state.config.calling.rules(event.number).number or event.number
    if number not in turn.state.do_not_call:
        turn.refuse(f"'{event.number}' is not on the do-not-call list of callers; numbers in callcenter.toml are taken out there")
        return
    turn.emit(DoNotCallRemoved(turn.now, number, event.by))


def _add(turn: Turn, written: str, source: DoNotCallSource, *, call: str = "", by: str = "", note: str = "") -> bool:
    number = turn.state.config.calling.rules(written).number
    if not number:
        return False
    if number not in turn.state.do_not_call:
        turn.emit(DoNotCallAdded(turn.now, number, source, call, by, note))
    for callback in list(_promised(turn, number)):
        agent = promises.forbid(turn, callback)
        if agent is not None:
            route_agent(turn, agent)
    return True


def _promised(turn: Turn, number: str) -> Iterator[Callback]:
    """One for each queue at most. Those of a queue that is gone are found out when their turn comes."""
    for queue in {*turn.state.config.queues, *turn.state.queues}:
        callback = turn.state.callbacks.by_number.get((number, queue))
        if callback is not None:
            yield callback
