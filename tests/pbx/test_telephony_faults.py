"""The telephony adapters when things go wrong, on a real Asterisk."""

import asyncio

import pytest

from callcenter.adapters.ami.client import AmiServer
from callcenter.adapters.ami.operations import reload
from callcenter.adapters.ami.phones import PhoneHealth
from callcenter.domain import commands as c
from callcenter.domain import events as e
from callcenter.runtime.secrets import AMI_OPERATIONS_USER
from callcenter.services.ports import CommandError
from callcenter.sim.sip.policy import Manual, RingForever
from tests.support.asterisk import DID, asterisk_node
from tests.support.telephony import ALICE_TONES, CALLER_TONES, PATIENCE, agent_phone, arrive, caller, engine


async def test_a_node_that_crashes_is_known_by_its_start() -> None:
    async with asterisk_node() as pbx, engine(pbx) as it:
        first = await it.wait_for(e.NodeConnected)
        pbx.node.kill()
        await it.wait_for(e.NodeDisconnected)
        with pytest.raises(CommandError) as refused:
            await it.run(c.HangUp, "node1-1.1")
        assert refused.value.refusal is e.Refusal.NODE_AWAY
        since = len(it.events)
        await pbx.node.start()
        again = await it.wait_for(e.NodeConnected, since=since)
        assert again.started_at > first.started_at
        await it.telephony.beat(pbx.name)


async def test_calls_outlive_us_and_are_found_again() -> None:
    async with asterisk_node() as pbx, agent_phone(pbx) as alice, caller(pbx) as ann:
        alice.on_invite = Manual()
        async with engine(pbx) as before:
            call, leg = await arrive(before, ann)
            ringing = await before.ring("alice")
            await before.wait_for(e.LegRang, ringing)
            at_alice = await alice.incoming()
            await before.run(c.Play, leg, "long", ("welcome",) * 60)
        async with engine(pbx) as after:
            seen = await after.telephony.snapshot(pbx.name, ("long", "other"))
            assert seen.legs[leg].arrival is not None
            assert seen.legs[leg].arrival.dialed == DID
            assert seen.legs[ringing].ours
            assert seen.legs[ringing].ringing
            assert seen.playbacks == {"long"}
            at_alice.answer()
            await after.wait_for(e.LegAnswered, ringing)
            await call.hang_up()
            assert (await after.wait_for(e.LegEnded, leg)).cause is e.Cause.NORMAL
            await at_alice.hang_up()
            assert (await after.wait_for(e.LegEnded, ringing)).cause is e.Cause.NORMAL


async def test_two_who_talk_never_notice_and_their_end_is_told() -> None:
    async with asterisk_node() as pbx, agent_phone(pbx) as alice, caller(pbx) as ann:
        async with engine(pbx) as before:
            call, leg = await arrive(before, ann)
            agent_leg = await before.ring("alice")
            await before.wait_for(e.LegAnswered, agent_leg)
            at_alice = await alice.incoming()
            await before.run(c.ConnectLegs, "b1", (leg, agent_leg))
            await call.hears(ALICE_TONES)
        async with engine(pbx) as after:
            seen = await after.telephony.snapshot(pbx.name, ())
            assert seen.bridges == {"b1": frozenset((leg, agent_leg))}
            assert seen.legs[leg].ours
            assert seen.legs[agent_leg].ours
            assert seen.legs[agent_leg].arrival is None
            await at_alice.hears(CALLER_TONES)
            await at_alice.hang_up()
            assert (await after.wait_for(e.LegEnded, agent_leg)).cause is e.Cause.NORMAL
            await call.hang_up()
            assert (await after.wait_for(e.LegEnded, leg)).cause is e.Cause.NORMAL


async def test_a_phone_that_rings_while_we_are_away_is_heard_of_again() -> None:
    """No other leg keeps the application alive: its subscription to the ringing leg is gone with it."""
    async with asterisk_node() as pbx, agent_phone(pbx) as alice:
        alice.on_invite = RingForever()
        async with engine(pbx) as before:
            ringing = await before.ring("alice")
            await before.wait_for(e.LegRang, ringing)
            at_alice = await alice.incoming()
        async with engine(pbx) as after:
            await after.telephony.snapshot(pbx.name, ())
            at_alice.reject(486)
            assert (await after.wait_for(e.LegEnded, ringing)).cause is e.Cause.BUSY


async def test_events_are_kept_back_until_the_snapshot_is_read() -> None:
    async with asterisk_node() as pbx, engine(pbx) as it, caller(pbx) as ann:
        call, leg = await arrive(it, ann)
        order: list[str] = []

        async def slowly(node: str) -> None:
            seen = await it.telephony.snapshot(node, ())
            order.append("there" if leg in seen.legs else "gone")
            await call.hang_up()
            await it.telephony.beat(node)  # by now its end was told
            order.append(str([x for x in it.events[since:] if isinstance(x, e.LegEnded)]))

        it.on_connect = slowly
        since = len(it.events)
        await it.telephony.close()
        await it.telephony.start()
        await it.wait_for(e.LegEnded, leg, since=since)
        assert order == ["there", "[]"]


