"""``callcenter demo``: a whole center, simulated people on real SIP phones with real audio, and a check of everything they heard.

Three agents, twelve callers and a queue that has to wait. Every agent, every caller, the prompt and the music have
a tone pair of their own, so the demo knows who heard whom.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.live import Live

from callcenter.apps import reports
from callcenter.apps.demo.checks import complete, findings, read_books
from callcenter.apps.demo.people import DID, MUSIC, WELCOME, AgentAtPhone, Caller, agent_at_phone, callers
from callcenter.apps.demo.screen import picture, summary
from callcenter.apps.people import add_person
from callcenter.apps.report_tables import kpi_tables
from callcenter.apps.stage import Stage, StageError
from callcenter.domain.rights import Role
from callcenter.services.control import JsonObject
from callcenter.services.control_client import EngineAway, RequestRefused
from callcenter.sim.sip.tones import TonePair

AGENTS = ("alice", "bob", "carol")
CALLERS = 12
"""Of one round."""
IMPATIENT = 7
"""The place of the caller who gives up."""
EVERY_S = 0.9
"""Between two callers."""
PAUSE_S = 15.0
"""Between two rounds."""
MOST_ROUNDS = 5
"""There are so many voices to tell apart."""
ANNOUNCE = {"position": "yes", "ewt": True, "first_after_s": 4, "every_s": 20}
BOOKS_WITHIN_S = 20.0
WIDTH = 132
"""Of the report in a pipe or a log."""


def tables() -> dict[str, object]:
    """The demo's ``callcenter.toml``: one trunk, one number, a menu, two queues, three agents."""
    return {
        "center": {"name": "Demo center", "time_zone": "America/New_York"},
        "trunk": [{"name": "carrier", "authentication": "address", "addresses": ["127.0.0.1"]}],
        "number": [{"did": DID, "flow": "main", "fallback_queue": "support"}],
        "queue": [{"name": name, "music": "demo", "wrap_up_s": 1, "announce": ANNOUNCE} for name in ("support", "sales")],
        "agent": [{"name": name, "queues": ["support", "sales"]} for name in AGENTS],
        "music": [{"name": "demo", "source": _source(MUSIC, 4)}],
        "prompt": [{"id": "demo-welcome", "source": _source(WELCOME, 1.2)}, {"id": "demo-menu", "text": MENU_TEXT}],
        "flow": {
            "main": {
                "start": "welcome",
                "node": {
                    "welcome": {"type": "prompt", "prompt": "demo-welcome", "next": "menu"},
                    "menu": {"type": "menu", "prompt": "demo-menu", "choices": {"1": "sales", "2": "support"}, "otherwise": "support"},
                    "sales": {"type": "queue", "queue": "sales"},
                    "support": {"type": "queue", "queue": "support"},
                },
            }
        },
    }


MENU_TEXT = "For sales, press one. For support, press two."


def _source(pair: TonePair, seconds: float) -> str:
    return f"tone:{pair[0]:.0f}+{pair[1]:.0f}:{seconds}"


async def run(*, keep: bool, rounds: int, console: Console) -> bool:
    """Run the demo; True when every check held. Raises StageError."""
    began = monotonic()
    console.print("Starting Asterisk, PostgreSQL, engine, books and web …")
    async with Stage(tables(), keep=keep) as stage:
        people = callers(CALLERS * rounds, CALLERS, IMPATIENT)
        console.print(f"Up after {monotonic() - began:.1f} s. {len(people)} callers dial {DID}; {len(AGENTS)} agents answer.")
        agents = await _agents_ready(stage)
        await _calls(stage, people, agents, console)
        passed = await _report(stage, people, agents, console)
        for agent in agents:
            await agent.phone.close()
        console.print(f"{'All checks passed' if passed else 'The demo failed'} after {monotonic() - began:.0f} s.")
        if keep:
            await _kept(stage, console)
    return passed


