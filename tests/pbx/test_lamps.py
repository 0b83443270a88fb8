"""Keys with lamps on a real Asterisk: a phone watches a colleague and a queue, and is told at once what becomes of them."""

import pytest

from callcenter.domain import facts as f
from callcenter.domain.commands import SetLamp
from callcenter.sim.sip.phone import Phone
from callcenter.sim.sip.policy import AnswerAfter
from callcenter.sim.sip.subscription import SubscriptionRefused
from tests.support.asterisk import asterisk_node, raw_settings, short_folder
from tests.support.center import running_center
from tests.support.real_parties import RealEngine

pytestmark = pytest.mark.long
DIALOG = "application/dialog-info+xml"


async def test_a_key_shows_what_a_colleague_does_and_whether_callers_wait() -> None:
    with short_folder() as folder:
        raw = raw_settings(folder)
    agents = [{"name": name, "queues": ["support"], "extension": f"200{n}"} for n, name in enumerate(("alice", "bob"), 1)]
    queue = raw["queue"][0] | {"extension": "3001"}
    async with running_center(agent=agents, queue=[queue]) as center:
        bob = await center.phone("bob", AnswerAfter(0.2))
        alice = await bob.subscribe("2001", "dialog", DIALOG)
        waiting = await bob.subscribe("3001", "dialog", DIALOG)
        await alice.tells(lambda body: "<state>terminated" in body)
        presence = await bob.subscribe("2001", "presence", "application/pidf+xml")
        await presence.tells(lambda body: "closed" in body)  # she is not logged in
        caller = await center.call()
        await waiting.tells(lambda body: "<state>confirmed" in body)
        phone = await center.agent("alice", AnswerAfter(1.0))
        await alice.tells(lambda body: "<state>confirmed" in body)
        await (await phone.incoming(20)).answered()
        await waiting.tells(lambda body: "<state>terminated" in body)
        assert any("<state>early" in body for body in alice.bodies)  # while her phone rang
        await caller.hang_up()
        await center.fact(f.ContactEnded)
        await alice.tells(lambda body: "<state>terminated" in body)
        await presence.tells(lambda body: "open" in body)
        with pytest.raises(SubscriptionRefused):
            await bob.subscribe("911", "dialog", DIALOG)


async def test_a_phone_that_has_subscribed_to_its_message_lamp_is_told_and_so_is_one_that_has_not() -> None:
    with short_folder() as folder:
        async with asterisk_node(raw_settings(folder)) as pbx, RealEngine([pbx], folder).running() as running:
            account, server = pbx.phone("alice"), ("127.0.0.1", pbx.sip_port)
            async with await Phone.start(account.endpoint, server=server, password=account.password) as phone:
                await phone.register()
                lamp = await phone.subscribe(account.endpoint, "message-summary", "application/simple-message-summary")
                await lamp.tells(lambda body: "Messages-Waiting: no" in body)
                await running.telephony.run(SetLamp("lamp of alice", pbx.name, account.endpoint, 2, 1))
                told = await lamp.tells(lambda body: "Messages-Waiting: yes" in body)
                assert "Voice-Message: 2/1" in told
                await phone.asked(lambda request: request.method == "NOTIFY" and b"Voice-Message: 2/1" in request.body)  # for who has not
                await running.telephony.run(SetLamp("lamp of alice", pbx.name, account.endpoint, 0, 3))
                await lamp.tells(lambda body: "Messages-Waiting: no" in body and "0/3" in body)
                await running.nothing_left()