async def test_the_engine_that_was_replaced_stands_down() -> None:
    async with asterisk_node() as pbx, engine(pbx) as first:
        async with engine(pbx) as second:
            with pytest.raises(CommandError) as refused:
                await first.telephony.beat(pbx.name)
            assert refused.value.refusal is e.Refusal.NODE_AWAY
            await second.telephony.beat(pbx.name)
        assert first.replaced == [pbx.name]
        assert not [x for x in first.events if isinstance(x, e.NodeDisconnected)]


async def test_the_end_of_a_fallback_call_is_told() -> None:
    async with asterisk_node() as pbx, caller(pbx) as ann:
        call = await ann.invite(DID)  # no heartbeat: into the fallback
        await call.answered()
        async with engine(pbx) as it:
            (seen,) = (await it.telephony.snapshot(pbx.name, ())).legs.values()
            assert not seen.ours
            assert seen.endpoint == "carrier"
            await it.telephony.watch(pbx.name, seen.leg)
            await call.hang_up()
            await it.wait_for(e.FallbackTalkEnded, seen.leg)
            since = len(it.events)
            await it.telephony.watch(pbx.name, seen.leg)  # gone: told at once
            await it.wait_for(e.FallbackTalkEnded, seen.leg, since=since)
            assert not [x for x in it.events if isinstance(x, e.LegEnded)]


async def test_a_recording_that_cannot_be_written_is_refused() -> None:
    async with asterisk_node() as pbx, engine(pbx) as it, caller(pbx) as ann:
        _, leg = await arrive(it, ann)
        pbx.node.recordings.chmod(0o500)
        with pytest.raises(CommandError) as refused:
            await it.run(c.StartRecording, leg, it.ids.draw())
        assert refused.value.refusal is e.Refusal.REFUSED


async def test_hostile_callers_reach_nothing() -> None:
    async with asterisk_node() as pbx, engine(pbx) as it, caller(pbx) as ann:
        for shown in ('"x\u202e<script>" <sip:4%0d%0a5@127.0.0.1>', "<sip:..%2f..%2fetc%2fpasswd@127.0.0.1>", "<sip:anonymous@127.0.0.1>"):
            since = len(it.events)
            await it.telephony.beat(pbx.name)
            call = await ann.invite(DID, from_raw=shown)
            arrived = await it.wait_for(e.LegArrived, since=since)
            assert set(arrived.caller) <= set("0123456789+*#")
            assert arrived.caller_name.isprintable()
            await it.run(c.Answer, arrived.leg)
            await call.answered()
            await call.hang_up()


async def test_phones_are_told_of() -> None:
    async with asterisk_node() as pbx:
        told: asyncio.Queue[e.Event] = asyncio.Queue()
        account = AmiServer("127.0.0.1", pbx.ami_port, AMI_OPERATIONS_USER, pbx.secrets.ami_operations_password, hears_events=True)
        client = PhoneHealth(told.put_nowait).client(pbx.name, account)
        running = asyncio.create_task(client.run())
        endpoint = pbx.phone("alice").endpoint
        async with asyncio.timeout(PATIENCE):
            assert {await told.get() for _ in range(3)} >= {e.PhoneUnreachable(endpoint), e.PhoneUnreachable(pbx.phone("bob").endpoint)}
            async with agent_phone(pbx) as alice:
                assert await told.get() == e.PhoneReachable(endpoint)
                await alice.unregister()
                assert await told.get() == e.PhoneUnreachable(endpoint)
            await reload(client, ["pbx_config.so"])
            with pytest.raises(CommandError):
                await reload(client, ["nosuch.so"])
        running.cancel()


@pytest.mark.long
async def test_a_caller_without_audio_is_lost() -> None:
    async with asterisk_node() as pbx, engine(pbx) as it, caller(pbx) as ann:
        _, leg = await arrive(it, ann)
        ann.vanish()
        assert (await it.wait_for(e.LegEnded, leg, within=60)).cause is e.Cause.LOST


async def test_a_recording_that_is_begun_twice_is_one_recording() -> None:
    """After a restart we may say so again; two that write one file would spoil it."""
    async with asterisk_node() as pbx, engine(pbx) as it, caller(pbx) as ann:
        _, leg = await arrive(it, ann)
        recording = it.ids.draw()
        await it.run(c.StartRecording, leg, recording)
        await it.run(c.StartRecording, leg, recording)
        channel = pbx.cli("core show channels concise").partition("!")[0]
        assert pbx.cli(f"mixmonitor list {channel}").count(recording) == 1