async def _agents_ready(stage: Stage) -> list[AgentAtPhone]:
    agents = []
    for place, name in enumerate(AGENTS):
        phone = stage.secrets.phones[name]
        agents.append(await agent_at_phone(name, place, stage.server, phone.endpoint, phone.password))
        await stage.ask("agent_login", agent=name)
        await stage.ask("agent_ready", agent=name)
    return agents


async def _calls(stage: Stage, people: Sequence[Caller], agents: Sequence[AgentAtPhone], console: Console) -> None:
    """Let everybody call; show what is going on until the last has hung up and the agents have wrapped up."""
    answering = [asyncio.create_task(agent.take_calls()) for agent in agents]
    calling = [
        asyncio.create_task(person.live(stage.server, agents, EVERY_S * place + PAUSE_S * (place // CALLERS)))
        for place, person in enumerate(people)
    ]
    state: JsonObject = {}
    told = ""
    with Live(picture(people, state), console=console, refresh_per_second=4, transient=False) as live:
        while not all(task.done() for task in calling) or _busy(state):
            with contextlib.suppress(EngineAway, RequestRefused):
                state = await stage.ask("state")
            live.update(picture(people, state))
            if not console.is_terminal and (now := summary(people)) != told:
                told = now
                live.console.print(now)
            await asyncio.sleep(0.25)
        live.update(picture(people, state))
    for task in answering:
        task.cancel()
    await asyncio.gather(*calling, *answering, return_exceptions=True)


def _busy(state: Mapping[str, object]) -> bool:
    agents, calls = state.get("agents"), state.get("calls")
    wrapping = isinstance(agents, list) and any(agent["state"] not in ("ready", "not_ready", "logged_out") for agent in agents)
    return bool(calls) or wrapping


async def _report(stage: Stage, people: Sequence[Caller], agents: Sequence[AgentAtPhone], console: Console) -> bool:
    """The KPI report from PostgreSQL, then every check with its verdict."""
    url = stage.database_url
    ends = monotonic() + BOOKS_WITHIN_S
    books = await read_books(url)
    while not complete(books, len(people)) and monotonic() < ends:
        await asyncio.sleep(0.2)
        books = await read_books(url)
    zone = ZoneInfo(stage.settings.center.time_zone)
    from_at, to_at = reports.window(None, None, zone, datetime.now(UTC))
    targets = {queue.name: queue.target_wait for queue in stage.settings.queues}
    report = await reports.kpi_report(url, from_at, to_at, zone=zone, targets=targets)
    for part in kpi_tables(reports.report_json(report), console.width):
        console.print(part)
    passed = True
    for check, faults in findings(people, agents, books, stage.recordings):
        console.print(f"[{'red' if faults else 'green'}]{'✗' if faults else '✓'}[/] {check}")
        for fault in faults:
            console.print(f"    {fault}", markup=False)
        passed = passed and not faults
    return passed


async def _kept(stage: Stage, console: Console) -> None:
    web, password = stage.settings.web, secrets.token_urlsafe(12)
    await add_person(stage.database_url, "demo", password, (Role.ADMIN, Role.SUPERVISOR))
    console.print(f"Still running (--keep): dial {DID} at {stage.server[0]}:{stage.server[1]}; configuration {stage.file}")
    address = f"http://{web.host}:{web.port}"
    console.print(f"Pages: {address}/supervisor, /wallboard, /trends, /config: sign in as demo, {password}", soft_wrap=True, markup=False)
    console.print(f"Stop it with: kill -INT {stage.serve.pid if stage.serve else '?'}; its folder is {stage.folder}")


def main(*, keep: bool = False, rounds: int = 1) -> bool:
    """The command's body; True when every check held."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDTH)
    try:
        return asyncio.run(run(keep=keep, rounds=rounds, console=console))
    except StageError as error:
        console.print(f"[red]The center did not come up:[/] {error}", soft_wrap=True)
        return False
