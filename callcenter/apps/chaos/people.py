"""Callers and agents of a simulated day: they come, wait, press keys, hold, talk, consult, hang up, and change their minds."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from callcenter.apps.chaos.nodes import ChaosPbx
from callcenter.apps.chaos.workplace import MOBILE
from callcenter.domain import events as e
from callcenter.domain.config import CenterConfig
from callcenter.domain.supervision_modes import SupervisionMode
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.timeline import Timeline

PATIENCE_S = 45.0
TALK_S = 20.0
AGENT_ACTS_EVERY_S = 12.0
NUMBERS = tuple(f"+1202555{n:04d}" for n in range(80))
"""Of the callers, who may be called back."""
MOODS = (Mood.ANSWERS,) * 12 + (Mood.BUSY, Mood.DECLINES, Mood.RINGS_ON, Mood.UNREACHABLE)

ACTS = (
    *("break", "log out", "star", "mood", "mood", "phone", "opt", "wrap up", "wrap up"),
    *("transfer", "transfer", "consult", "consult", "refer", "callback"),
)


class People:
    """Everybody outside. All of it is drawn from ``dice``."""

    def __init__(
        self,
        timeline: Timeline,
        nodes: Mapping[str, ChaosPbx],
        tell: Callable[[e.Event], None],
        config: CenterConfig,
        dice: random.Random,
        arrivals_every_s: float,
    ) -> None:
        self.callers: list[tuple[str, str]] = []
        """Node and leg of everybody who ever called a DID."""
        self.calm = False
        """Nobody does anything odd any more."""
        self.open = True
        """Callers come."""
        self.at_work = True
        """Agents come and go."""
        self._timeline, self._nodes, self._tell, self._dice = timeline, nodes, tell, dice
        self._agents = sorted(name for name, agent in config.agents.items() if agent.queues)
        self._whims = random.Random(repr(dice.getstate()))
        """Of supervisors, who change nobody else's."""
        self._codes = {name: agent.extension for name, agent in config.agents.items()}
        self._endpoints = {name: agent.endpoint for name, agent in config.agents.items()}
        self._queues = sorted(config.queues)
        self._extensions = sorted([*(agent.extension for agent in config.agents.values()), *(q.extension for q in config.queues.values())])
        self._asked = 0
        self._dids = [*sorted(config.numbers), "+18005559999"]
        self._every = arrivals_every_s
        self.phones = {endpoint: Phone(Mood.ANSWERS, self._answers_after) for endpoint in self._endpoints.values()}
        outside = {number: Phone(dice.choice(MOODS), self._answers_after) for number in (*NUMBERS, MOBILE)}
        for node in nodes.values():
            node.phones, node.outside = self.phones, outside
            node.on_answered = self._answered
            node.on_connected = self._connected
            node.at_a_bad_moment = self._bad_moment

    def begin(self) -> None:
        for agent in self._agents:
            self._after(self._dice.uniform(0, 20), self._comes_to_work, agent)
        self._after(1.0, self._somebody_calls)
        self._after(20.0, self._sam_acts)

    def _after(self, seconds: float, do: Callable[..., None], *args: object) -> None:
        self._timeline.after(timedelta(seconds=seconds), do, *args)

    def _mean(self, seconds: float) -> float:
        return self._dice.expovariate(1 / seconds)

    # --- callers --------------------------------------------------------------------------------

    def _somebody_calls(self) -> None:
        if not self.open:
            return
        self._after(self._mean(self._every), self._somebody_calls)
        dice = self._dice
        node = dice.choice(sorted(self._nodes))
        did = dice.choice(self._dids)
        caller = dice.choice((*NUMBERS, "anonymous"))
        leg = self._nodes[node].dialplan.dial(did, caller)
        self.callers.append((node, leg))
        self._after(self._mean(PATIENCE_S), self._gives_up, node, leg)
        for _ in range(dice.choice((0, 0, 1, 1, 2, 4))):
            self._after(self._mean(6.0), self._nodes[node].party_presses, leg, dice.choice("11259#"))

    def _answered(self, leg: str) -> None:
        """Whom we called has answered: an agent, who mostly accepts, or who was promised a call, and does not wait for ever."""
        dice, node = self._dice, self._node_of(leg)
        self._after(self._mean(3.0), self._nodes[node].party_presses, leg, dice.choice("1119"))
        self._after(self._mean(PATIENCE_S), self._gives_up, node, leg)

    def _gives_up(self, node: str, leg: str) -> None:
        """Unless talking, or about to."""
        channel = self._nodes[node].channels.get(leg)
        if channel is not None and not channel.bridge:
            self._hangs_up(node, leg)

    def _hangs_up(self, node: str, leg: str, cause: e.Cause = e.Cause.NORMAL) -> None:
        if leg in self._nodes[node].channels:
            self._nodes[node].dialplan.hangs_up(leg, cause)

    def _node_of(self, leg: str) -> str:
        return next((name for name, node in self._nodes.items() if leg in node.channels), "")

    def _connected(self, legs: Sequence[str]) -> None:
        """Two hear each other: one of them will hang up, now and then by losing the line."""
        dice = self._dice
        node = self._node_of(legs[0])
        leg = dice.choice(list(legs))
        cause = dice.choice((e.Cause.NORMAL,) * 9 + (e.Cause.LOST,))
        length = self._mean(TALK_S)
        self._after(length, self._hangs_up, node, leg, cause)
        self._after(length + self._mean(10.0), self._hangs_up, node, legs[0])
        self._after(length + self._mean(10.0), self._hangs_up, node, legs[-1])
        agents = {self._nodes[node].channels[each].endpoint for each in legs if each in self._nodes[node].channels}
        for agent in (name for name in self._agents if self._endpoints[name] in agents and dice.random() < 0.4):
            self._after(length * 0.2, self._asks_somebody, agent)
        if dice.random() < 0.15:
            other = dice.choice(list(legs))
            self._after(length * 0.3, self._nodes[node].party_holds, other, True)
            self._after(length * 0.5, self._nodes[node].party_holds, other, False)

    def _bad_moment(self, leg: str) -> None:
        """Whoever is on this leg, or anybody else, does something just now."""
        dice = self._dice
        node = self._node_of(leg)
        if not node:
            return
        what = dice.choice(("hang up", "hang up", "lost", "key", "hold", "agent"))
        if what == "hang up":
            self._after(0.0, self._hangs_up, node, leg)
        elif what == "lost":
            self._after(0.0, self._hangs_up, node, leg, e.Cause.LOST)
        elif what == "key":
            self._nodes[node].party_presses(leg, dice.choice("19#"))
        elif what == "hold":
            self._nodes[node].party_holds(leg, dice.random() < 0.5)
        else:
            self._acts(dice.choice(self._agents))

    # --- supervisors ----------------------------------------------------------------------------

    def _sam_acts(self) -> None:
        """Hears somebody, from a screen or by phone, switches, hangs up, loses the line, forces a state."""
        whims = self._whims
        if not self.open:
            return
        self._after(whims.expovariate(1 / 6.0), self._sam_acts)
        if self.calm:
            return
        agent, mode = whims.choice(self._agents), whims.choice(list(SupervisionMode))
        what = whims.choice(("begin", "begin", "dial", "dial", "switch", "switch", "key", "key", "end", "hang up", "lost", "force"))
        if what == "begin":
            self._tell(e.SupervisionRequested("sam", agent, mode, whims.random() < 0.3, "chaos", "boss"))
        elif what == "dial":
            node = self._nodes[whims.choice(sorted(self._nodes))]
            if node.listening:
                node.dial_from_phone(self._endpoints["sam"], f"*4{whims.choice('45678')}{self._codes[agent]}")
        elif what == "switch":
            self._tell(e.SupervisionSwitchRequested("sam", mode, "boss"))
        elif what == "end":
            self._tell(e.SupervisionEndRequested("sam", "boss"))
        elif what == "force":
            self._tell(e.AgentForceRequested(agent, whims.choice(list(e.ForcedState)), "break", "boss", "chaos"))
        for name, leg in self._legs("sam")[:1]:
            if what == "key":
                self._nodes[name].party_presses(leg, whims.choice("4567*"))
            elif what in ("hang up", "lost"):
                self._hangs_up(name, leg, e.Cause.LOST if what == "lost" else e.Cause.NORMAL)

    # --- agents ---------------------------------------------------------------------------------

    def _answers_after(self) -> timedelta:
        return timedelta(seconds=self._dice.choice((0.0, 0.5, 2.0, 2.0, 5.0, 14.9, 15.0, 15.1)))

    def _comes_to_work(self, agent: str) -> None:
        self._tell(e.AgentLoginRequested(agent))
        self._tell(e.AgentReadyRequested(agent))
        self._after(self._mean(AGENT_ACTS_EVERY_S), self._goes_on, agent)

    def _goes_on(self, agent: str) -> None:
        self._acts(agent)
        self._after(self._mean(AGENT_ACTS_EVERY_S), self._goes_on, agent)

    def _acts(self, agent: str) -> None:
        dice = self._dice
        if not self.at_work:
            return
        if self.calm:
            self._tell(e.AgentLoginRequested(agent))
            self._tell(e.AgentReadyRequested(agent))
            return
        what = dice.choice(("ready",) * 9 + ACTS)
        if what == "ready":
            self._tell(e.AgentLoginRequested(agent))
            self._tell(e.AgentReadyRequested(agent))
        elif what == "break":
            self._tell(e.AgentNotReadyRequested(agent, "break"))
        elif what == "log out":
            self._tell(e.AgentLogoutRequested(agent))
        elif what == "star":
            self._dials(agent, dice.choice(("*11", "*11", "*12", "*99")))
        elif what == "transfer":
            self._tell(e.TransferRequested(agent, *self._somebody()))
        elif what == "consult":
            self._consults(agent)
        elif what == "refer":
            self._refers(agent)
        elif what == "callback":
            self._sees_to_a_callback(agent)
        elif what == "opt":
            asks = dice.choice((e.OptOutRequested, e.OptInRequested, e.OptInRequested))
            self._tell(asks(agent, dice.choice(self._queues)))
        elif what == "wrap up":
            self._tell(e.DispositionChosen(agent, dice.choice(("solved", "open", "nonsense"))))
            self._tell(dice.choice((e.WrapUpEndRequested, e.WrapUpExtensionRequested))(agent))
        elif what == "mood":
            self._mood(agent, dice.choice(MOODS))
        else:
            self._mood(agent, Mood.UNREACHABLE)

    def _dials(self, agent: str, code: str) -> None:
        node = self._nodes[self._dice.choice(sorted(self._nodes))]
        if not node.listening:
            return
        leg = node.dial_from_phone(self._endpoints[agent], code)
        self._after(self._mean(8.0), self._hangs_up, node.name, leg)

    def _somebody(self) -> tuple[str, str]:
        """A queue or a colleague, the other one empty."""
        return self._dice.choice([*((queue, "") for queue in self._queues), *(("", agent) for agent in self._agents)])

    def _asks_somebody(self, agent: str) -> None:
        """About the caller whom she has."""
        dice = self._dice
        if dice.random() < 0.2:
            self._tell(e.TransferRequested(agent, *self._somebody()))
        else:
            self._consults(agent)
        if dice.random() < 0.2:
            self._after(self._mean(5.0), self._refers, agent)

    def _consults(self, agent: str) -> None:
        """At the console, or with a second call of the phone; and then she makes up her mind."""
        dice = self._dice
        if dice.random() < 0.6:
            self._tell(e.ConsultRequested(agent, *self._somebody()))
        else:
            own = self._legs(agent)
            node = self._nodes[own[0][0] if own and dice.random() < 0.9 else dice.choice(sorted(self._nodes))]
            if own:
                self._nodes[own[0][0]].party_holds(own[0][1])
            if node.listening:
                node.dial_from_phone(self._endpoints[agent], dice.choice(self._extensions))
        asks = (e.CompleteRequested, e.CompleteRequested, e.CancelRequested, e.SwapRequested, e.ConferenceRequested)
        for _ in range(dice.randrange(1, 5)):
            self._after(self._mean(5.0), lambda: self._tell(dice.choice(asks)(agent)))

    def _legs(self, agent: str) -> list[tuple[str, str]]:
        """Node and id of every call that her phone has."""
        endpoint = self._endpoints[agent]
        return [(name, leg) for name, node in self._nodes.items() for leg, channel in node.channels.items() if channel.endpoint == endpoint]

    def _refers(self, agent: str) -> None:
        """She presses the transfer key of her phone: into her other call, when she has one, or to an extension."""
        legs = self._legs(agent)
        if legs:
            node, leg = legs[0]
            into = legs[1][1] if len(legs) > 1 else None
            self._nodes[node].party_refers(leg, self._dice.choice(self._extensions), into)

    def _sees_to_a_callback(self, agent: str) -> None:
        """Somebody promises one, for now or later, to anybody or this agent; or it is changed, or cancelled."""
        dice = self._dice
        callback = f"asked-{dice.randrange(self._asked + 1)}"
        at = self._timeline.now + timedelta(seconds=dice.uniform(-5, 60))
        what = dice.choice(("promise", "promise", "edit", "cancel"))
        if what == "promise":
            self._asked += 1
            due_at, owner = dice.choice((None, at)), dice.choice(("", agent))
            queue = dice.choice(("support", "sales", "zoo"))
            self._tell(e.CallbackRequested(f"asked-{self._asked}", queue, dice.choice(NUMBERS), due_at, owner=owner))
        elif what == "edit":
            self._tell(e.CallbackEditRequested(callback, number=dice.choice((None, *NUMBERS[:3])), due_at=dice.choice((None, at))))
        else:
            self._tell(e.CallbackCancelRequested(callback))

    def _mood(self, agent: str, mood: Mood) -> None:
        """The phone's registration is seen by the node's qualify a moment later."""
        endpoint = self._endpoints[agent]
        before, self.phones[endpoint].mood = self.phones[endpoint].mood, mood
        if (before is Mood.UNREACHABLE) is not (mood is Mood.UNREACHABLE) and self._dice.random() < 0.8:
            self._after(self._dice.choice((0.0, 1.0, 5.0)), self._phone_is_seen, endpoint)

    def _phone_is_seen(self, endpoint: str) -> None:
        there = self.phones[endpoint].mood is not Mood.UNREACHABLE
        self._tell(e.PhoneReachable(endpoint) if there else e.PhoneUnreachable(endpoint))

    def tell_all_phones(self) -> None:
        """A connection to the nodes that was lost begins with the state of each phone."""
        for endpoint in self.phones:
            self._phone_is_seen(endpoint)

    # --- the end --------------------------------------------------------------------------------

    def calm_down(self) -> None:
        """From now on all phones work, and everybody who is not talking is ready."""
        self.calm = True
        for agent in self._agents:
            self.phones[self._endpoints[agent]].mood = Mood.ANSWERS
        self.tell_all_phones()

    def go_home(self) -> None:
        """Nobody calls any more, and after a while everybody has hung up."""
        self.open = False
        self._after(120.0, self._all_hang_up)

    def _all_hang_up(self) -> None:
        self.at_work = False
        for agent in self._agents:
            self._tell(e.AgentLogoutRequested(agent))
        for name, node in self._nodes.items():
            for leg in sorted(node.channels):
                self._hangs_up(name, leg)
