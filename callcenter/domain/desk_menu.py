"""The spoken menu of a desk phone: one code opens it, keys choose, and everything an agent does at a screen she does here by ear.

::

    *10 ──► MAIN ──► REASONS, DISPOSITIONS, CALLBACKS, QUEUES, CALLER ──► EXTENSION
             ▲ ▲        │ *
             │ └────────┘
             └──── SAID (what came of it) ──► the end, where her phone must be free for what comes next

``*`` goes back, in the main page it ends the call; ``0`` says it again.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

from callcenter.domain import agent_requests, by_phone, callbacks, desk_pages, mailbox_keys, opting, transfers, wrap_up
from callcenter.domain.agent import Agent
from callcenter.domain.call import Call
from callcenter.domain.commands import Play, StopPlayback
from callcenter.domain.desk_names import LEVEL
from callcenter.domain.desk_words import in_words
from callcenter.domain.events import CallbackEditRequested, DigitPressed, PlaybackEnded
from callcenter.domain.facts import AgentState, DeskMenuLeft, DeskMenuMoved, Page
from callcenter.domain.turn import Turn

BACK, AGAIN, DONE = "*", "0", "#"
KEY_WITHIN, DIGIT_WITHIN = timedelta(seconds=6), timedelta(seconds=4)
TRIES = 3
LONGEST_EXTENSION = 16
NOT_POSSIBLE, READY, NOT_READY = "not-possible", "you-are-ready", "you-are-not-ready"
LOGGED_IN, LOGGED_OUT, NOTED, EXTENDED = "you-are-logged-in", "you-are-logged-out", "disposition-noted", "wrap-up-extended"
JOINED, LEFT = "queue-joined", "queue-left"
CALLBACK_YOURS, DONE_SAID = "desk-callback-yours", "desk-done"


def dial_in(turn: Turn, call: Call, agent: Agent, page: Page = Page.MAIN) -> None:
    """She has dialed the menu, or one of its pages."""
    show(turn, call, agent, page)


def figures(turn: Turn, call: Call, agent: Agent) -> None:
    """She has dialed the code of her figures: they are said, then the call ends."""
    _say(turn, call, agent, Page.SAID, desk_pages.Shown(desk_pages.figures(turn, call, agent)))


def show(turn: Turn, call: Call, agent: Agent, page: Page, entry: str = "", *, tries: int = 0, before: tuple[str, ...] = ()) -> None:
    """Be at that page, and say it, after what came before."""
    shown = desk_pages.PAGES[page](turn, call, agent, entry)
    if page is Page.CALLBACKS and not shown.keys:
        page, entry, shown, before = Page.MAIN, "", desk_pages.main(turn, call, agent, ""), (*before, *shown.prompts)
    _say(turn, call, agent, page, shown, entry, tries=tries, before=before)


def _say(
    turn: Turn,
    call: Call,
    agent: Agent,
    page: Page,
    shown: desk_pages.Shown,
    entry: str = "",
    *,
    tries: int = 0,
    before: tuple[str, ...] = (),
) -> None:
    _hush(turn, call)
    playback, prompts = turn.ids.draw_leg(call.node), (*before, *shown.prompts)
    turn.emit(DeskMenuMoved(turn.now, call.id, agent.name, page, prompts, playback, shown.keys, shown.choices, entry, tries))
    turn.want(Play(call.id, call.node, call.began.leg, playback, prompts))


def _hush(turn: Turn, call: Call) -> None:
    if call.desk is not None and call.desk.playback:
        turn.want(StopPlayback(call.id, call.node, call.desk.playback))


def _listen(turn: Turn, call: Call, entry: str, within: timedelta = KEY_WITHIN) -> None:
    at = _at(call)
    until = turn.now + within
    turn.emit(DeskMenuMoved(turn.now, call.id, at.agent, at.page, (), "", at.keys, at.choices, entry, at.tries, until))


def _at(call: Call) -> DeskMenuMoved:
    assert call.desk is not None
    return call.desk


def leave(turn: Turn, call: Call) -> None:
    """The end of the call."""
    _hush(turn, call)
    turn.emit(DeskMenuLeft(turn.now, call.id, _at(call).agent))
    turn.hang_up(call, call.caller_leg)


# --- what happens -------------------------------------------------------------------------------


def prompt_ended(turn: Turn, call: Call, event: PlaybackEnded) -> None:
    """The end of an older prompt, stopped meanwhile, means nothing."""
    at = _at(call)
    if at.playback != event.playback:
        return
    if at.page is Page.SAID:
        _go_on(turn, call)
    else:
        _listen(turn, call, at.entry)


def _go_on(turn: Turn, call: Call) -> None:
    """After what was said: the main page, or the end."""
    agent = _agent(turn, call)
    if _at(call).entry and agent is not None:
        show(turn, call, agent, Page.MAIN)
    else:
        leave(turn, call)


def time_is_up(turn: Turn, call: Call) -> None:
    """No key came. What was entered so far is whole; else it is said again, a few times."""
    at, agent = _at(call), _agent(turn, call)
    if agent is None or at.tries + 1 >= TRIES:
        leave(turn, call)
    elif at.page is Page.EXTENSION and _digits(at.entry):
        _transfer(turn, call, agent)
    else:
        show(turn, call, agent, at.page, at.entry, tries=at.tries + 1)


def key_pressed(turn: Turn, call: Call, event: DigitPressed) -> None:
    at, agent, key = _at(call), _agent(turn, call), event.digit
    if agent is None:
        leave(turn, call)
    elif at.page is Page.SAID:
        if key == BACK:
            leave(turn, call)
        else:
            _hush(turn, call)
            _go_on(turn, call)
    elif key == BACK:
        if at.page is Page.MAIN:
            leave(turn, call)
        else:
            show(turn, call, agent, Page.MAIN)
    elif at.page is Page.EXTENSION:
        _digit(turn, call, agent, key)
    elif key in at.keys:
        _CHOOSE[at.page](turn, call, agent, at.choices[at.keys.index(key)])
    else:
        said = () if key in (AGAIN, DONE) else in_words(turn, call, NOT_POSSIBLE)
        show(turn, call, agent, at.page, at.entry, tries=at.tries, before=said)


def say_again(turn: Turn, call: Call) -> None:
    """After a gap nobody hears what we said."""
    at, agent = _at(call), _agent(turn, call)
    if agent is None:
        leave(turn, call)
    elif at.page is Page.SAID:
        _say(turn, call, agent, Page.SAID, desk_pages.Shown(at.prompts), at.entry)
    elif at.playback:
        show(turn, call, agent, at.page, at.entry, tries=at.tries)


def caller_left(turn: Turn, call: Call) -> None:
    """She hung up."""
    if call.desk is not None:
        turn.emit(DeskMenuLeft(turn.now, call.id, call.desk.agent))


def _agent(turn: Turn, call: Call) -> Agent | None:
    return turn.state.agents.get(_at(call).agent)


# --- the extension ------------------------------------------------------------------------------


def _digits(entry: str) -> str:
    """What was entered, of ``consult:2002``."""
    return entry.partition(":")[2]


def _digit(turn: Turn, call: Call, agent: Agent, key: str) -> None:
    _hush(turn, call)
    if key != DONE:
        _listen(turn, call, f"{_at(call).entry}{key}", DIGIT_WITHIN)
    if key == DONE or len(_digits(_at(call).entry)) >= LONGEST_EXTENSION:
        _transfer(turn, call, agent)


def _transfer(turn: Turn, call: Call, agent: Agent) -> None:
    what, _, digits = _at(call).entry.partition(":")
    _told(turn, call, agent, DONE_SAID, lambda: transfers.to_extension(turn, agent, digits, consults=what == "consult"))


# --- what is chosen -----------------------------------------------------------------------------


def _told(turn: Turn, call: Call, agent: Agent, said: str, do: Callable[[], None], *, then_main: bool = False) -> None:
    """Do it, and say what came of it; what is not possible leads back to the main page."""
    before = by_phone.presence(agent)
    do()
    by_phone.note_presence(turn, call, agent, before)
    refused, turn.out.refusal = turn.out.refusal is not None, None  # it is said by phone
    shown = desk_pages.Shown(in_words(turn, call, NOT_POSSIBLE if refused else said))
    if agent.state is AgentState.LOGGED_OUT and not refused:
        then_main = False
    _say(turn, call, agent, Page.SAID, shown, Page.MAIN.value if refused or then_main else "")


def _ready(turn: Turn, call: Call, agent: Agent) -> None:
    def do() -> None:
        agent_requests.login(turn, agent)
        agent_requests.ready(turn, agent)

    _told(turn, call, agent, READY, do)


def _log_in(turn: Turn, call: Call, agent: Agent) -> None:
    _told(turn, call, agent, LOGGED_IN, lambda: agent_requests.login(turn, agent), then_main=True)


def _log_out(turn: Turn, call: Call, agent: Agent) -> None:
    _told(turn, call, agent, LOGGED_OUT, lambda: agent_requests.logout(turn, agent))


def _end_wrap_up(turn: Turn, call: Call, agent: Agent) -> None:
    remembered = agent.remembered
    stays = remembered is not None and remembered.state is not AgentState.READY
    _told(turn, call, agent, NOT_READY if stays else READY, lambda: wrap_up.end(turn, agent))


def _extend(turn: Turn, call: Call, agent: Agent) -> None:
    _told(turn, call, agent, EXTENDED, lambda: wrap_up.extend(turn, agent), then_main=True)


def _figures(turn: Turn, call: Call, agent: Agent) -> None:
    _say(turn, call, agent, Page.SAID, desk_pages.Shown(desk_pages.figures(turn, call, agent)), Page.MAIN.value)


def _to(page: Page, entry: str = "") -> Callable[[Turn, Call, Agent], None]:
    return lambda turn, call, agent: show(turn, call, agent, page, entry)


def _ask(story: Callable[[Turn, Agent], None]) -> Callable[[Turn, Call, Agent], None]:
    return lambda turn, call, agent: _told(turn, call, agent, DONE_SAID, lambda: story(turn, agent))


_MAIN: Mapping[str, Callable[[Turn, Call, Agent], None]] = {
    "ready": _ready,
    "log_in": _log_in,
    "log_out": _log_out,
    "reasons": _to(Page.REASONS),
    "end_wrap_up": _end_wrap_up,
    "dispositions": _to(Page.DISPOSITIONS),
    "extend": _extend,
    "callbacks": _to(Page.CALLBACKS),
    "caller": _to(Page.CALLER),
    "figures": _figures,
    "more": _to(Page.MORE),
}
_MORE: Mapping[str, Callable[[Turn, Call, Agent], None]] = {
    "queues": _to(Page.QUEUES),
    "mailbox": lambda turn, call, agent: _mailbox(turn, call, agent),
}
_CALLER: Mapping[str, Callable[[Turn, Call, Agent], None]] = {
    "blind": _to(Page.EXTENSION, "blind:"),
    "consult": _to(Page.EXTENSION, "consult:"),
    "complete": _ask(transfers.complete),
    "swap": _ask(transfers.swap),
    "conference": _ask(transfers.conference),
    "cancel": _ask(transfers.cancel),
}


def _reason(turn: Turn, call: Call, agent: Agent, choice: str) -> None:
    if choice.startswith(":"):
        show(turn, call, agent, Page.REASONS, choice)
    else:
        _told(turn, call, agent, NOT_READY, lambda: agent_requests.not_ready(turn, agent, choice), then_main=True)


def _disposition(turn: Turn, call: Call, agent: Agent, choice: str) -> None:
    if choice.startswith(":"):
        show(turn, call, agent, Page.DISPOSITIONS, f"{_at(call).entry.partition(':')[0]}{choice}")
    elif choice.endswith(LEVEL):
        show(turn, call, agent, Page.DISPOSITIONS, choice)
    else:
        _told(turn, call, agent, NOTED, lambda: wrap_up.dispose(turn, agent, choice), then_main=True)


def _callback(turn: Turn, call: Call, agent: Agent, choice: str) -> None:
    """It is hers, and due now; she gets it as soon as she is ready, which she is from now on."""

    def do() -> None:
        callbacks.edit(turn, CallbackEditRequested(choice, due_at=turn.now, owner=agent.name, by=agent.name))
        told = {"callback": choice, "owner": agent.name, "at": turn.now.isoformat()}
        by_phone.note(turn, call, agent.name, "callback_edit", turn.out.refusal, **told)
        if turn.out.refusal is None:
            agent_requests.login(turn, agent)
            agent_requests.ready(turn, agent)

    _told(turn, call, agent, CALLBACK_YOURS, do)


def _queue(turn: Turn, call: Call, agent: Agent, choice: str) -> None:
    joins = choice in agent.opted_out
    story = opting.opt_in if joins else opting.opt_out
    _told(turn, call, agent, JOINED if joins else LEFT, lambda: story(turn, agent, choice), then_main=True)


def _mailbox(turn: Turn, call: Call, agent: Agent) -> None:
    """From the menu to her mailbox, in the same call."""
    _hush(turn, call)
    turn.emit(DeskMenuLeft(turn.now, call.id, agent.name))
    if not mailbox_keys.dial_in(turn, call, agent, ""):
        turn.hang_up(call, call.caller_leg)


_CHOOSE: Mapping[Page, Callable[[Turn, Call, Agent, str], None]] = {
    Page.MAIN: lambda turn, call, agent, choice: _MAIN[choice](turn, call, agent),
    Page.CALLER: lambda turn, call, agent, choice: _CALLER[choice](turn, call, agent),
    Page.REASONS: _reason,
    Page.MORE: lambda turn, call, agent, choice: _MORE[choice](turn, call, agent),
    Page.QUEUES: _queue,
    Page.DISPOSITIONS: _disposition,
    Page.CALLBACKS: _callback,
}
