"""What callers meet while they wait, in ``callcenter.toml``: checked against the rest of the file, and turned into the core's words."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from callcenter.domain.conditions import Condition, Metric, faults
from callcenter.domain.config import AnnounceConfig, PositionTold
from callcenter.domain.ivr.flow import Flow, PromptNode, QueueNode
from callcenter.domain.mailbox_config import mailbox_of
from callcenter.domain.overflow_rules import Closing, Overflow, OverflowRow, OverflowTo, cycle
from callcenter.runtime.settings_flow_model import FlowSection
from callcenter.runtime.settings_flows import flow, unknown_prompts
from callcenter.runtime.settings_model import AnnounceSection, ClosingSection, OverflowSection, QueueSection
from callcenter.runtime.settings_problems import Problem

# --- into the core's words ----------------------------------------------------------------------


def announce(section: AnnounceSection) -> AnnounceConfig:
    return AnnounceConfig(
        position=PositionTold(section.position),
        position_limit=section.position_limit,
        ewt=section.ewt,
        first_after=section.first_after,
        every=section.every,
        comfort=section.comfort,
        comfort_every=section.comfort_every,
    )


def overflow(action: str, queue: str) -> Overflow:
    """From such as ``queue:sales``, said in the table of ``queue``."""
    to, _, target = action.partition(":")
    return Overflow(OverflowTo(to), mailbox_named(action, queue) if to == OverflowTo.VOICEMAIL else target)


def mailbox_named(action: str, queue: str) -> str:
    """The mailbox of such an action as ``voicemail``, which is the queue's own, or ``voicemail:agent:alice``."""
    return action.partition(":")[2] or mailbox_of(queue=queue)


def overflow_row(section: OverflowSection, queue: str) -> OverflowRow:
    return OverflowRow(overflow(section.to, queue), condition(section), section.waited)


def condition(section: OverflowSection) -> Condition | None:
    """From such as ``ewt > 360``."""
    if section.when is None:
        return None
    return replace(section.when, lasting=section.lasting, release=section.release, queue=section.of_queue or "")


def closing(section: ClosingSection | None, queue: str) -> Closing:
    return Closing(overflow(section.to, queue), section.drain) if section is not None else Closing()


# --- what no table can know alone ---------------------------------------------------------------


def waiting_faults(queues: Sequence[QueueSection], flows: Mapping[str, FlowSection], prompts: Collection[str]) -> Iterator[Problem]:
    known = prompts
    names = [queue.name for queue in queues]
    for index, queue in enumerate(queues):
        key = f"queue[{index}]"
        yield from unknown_prompts(f"{key}.announce.comfort", queue.announce.comfort, known)
        for place, row in enumerate(queue.overflow):
            yield from _row_faults(f"{key}.overflow[{place}]", queue, row, names)
        for where, action in actions(key, queue):
            yield from _action_faults(where, queue, action, names, list(flows))
        if queue.callback is not None and queue.callback.key and queue.callback.key in queue.keys:
            yield Problem(f"{key}.keys.{queue.callback.key}", f"is the key of {key}.callback already; each key does one thing")
    yield from _cycle_faults(queues, flows)


def actions(key: str, queue: QueueSection) -> Iterator[tuple[str, str]]:
    """Where callers of the queue may be sent, by place."""
    yield from ((f"{key}.overflow[{place}].to", row.to) for place, row in enumerate(queue.overflow))
    yield from ((f"{key}.keys.{pressed}", action) for pressed, action in queue.keys.items())
    if queue.closing is not None:
        yield f"{key}.closing.to", queue.closing.to


def _action_faults(key: str, queue: QueueSection, action: str, queues: list[str], flows: list[str]) -> Iterator[Problem]:
    to, _, target = action.partition(":")
    for what, there in (("queue", queues), ("flow", flows)):
        if to == what and target not in there:
            yield Problem(key, f"names {what} '{target}', which does not exist; {what}s: {', '.join(sorted(there)) or 'none'}")
    if to == "callback" and queue.callback is None:
        yield Problem(key, "offers a callback, but the queue calls nobody back; give it a callback table")


def _row_faults(key: str, queue: QueueSection, row: OverflowSection, queues: list[str]) -> Iterator[Problem]:
    if row.when is None and row.waited is None:
        yield Problem(key, "needs when or waited_s; without either it would apply to everybody at once")
    if row.when is None and (row.lasting or row.release is not None or row.of_queue):
        yield Problem(key, "has for_s, released_at or of_queue, which need when")
    if row.of_queue is not None and row.of_queue not in queues:
        yield Problem(f"{key}.of_queue", f"names queue '{row.of_queue}', which does not exist; queues: {', '.join(sorted(queues))}")
    if row.waited is not None and queue.max_wait is not None and row.waited >= queue.max_wait:
        longest = f"{queue.max_wait.total_seconds():g}"
        yield Problem(f"{key}.waited_s", f"can never apply: nobody waits longer than max_wait_s, which is {longest}")
    asked = condition(row)
    if asked is None:
        return
    if sentence := faults(asked):
        yield Problem(f"{key}.when", sentence)
    own = asked.metric is Metric.WAITING and not asked.queue and queue.max_waiting is not None
    if own and asked.upward and not asked.passed(queue.max_waiting or 0):
        yield Problem(f"{key}.when", f"can never hold: no more than max_waiting = {queue.max_waiting} wait here")


def _cycle_faults(queues: Sequence[QueueSection], flows: Mapping[str, FlowSection]) -> Iterator[Problem]:
    """Callers whom the tables alone would send round and round. Where a menu lies in between, it is the caller's choice."""
    straight = {name: _straight_into(flow(name, section)) for name, section in flows.items()}
    places: dict[str, dict[str, str]] = {}
    for index, queue in enumerate(queues):
        there = places.setdefault(queue.name, {})
        rows = [(f"queue[{index}].overflow[{place}].to", row.to) for place, row in enumerate(queue.overflow)]
        for key, action in rows:
            to, _, target = action.partition(":")
            for reached in [target] if to == "queue" else straight.get(target, ()) if to == "flow" else ():
                there.setdefault(reached, key)
    found = cycle(places)
    if found:
        yield Problem(places[found[0]][found[1]], f"sends callers round in a circle: {' to '.join(found)}")


def _straight_into(found: Flow) -> set[str]:
    """The queues that the flow leads into without a choice of the caller's."""
    reached: set[str] = set()
    seen: set[str] = set()
    name = found.start
    while name in found.nodes and name not in seen:
        seen.add(name)
        node = found.nodes[name]
        if isinstance(node, QueueNode):
            reached.add(node.queue)
        if not isinstance(node, PromptNode):
            break
        name = node.next
    return reached
