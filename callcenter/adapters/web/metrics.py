"""What Prometheus may know: counts and states, never a number or a name of a caller."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from callcenter.adapters.web.readiness import Readiness
from callcenter.domain.facts import AgentState
from callcenter.domain.webhooks import MessageState
from callcenter.services.control import JsonObject

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(
    picture: JsonObject | None,
    readiness: Readiness,
    dips: Sequence[Mapping[str, object]] | None = None,
    webhooks: Mapping[MessageState, int] | None = None,
    of_web: Iterable[Metric] = (),
) -> bytes:
    """The metrics of this moment, in Prometheus' text format. ``dips``: ``services.dips.runner.Dips.measures``; None: they are away.

    ``webhooks``: messages that wait, and dead ones; None: nobody knows.
    """
    registry = CollectorRegistry()
    registry.register(_Once([*_health(readiness), *_center(picture), *_dips(dips), *_webhooks(webhooks), *of_web]))
    return generate_latest(registry)


class _Once:
    """Families made already, for the registry to print."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _gauge(name: str, help_: str, value: float | None) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"callcenter_{name}", help_, value=value)


def _health(readiness: Readiness) -> list[GaugeMetricFamily]:
    nodes = GaugeMetricFamily("callcenter_node_connected", "1: the engine reaches the Asterisk node over ARI", labels=["node"])
    for node, connected in readiness.nodes.items():
        nodes.add_metric([node], connected)
    families = [
        _gauge("engine_up", "1: the engine answers", readiness.engine),
        _gauge("database_up", "1: the database answers", readiness.database),
        _gauge("disk_free_bytes", "Free space for journal and recordings", readiness.disk_free),
        _gauge("journal_ok", "1: the engine writes its journal; 0: its disk takes nothing", not readiness.journal_trouble),
        nodes,
    ]
    if readiness.journal_lag is not None:
        families.append(_gauge("journal_lag_records", "Journal records not yet in the database", readiness.journal_lag))
    return families


def _center(picture: JsonObject | None) -> list[GaugeMetricFamily]:
    if picture is None:
        return []
    waiting = GaugeMetricFamily("callcenter_queue_waiting", "Contacts waiting or offered", labels=["queue"])
    ready = GaugeMetricFamily("callcenter_queue_ready_agents", "Agents ready for the queue", labels=["queue"])
    for queue in _objects(picture, "queues"):
        waiting.add_metric([str(queue.get("name"))], _number(queue.get("waiting")))
        ready.add_metric([str(queue.get("name"))], _number(queue.get("ready")))
    agents = GaugeMetricFamily("callcenter_agents", "Agents by state", labels=["state"])
    states = Counter(str(agent.get("state")) for agent in _objects(picture, "agents"))
    for state in AgentState:
        agents.add_metric([state], states[state])
    calls = GaugeMetricFamily("callcenter_calls", "Calls in progress by phase", labels=["phase"])
    for phase, count in Counter(str(call.get("phase")) for call in _objects(picture, "calls")).items():
        calls.add_metric([phase], count)
    return [waiting, ready, agents, calls, _gauge("journal_seq", "Number of the latest journal record", _number(picture.get("seq")))]


def _dips(sources: Sequence[Mapping[str, object]] | None) -> list[Metric]:
    """How quickly and how well the sources answer that flows ask."""
    took = HistogramMetricFamily("callcenter_dip_seconds", "How long flows waited for a source", labels=["source"])
    outcomes = CounterMetricFamily(
        "callcenter_dip_answers", "Answers by outcome, and how often another one stood in", labels=["source", "outcome"]
    )
    breaker = GaugeMetricFamily("callcenter_dip_breaker_open", "1: the source is left alone because it failed in a row", labels=["source"])
    for row in sources or ():
        name, buckets, counted = str(row.get("source")), row.get("took"), row.get("outcomes")
        if isinstance(buckets, list):
            took.add_metric([name], [(str(bound), _number(count)) for bound, count in buckets], _number(row.get("took_total")))
        for outcome, count in counted.items() if isinstance(counted, dict) else ():
            outcomes.add_metric([name, str(outcome)], _number(count))
        breaker.add_metric([name], row.get("breaker") != "closed")
    return [_gauge("dips_up", "1: the process answers that flows ask through", sources is not None), took, outcomes, breaker]


def _webhooks(counts: Mapping[MessageState, int] | None) -> list[Metric]:
    if counts is None:
        return []
    messages = GaugeMetricFamily("callcenter_webhook_messages", "Messages to other systems that wait, and dead ones", labels=["state"])
    for state in (MessageState.DUE, MessageState.SENDING, MessageState.DEAD):
        messages.add_metric([state], counts.get(state, 0))
    return [messages]


def _objects(of: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    found = of.get(name)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
