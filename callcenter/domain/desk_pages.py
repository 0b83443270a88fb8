"""What each page of the spoken menu offers an agent at this moment, and how it is said: "press 1 to be ready".

The keys of the main page never change, so that hands learn them; only what is possible now is said.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from callcenter.domain import wrap_up
from callcenter.domain.agent import Agent
from callcenter.domain.call import Call
from callcenter.domain.desk_names import DISPOSITION, LEVEL, QUEUE, REASON, named
from callcenter.domain.desk_words import in_words
from callcenter.domain.facts import AgentState, Page
from callcenter.domain.figures import now_of
from callcenter.domain.ivr.speech import Piece, SpeakAs, Spoken
from callcenter.domain.mailbox_config import mailbox_of
from callcenter.domain.transfers import consulting
from callcenter.domain.turn import Turn

FURTHER, NOTHING, PRESS, ENTER_EXTENSION = "desk-further", "desk-nothing", "desk-press", "desk-enter-extension"
JOIN, LEAVE = "desk-join", "desk-leave"
CALLBACK, DUE, NO_CALLBACK = "desk-callback-for", "desk-callback-due", "desk-no-callback"
CONTACTS, TALK, HANDLING, OCCUPANCY, PERCENT = "desk-contacts", "desk-talk", "desk-handling", "desk-occupancy", "desk-percent"
MOST = 8
"""Choices on one page of a list; ``9`` says further ones."""
CALLBACKS_TOLD = 3


@dataclass(frozen=True, slots=True)
class Shown:
    """A page as it is said: with its keys, and what each of them chooses."""

    prompts: tuple[str, ...]
    keys: str = ""
    choices: tuple[str, ...] = ()


Choice = tuple[str, str, str]
"""Key, what it chooses, and the prompt that says so."""


def _press(turn: Turn, call: Call, choices: Sequence[Choice]) -> Shown:
    said: list[str] = []
    for key, _, prompt in choices:
        said += in_words(turn, call, (PRESS, Spoken(SpeakAs.DIGITS, "key"), prompt), {"key": key})
    prompts = tuple(said) or in_words(turn, call, NOTHING)
    return Shown(prompts, "".join(key for key, _, _ in choices), tuple(choice for _, choice, _ in choices))


def main(turn: Turn, call: Call, agent: Agent, entry: str) -> Shown:
    """Everything she can do now."""
    return _press(turn, call, list(_main(turn, agent)))


def _main(turn: Turn, agent: Agent) -> Iterator[Choice]:
    state = agent.state
    if state is AgentState.LOGGED_OUT:
        yield "1", "ready", "desk-log-in-ready"
        yield "2", "log_in", "desk-log-in"
        yield "8", "figures", "desk-figures"
        return
    talking = state is AgentState.TALKING
    yield "1", "ready", "desk-ready"
    yield "2", "reasons", "desk-not-ready"
    if state is AgentState.WRAP_UP:
        yield "3", "end_wrap_up", "desk-end-wrap-up"
    if wrap_up.choices(turn, agent):
        yield "4", "dispositions", "desk-disposition"
    if state is AgentState.WRAP_UP and wrap_up.may_extend(turn, agent):
        yield "5", "extend", "desk-extend"
    if not talking:
        yield "6", "callbacks", "desk-callbacks"
    if talking:
        yield "7", "caller", "desk-caller"
    yield "8", "figures", "desk-figures"
    yield "9", "log_out", "desk-log-out"
    if list(_more(turn, agent)):
        yield "#", "more", FURTHER


def more(turn: Turn, call: Call, agent: Agent, entry: str) -> Shown:
    """Her queues, her mailbox."""
    return _press(turn, call, list(_more(turn, agent)))


def _more(turn: Turn, agent: Agent) -> Iterator[Choice]:
    config = turn.state.config.agents.get(agent.name)
    if config is not None and (config.may_opt_out or agent.opted_out):
        yield "1", "queues", "desk-queues"
    if mailbox_of(agent=agent.name) in turn.state.config.mailboxes:
        yield "2", "mailbox", "desk-mailbox"


def queues(turn: Turn, call: Call, agent: Agent, entry: str) -> Shown:
    """Those she may leave, and those she has left: the key does the opposite of what is so."""
    config = turn.state.config.agents.get(agent.name)
    said: list[str] = []
    chosen: list[str] = []
    movable = {*config.may_opt_out, *agent.opted_out} if config is not None else set()
    names = [name for name in (config.queues if config is not None else ()) if name in movable]
    for key, name in enumerate(names[:9], 1):
        left = name in agent.opted_out
        said += in_words(turn, call, (PRESS, Spoken(SpeakAs.DIGITS, "key"), JOIN if left else LEAVE, named(QUEUE, name)), {"key": str(key)})
        chosen.append(name)
    return Shown(tuple(said) or in_words(turn, call, NOTHING), "123456789"[: len(chosen)], tuple(chosen))


def caller(turn: Turn, call: Call, agent: Agent, entry: str) -> Shown:
    """What may become of the caller whom she talks to on her other line."""
    asks = consulting(turn, agent)
    if asks:
        choices = [
            ("1", "complete", "desk-complete"),
            ("2", "swap", "desk-swap"),
            ("3", "conference", "desk-conference"),
            ("4", "cancel", "desk-cancel"),
        ]
    else:
        choices = [("1", "blind", "desk-transfer"), ("2", "consult", "desk-consult")]
    return _press(turn, call, choices if agent.state is AgentState.TALKING else [])


def _listed(turn: Turn, call: Call, choices: Sequence[tuple[str, str]], entry: str) -> Shown:
    """Some of a list of choices and their prompts: those from the one on that ``entry`` ends with (``...:8``)."""
    first = int(entry.rpartition(":")[2] or 0) if ":" in entry else 0
    some = [(str(number), choice, prompt) for number, (choice, prompt) in enumerate(choices[first : first + MOST], 1)]
    if first + MOST < len(choices):
        some.append(("9", f":{first + MOST}", FURTHER))
    return _press(turn, call, some)


def reasons(turn: Turn, call: Call, agent: Agent, entry: str) -> Shown:
    return _listed(turn, call, [(each, named(REASON, each)) for each in turn.state.config.not_ready_reasons], entry)


def dispositions(turn: Turn, call: Call, agent: Agent, entry: str) -> Shown:
    """Those of the queue; of several levels, the next level of what was chosen so far (``sale/``)."""
    above = entry.partition(":")[0]
    below = [each.removeprefix(above) for each in wrap_up.choices(turn, agent) if each.startswith(above)]
    found: dict[str, str] = {}
    for each in below:
        level, deeper, _ = each.partition(LEVEL)
        found[f"{above}{level}{deeper}"] = named(DISPOSITION, level)
    return _listed(turn, call, list(found.items()), entry)


def callbacks(turn: Turn, call: Call, agent: Agent, entry: str) -> Shown:
    """The next ones due, each with number and time, by the clock of the center."""
    found = turn.state.callbacks.next_for(agent.name, CALLBACKS_TOLD)
    if not found:
        return Shown(in_words(turn, call, NO_CALLBACK))
    said: list[str] = []
    zone = ZoneInfo(turn.state.config.time_zone)
    for key, each in enumerate(found, 1):
        due = (each.due_at or turn.now).astimezone(zone)
        values = {"key": str(key), "number": each.number, "date": due.date().isoformat(), "time": due.strftime("%H:%M")}
        pieces: tuple[Piece, ...] = (PRESS, Spoken(SpeakAs.DIGITS, "key"), CALLBACK, Spoken(SpeakAs.DIGITS, "number"), DUE)
        if due.date() != turn.now.astimezone(zone).date():
            pieces = (*pieces, Spoken(SpeakAs.DATE, "date"))
        said += in_words(turn, call, (*pieces, Spoken(SpeakAs.TIME, "time")), values)
    return Shown(tuple(said), "".join(str(key) for key in range(1, len(found) + 1)), tuple(each.id for each in found))


def extension(turn: Turn, call: Call, agent: Agent, entry: str) -> Shown:
    return Shown(in_words(turn, call, ENTER_EXTENSION))


def figures(turn: Turn, call: Call, agent: Agent) -> tuple[str, ...]:
    """Contacts, talk, mean handling time and occupancy of today, this very moment included."""
    zone = turn.state.config.time_zone
    today = now_of(agent.figures, zone, agent.state, agent.since, turn.now)
    values = {"contacts": str(today.contacts), "talk": _seconds(today.talk)}
    pieces: tuple[Piece, ...] = (CONTACTS, Spoken(SpeakAs.NUMBER, "contacts"), TALK, Spoken(SpeakAs.DURATION, "talk"))
    if today.aht is not None:
        values["handling"] = _seconds(today.aht)
        pieces = (*pieces, HANDLING, Spoken(SpeakAs.DURATION, "handling"))
    if today.occupancy is not None:
        values["occupancy"] = str(round(100 * today.occupancy))
        pieces = (*pieces, OCCUPANCY, Spoken(SpeakAs.NUMBER, "occupancy"), PERCENT)
    return in_words(turn, call, pieces, values)


def _seconds(length: timedelta) -> str:
    return str(round(length.total_seconds()))


PAGES: Mapping[Page, Callable[[Turn, Call, Agent, str], Shown]] = {
    Page.MAIN: main,
    Page.REASONS: reasons,
    Page.DISPOSITIONS: dispositions,
    Page.CALLBACKS: callbacks,
    Page.MORE: more,
    Page.QUEUES: queues,
    Page.CALLER: caller,
    Page.EXTENSION: extension,
}
