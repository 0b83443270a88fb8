"""How many callers went which way through a flow, from the database of the books."""

import asyncio
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from callcenter.apps.flow_picture import Traffic
from callcenter.apps.flow_report import flow_report
from callcenter.runtime.data_folder import database_url
from callcenter.runtime.settings import Settings


def yesterday(settings: Settings, flow: str) -> Traffic:
    """From midnight to midnight in the center's zone. Raises ReportError, PostgresError."""
    zone = ZoneInfo(settings.center.time_zone)
    today = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    day = today - timedelta(days=1)  # on the wall clock: also where the day has 23 or 25 hours
    report = asyncio.run(flow_report(database_url(settings), day, today, zone, flow))
    callers = {(edge.node, edge.exit, edge.to_node): count for edge, count in report.edges.items() if edge.flow == flow}
    return Traffic(callers, f"callers of {day:%Y-%m-%d} ({zone})")
