"""The engine is killed at any moment of a supervision, and the wire fails: agent and caller go on, and no ear is left behind."""

import asyncio
from dataclasses import replace

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.commands import CloseBridge, Command, ConnectLegs, HangUp, SnoopLeg
from callcenter.domain.config import AgentConfig, CenterConfig, SupervisorConfig
from callcenter.domain.facts import SupervisionMode
from callcenter.sim.world import small_center
from tests.support.virtual import VirtualCenter, in_virtual_time

LISTEN, WHISPER, BARGE, TAKE_OVER = SupervisionMode
ALICE, SAM = "phone-of-alice", "phone-of-sam"


def config() -> CenterConfig:
    center = small_center(agents=("alice",))
    agents = {**center.agents, "sam": AgentConfig("sam", SAM, extension="209")}
    return replace(center, agents=agents, supervisors={"sam": SupervisorConfig("sam", ("support",))})


async def talk(center: VirtualCenter) -> str:
    await center.agent_ready("alice")
    caller = center.calls()
    await center.pass_time(5)
    assert center.talking() == {"alice": caller}
    return caller


async def begin(center: VirtualCenter, mode: SupervisionMode, *, stay: bool = False) -> None:
    assert await center.engine.request(e.SupervisionRequested("sam", "alice", mode, stay)) is None
    await center.pass_time(4)


def heard(center: VirtualCenter) -> dict[str, set[str]]:
    """From each party to those it hears."""
    pbx = center.pbx
    legs = [leg for leg, channel in pbx.channels.items() if not channel.spies_on]
    return {pbx.channels[leg].endpoint: {pbx.channels[other].endpoint for other in pbx.hears(leg)} for leg in legs}


TOGETHER = {"carrier": {ALICE}, ALICE: {"carrier"}}
EXPECTED = {
    LISTEN: {**TOGETHER, SAM: {"carrier", ALICE}},
    WHISPER: {"carrier": {ALICE}, ALICE: {"carrier", SAM}, SAM: {"carrier", ALICE}},
    BARGE: {"carrier": {ALICE, SAM}, ALICE: {"carrier", SAM}, SAM: {"carrier", ALICE}},
    TAKE_OVER: {"carrier": {SAM}, SAM: {"carrier"}},
}


async def all_is_over(center: VirtualCenter, caller: str) -> None:
    center.pbx.party_hangs_up(caller)
    await center.pass_time(20)
    assert (center.pbx.channels, center.pbx.bridges) == ({}, {})
    state = center.engine.center.state
    assert (state.calls, state.supervising, state.supervised, state.snoops) == ({}, {}, {}, {})
    assert len(center.kept(f.ContactConnected)) <= 2


@pytest.mark.parametrize("mode", SupervisionMode)
def test_a_restart_finds_everybody_as_they_were(mode: SupervisionMode) -> None:
    @in_virtual_time(config=config())
    async def story(center: VirtualCenter) -> None:
        caller = await talk(center)
        await begin(center, mode)
        await center.restart()
        await center.pass_time(3)
        assert heard(center) == EXPECTED[mode]
        await all_is_over(center, caller)

    story()


@pytest.mark.parametrize("mode", SupervisionMode)
@pytest.mark.parametrize("cut", range(1, 6))
def test_killed_after_any_command_the_rest_is_made_up_for(mode: SupervisionMode, cut: int) -> None:
    """From then on nothing is carried out, until another engine has read the facts."""

    @in_virtual_time(config=config(), seeds=(None, 1))
    async def story(center: VirtualCenter) -> None:
        caller = await talk(center)
        first = LISTEN if mode is not LISTEN else BARGE
        await begin(center, first)
        done = 0

        def stuck(command: Command) -> bool:
            nonlocal done
            done += isinstance(command, SnoopLeg | ConnectLegs | CloseBridge | HangUp)
            return done >= cut

        center.wire.stuck = stuck
        switching = asyncio.create_task(center.engine.request(e.SupervisionSwitchRequested("sam", mode)), name="story")
        await center.pass_time(1)
        await switching
        await center.kill()
        center.wire.stuck = lambda command: False
        await center.start()
        await center.pass_time(4)
        assert heard(center) == EXPECTED[mode]
        assert len([channel for channel in center.pbx.channels.values() if channel.spies_on]) == (mode in (LISTEN, WHISPER))
        await all_is_over(center, caller)

    story()


@pytest.mark.parametrize("mode", [LISTEN, WHISPER, BARGE])
@pytest.mark.parametrize("who", ["carrier", ALICE, SAM])
def test_who_hangs_up_while_we_are_away_is_noticed(mode: SupervisionMode, who: str) -> None:
    @in_virtual_time(config=config())
    async def story(center: VirtualCenter) -> None:
        caller = await talk(center)
        await begin(center, mode)
        await center.kill()
        center.pbx.party_hangs_up(next(channel.id for channel in center.pbx.channels.values() if channel.endpoint == who))
        await center.pass_time(1)
        await center.start()
        await center.pass_time(4)
        if who == SAM:
            assert heard(center) == TOGETHER
        assert len([channel for channel in center.pbx.channels.values() if channel.spies_on]) == 0
        await all_is_over(center, caller)

    story()


@pytest.mark.parametrize("kind", [SnoopLeg, ConnectLegs, CloseBridge, HangUp])
@pytest.mark.parametrize("mode", SupervisionMode)
def test_answers_that_are_lost_hurt_nobody(mode: SupervisionMode, kind: type) -> None:
    @in_virtual_time(config=config(), seeds=(None, 2))
    async def story(center: VirtualCenter) -> None:
        caller = await talk(center)
        await begin(center, LISTEN if mode is not LISTEN else WHISPER)
        center.wire.loses_answer = lambda command: isinstance(command, kind)
        await center.engine.request(e.SupervisionSwitchRequested("sam", mode))
        await center.pass_time(6)
        center.wire.loses_answer = lambda command: False
        await center.pass_time(6)
        assert heard(center)["carrier"] == EXPECTED[mode]["carrier"]
        await all_is_over(center, caller)

    story()


@in_virtual_time(config=config())
async def test_a_node_that_crashes_ends_it_all(center: VirtualCenter) -> None:
    await talk(center)
    await begin(center, LISTEN, stay=True)
    center.wire.crash()
    await center.pass_time(3)
    center.wire.mend()
    await center.pass_time(15)
    assert center.engine.center.state.calls.keys() == set()
    assert center.kept(f.SupervisionEnded)
    caller = center.calls()
    await center.pass_time(30)
    await all_is_over(center, caller)
