"""``callcenter flow report``: what became of callers who began in each flow, and what happened at its nodes.

JSON: ``from_at, to_at, time_zone, flows``. A flow: ``flow, calls, contained, dropped, queued, voicemail, transferred, failed, open,
containment, drop_off, repeat_calls`` (ratios 0 to 1, null of nothing) and ``nodes``, a list: ``node, stays, mean_s, retries, dropped,
failed, drop_off, exits`` (a list of ``exit, to_node, callers``). calls = contained + dropped + queued + voicemail + transferred +
failed + open.
"""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy.ext.asyncio import AsyncEngine

from callcenter.adapters.db import reports as asked
from callcenter.apps.report_tables import WIDE
from callcenter.apps.reports import Json, ReportError, connection_to, window
from callcenter.domain.flow_books import Edge, FlowSums, NodeSums, containment, drop_off, repeat_calls
from callcenter.runtime.data_folder import database_url
from callcenter.runtime.postgres import PostgresError
from callcenter.runtime.settings import Settings

RETURNED_DAYS = 7


@dataclass(frozen=True, slots=True)
class FlowReport:
    """Calls that began, and nodes that were entered, within ``[from_at, to_at)``."""

    from_at: datetime
    to_at: datetime
    zone: ZoneInfo
    flows: Mapping[str, FlowSums]
    nodes: Mapping[tuple[str, str], NodeSums]
    edges: Mapping[Edge, int]

    def as_json(self) -> Mapping[str, Json]:
        moments = {name: at.astimezone(self.zone).isoformat() for name, at in (("from_at", self.from_at), ("to_at", self.to_at))}
        names = sorted({*self.flows, *(flow for flow, _ in self.nodes)})
        return {**moments, "time_zone": str(self.zone), "flows": [self._flow(name) for name in names]}

    def _flow(self, name: str) -> Mapping[str, Json]:
        sums = self.flows.get(name, FlowSums())
        counts = ("calls", "contained", "dropped", "queued", "voicemail", "transferred", "failed", "open")
        ratios = {"containment": containment(sums), "drop_off": drop_off(sums), "repeat_calls": repeat_calls(sums)}
        nodes = sorted((node, each) for (flow, node), each in self.nodes.items() if flow == name)
        return {
            "flow": name,
            **{count: getattr(sums, count) for count in counts},
            **ratios,
            "nodes": [self._node(name, node, each) for node, each in nodes],
        }

    def _node(self, flow: str, node: str, sums: NodeSums) -> Mapping[str, Json]:
        exits = sorted((edge.exit, edge.to_node, callers) for edge, callers in self.edges.items() if edge[:2] == (flow, node))
        return {
            "node": node,
            "stays": sums.stays,
            "mean_s": round(sums.spent.total_seconds() / sums.left, 3) if sums.left else None,
            "retries": sums.retries,
            "dropped": sums.dropped,
            "failed": sums.failed,
            "drop_off": sums.dropped / sums.left if sums.left else None,
            "exits": [{"exit": exit_name, "to_node": to, "callers": callers} for exit_name, to, callers in exits],
        }


async def flow_report(
    database: str | AsyncEngine, from_at: datetime, to_at: datetime, zone: ZoneInfo, flow: str | None = None
) -> FlowReport:
    """Of one flow, or of all. Raises ReportError."""
    async with connection_to(database) as connection:
        flows = await asked.sums_by_flow(connection, from_at, to_at, RETURNED_DAYS)
        nodes = await asked.sums_by_node(connection, from_at, to_at)
        edges = await asked.callers_by_edge(connection, from_at, to_at)
    return FlowReport(
        from_at,
        to_at,
        zone,
        {name: sums for name, sums in flows.items() if flow in (None, name)},
        {key: sums for key, sums in nodes.items() if flow in (None, key[0])},
        {edge: callers for edge, callers in edges.items() if flow in (None, edge.flow)},
    )


def run(settings: Settings, flow: str | None, from_: str | None, to: str | None, as_json: bool) -> None:
    """The command's body. Raises SystemExit with a sentence."""
    zone = ZoneInfo(settings.center.time_zone)
    try:
        from_at, to_at = window(from_, to, zone, datetime.now(UTC))
        report = asyncio.run(flow_report(database_url(settings), from_at, to_at, zone, flow)).as_json()
    except (ReportError, PostgresError, ValueError) as error:
        raise SystemExit(f"callcenter: {error}") from None
    if as_json:
        print(json.dumps(report, indent=2))
        return
    out = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    out.print(Text(f"{report['from_at']} – {report['to_at']} {report['time_zone']}", style="italic"))
    flows = report["flows"]
    assert isinstance(flows, Sequence)
    for each in flows:
        assert isinstance(each, Mapping)
        for table in tables(each):
            out.print(table)


_FLOW_COLUMNS = ("calls", "contained", "dropped", "queued", "voicemail", "transferred", "failed", "open")


def tables(flow: Mapping[str, Json]) -> Sequence[Table]:
    """One flow of the report's JSON."""
    sums = Table("flow", box=box.SIMPLE_HEAD)
    for heading in (*_FLOW_COLUMNS, "containment", "drop-off", "repeat calls"):
        sums.add_column(heading, justify="right")
    ratios = (_percent(flow[name]) for name in ("containment", "drop_off", "repeat_calls"))
    sums.add_row(Text(str(flow["flow"])), *(str(flow[name]) for name in _FLOW_COLUMNS), *ratios)
    nodes = Table("node", box=box.SIMPLE_HEAD)
    for heading in ("stays", "mean", "retries", "dropped", "drop-off", "failed"):
        nodes.add_column(heading, justify="right")
    nodes.add_column("went to")
    listed = flow["nodes"]
    assert isinstance(listed, Sequence)
    for node in listed:
        assert isinstance(node, Mapping)
        mean = "–" if node["mean_s"] is None else f"{node['mean_s']:.1f} s"
        counts = (str(node["stays"]), mean, str(node["retries"]), str(node["dropped"]), _percent(node["drop_off"]), str(node["failed"]))
        nodes.add_row(Text(str(node["node"])), *counts, Text(_ways(node["exits"])))
    return [sums, nodes] if listed else [sums]


def _ways(exits: Json) -> str:
    assert isinstance(exits, Sequence)
    said = []
    for way in exits:
        assert isinstance(way, Mapping)
        said.append(f"{way['exit']} → {way['to_node'] or 'end'}: {way['callers']}")
    return ", ".join(said)


def _percent(ratio: Json) -> str:
    return "–" if ratio is None else f"{100 * float(str(ratio)):.1f} %"
