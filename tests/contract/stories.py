"""The stories that must go the same way on the fake and on a real Asterisk, told by their facts."""

from collections.abc import Awaitable, Callable

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.events import AgentLogoutRequested
from callcenter.domain.facts import AgentState
from tests.support.parties import AgentParty, Party, StoryCenter

Story = Callable[[StoryCenter], Awaitable[None]]

MENU = ["CallBegan inbound", "FlowStarted", "FlowMoved menu", "FlowKeyPressed 2 enter", "FlowEnded queue", "ContactEntered"]
OFFERED = ["ContactOffered alice", "LegRinging alice"]
CONNECTED = ["LegUp alice", "ContactConnected alice", "RecordingStarted alice"]
CALLER_LEAVES = [
    "LegGone caller normal",
    "ContactParted alice caller_hung_up",
    "RecordingStopped",
    "LegClosing alice",
    "LegGone alice normal",
]


ABANDONS = ["LegGone caller normal", "ContactAbandoned True", "CallEnded normal"]


async def an_answered_call_that_the_caller_ends(center: StoryCenter) -> None:
    alice = await center.agent("alice")
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("2")
    await caller.hears("music")
    await alice.ready()
    await alice.talks()
    await caller.hears("alice")
    await caller.hangs_up()
    assert await caller.story() == [*MENU, *OFFERED, *CONNECTED, *CALLER_LEAVES, "CallEnded normal"]
    await alice.becomes(AgentState.READY)
    assert alice.states() == ["not_ready login", "ready", "reserved", "talking", "wrap_up", "ready"]


async def an_agent_who_hangs_up(center: StoryCenter) -> None:
    alice = await center.agent("alice")
    await alice.ready()
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("2")
    await alice.talks()
    await caller.hears("alice")
    await alice.hangs_up()
    ended = ["LegGone alice normal", "ContactParted alice agent_hung_up", "RecordingStopped", "LegClosing caller", "LegGone caller normal"]
    assert await caller.story() == [*MENU, *OFFERED, *CONNECTED, *ended, "CallEnded normal"]


async def a_caller_who_gives_up_while_waiting(center: StoryCenter) -> None:
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("2")
    await caller.hears("music")
    await caller.hangs_up()
    assert await caller.story() == [*MENU, "LegGone caller normal", "ContactAbandoned True", "CallEnded normal"]


async def a_caller_who_gives_up_in_the_menu(center: StoryCenter) -> None:
    caller = await center.calls()
    await caller.hears("menu")
    await caller.hangs_up()
    assert await caller.story() == [*MENU[:3], "LegGone caller normal", "FlowEnded caller_left", "CallEnded normal"]


async def a_caller_who_gives_up_while_it_rings(center: StoryCenter) -> None:
    alice = await center.agent("alice")
    alice.never_answers()
    await alice.ready()
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("2")
    await alice.rings()
    await caller.hangs_up()
    left = [
        "LegGone caller normal",
        "OfferWithdrawn alice caller_left",
        "LegClosing alice",
        "ContactAbandoned True",
        "LegGone alice normal",
    ]
    assert await caller.story() == [*MENU, *OFFERED, *left, "CallEnded normal"]
    await alice.becomes(AgentState.READY)


async def a_caller_who_leaves_a_message(center: StoryCenter) -> None:
    center.sparse = False  # what is not sent is not recorded
    alice = await center.agent("alice")
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("2")
    await caller.hears("music")
    await caller.presses("0")
    await caller.hears("voicemail-greeting")
    await caller.hears("beep")
    await caller.meets(f.MessageBegan)
    await caller.speaks_for(4)
    await caller.presses("#")
    await caller.hears("voicemail-review")
    await caller.presses("2")
    await caller.hears("voicemail-review")
    await caller.presses("1")
    story = await caller.story()
    stages = [line for line in story if line.startswith("VisitMoved")]
    assert list(dict.fromkeys(stages)) == [f"VisitMoved {stage}" for stage in ("greeting", "recording", "review", "playback", "farewell")]
    rest = [line for line in story[len(MENU) :] if line not in stages]
    assert rest[:5] == ["ContactOverflowed key_pressed", "VisitBegan", "MessageBegan node1", "MessageTaken", "MessageLeft node1"]
    assert rest[5:] == ["VisitEnded", "LegClosing caller", "LegGone caller normal", "CallEnded normal"]
    left = await caller.meets(f.MessageLeft)
    assert 3 <= left.length.total_seconds() <= 6
    await alice.shows(1, 0)
    await alice.asks(e.MessageHeardRequested(left.message))
    await alice.shows(0, 1)


async def a_caller_who_hangs_up_in_mid_message(center: StoryCenter) -> None:
    center.sparse = False
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("2")
    await caller.hears("music")
    await caller.presses("0")
    await caller.hears("beep")
    await caller.meets(f.MessageBegan)
    await caller.speaks_for(4)
    await caller.hangs_up()
    left = await caller.meets(f.MessageLeft)
    assert 3 <= left.length.total_seconds() <= 6
    story = await caller.story()
    assert "MessageTaken" in story, "the PBX told of the message before the end of the leg"
    assert story[-4:] == ["LegGone caller normal", "MessageLeft node1", "VisitEnded", "CallEnded normal"]


async def a_phone_that_rings_in_vain(center: StoryCenter) -> None:
    alice, bob = await center.agent("alice"), await center.agent("bob")
    alice.never_answers()
    await alice.ready()
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("2")
    await alice.becomes(AgentState.NOT_READY, "missed_offer")
    await caller.hears("music")
    await bob.ready()
    await bob.talks()
    await caller.hangs_up()
    story = await caller.story()
    assert story[: len(MENU) + 4] == [*MENU, *OFFERED, "OfferMissed alice no_answer", "LegClosing alice"]
    assert "LegGone alice normal" in story
    assert [line for line in story if "bob" in line][:4] == [
        "ContactOffered bob",
        "LegRinging bob",
        "LegUp bob",
        "ContactConnected bob",
    ]


async def _missed(center: StoryCenter, how: str, lines: list[str], reason: str) -> None:
    alice = await center.agent("alice")
    if how == "is_unreachable":
        await alice.is_unreachable()
    else:
        getattr(alice, how)()
    await alice.ready()
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("2")
    await alice.becomes(AgentState.NOT_READY, reason)
    await caller.hears("music")
    await caller.hangs_up()
    story = await caller.story()
    assert story == [*MENU, "ContactOffered alice", *lines, "LegGone caller normal", "ContactAbandoned True", "CallEnded normal"]


async def a_phone_that_is_busy(center: StoryCenter) -> None:
    await _missed(center, "is_busy", ["LegGone alice busy", "OfferMissed alice busy"], "missed_offer")


async def a_phone_that_declines(center: StoryCenter) -> None:
    await _missed(center, "declines", ["LegRinging alice", "LegGone alice rejected", "OfferMissed alice rejected"], "missed_offer")


async def a_phone_that_is_not_there(center: StoryCenter) -> None:
    await _missed(center, "is_unreachable", ["LegGone alice unreachable", "OfferMissed alice unreachable"], "phone_unreachable")


async def a_phone_that_is_back_when_it_is_asked(center: StoryCenter) -> None:
    """Nobody tells that the phone is back; it is asked, and answers."""
    alice = await center.agent("alice")
    await alice.is_unreachable()
    await alice.ready()
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("2")
    await alice.becomes(AgentState.NOT_READY, "phone_unreachable")
    taken_out = center.book.of(f.AgentTakenOut, agent=alice.name)
    assert [(fact.why, fact.misses) for fact in taken_out] == [(f.MissedWhy.UNREACHABLE, 0)]
    await alice.is_back()
    await alice.talks()
    assert len(center.book.of(f.AgentPhoneAsked, agent=alice.name)) == 1
    await caller.hears("alice")
    await caller.hangs_up()
    story = await caller.story()
    missed = ["ContactOffered alice", "LegGone alice unreachable", "OfferMissed alice unreachable"]
    assert story == [*MENU, *missed, *OFFERED, *CONNECTED, *CALLER_LEAVES, "CallEnded normal"]


async def a_caller_on_hold(center: StoryCenter) -> None:
    alice = await center.agent("alice")
    await alice.ready()
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("2")
    await alice.talks()
    await caller.hears("alice")
    await alice.holds()
    await caller.meets(f.ContactHeld)
    await alice.resumes()
    await caller.meets(f.ContactResumed)
    await caller.hears("alice")
    await caller.hangs_up()
    held = ["LegWasHeld alice", "ContactHeld alice", "LegWasResumed alice", "ContactResumed alice"]
    assert await caller.story() == [*MENU, *OFFERED, *CONNECTED, *held, *CALLER_LEAVES, "CallEnded normal"]


async def a_transfer_to_another_queue(center: StoryCenter) -> None:
    alice, carol = await center.agent("alice"), await center.agent("carol")
    await alice.ready()
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("2")
    await alice.talks()
    await alice.transfers("second")
    await caller.meets(f.LegGone)
    await caller.hears("music")
    await carol.ready()
    await carol.talks()
    await caller.hears("carol")
    await caller.hangs_up()
    parted = ["ContactParted alice transferred", "RecordingStopped", "LegClosing alice", "ContactEntered", "LegGone alice normal"]
    again = [line.replace("alice", "carol") for line in [*OFFERED, *CONNECTED, *CALLER_LEAVES]]
    assert await caller.story() == [*MENU, *OFFERED, *CONNECTED, *parted, *again, "CallEnded normal"]


async def a_caller_who_enters_digits(center: StoryCenter) -> None:
    """The first digit cuts the question short; what was entered is said back, digit by digit."""
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("4")
    await caller.hears("enter-code")
    for key in "142#":
        await caller.presses(key)
    await caller.hears("you-entered")
    await caller.hears("en-1")
    await caller.hears("en-4")
    await caller.hears("en-2")
    await caller.hears("music")
    await caller.hangs_up()
    entered = ["FlowDigitTaken 1", "FlowDigitTaken 4", "FlowDigitTaken 2", "FlowCollected 142", "FlowMoved repeat", "FlowEnded queue"]
    asked = [*MENU[:3], "FlowKeyPressed 4 code", "FlowMoved code", *entered]
    assert await caller.story() == [*asked, "ContactEntered", "LegGone caller normal", "ContactAbandoned True", "CallEnded normal"]


async def callers_who_are_told_their_position(center: StoryCenter) -> None:
    """Between announcements there is music; the agent cuts off what is being said."""
    first = await center.calls()
    await first.hears("menu")
    await first.presses("5")
    await first.hears("music")
    second = await center.calls()
    await second.hears("menu")
    await second.presses("5")
    await second.hears("your-position-is")
    await second.hears("en-2")
    await second.hears("music")
    await second.hangs_up()
    await second.meets(f.CallEnded)
    await first.meets(f.AnnouncementEnded)
    await first.hears("music")
    await first.hears("comfort")
    carol = await center.agent("carol")
    await carol.ready()
    await carol.talks()
    await first.hears("carol")
    await first.hangs_up()
    story = await first.story()
    told = ["ContactAnnounced", "AnnouncementEnded"]
    waited = [*MENU[:3], "FlowKeyPressed 5 told", *MENU[4:], *told, "ContactAnnounced"]
    assert story[: len(waited)] == waited
    assert [fact.prompts for fact in center.book.of(f.ContactAnnounced, call=(await first.began()).call)] == [
        ("you-are-next",),
        ("comfort",),
    ]


async def a_caller_who_is_sent_to_another_queue(center: StoryCenter) -> None:
    """After four seconds, by the overflow table; the music goes on, and the other queue's agent answers."""
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("6")
    await caller.hears("music")
    await caller.meets(f.ContactOverflowed)
    await caller.hears("music")
    carol = await center.agent("carol")
    await carol.ready()
    await carol.talks()
    await caller.hears("carol")
    await caller.hangs_up()
    told = [line.replace("alice", "carol") for line in [*OFFERED, *CONNECTED, *CALLER_LEAVES]]
    sent = [*MENU[:3], "FlowKeyPressed 6 busy", *MENU[4:], "ContactOverflowed rule", "ContactEntered"]
    assert await caller.story() == [*sent, *told, "CallEnded normal"]
    first, second = center.book.of(f.ContactEntered, call=(await caller.began()).call)
    assert (second.queue, second.place, second.transferred_from) == (center.long("second"), first.place, first.contact)


async def a_caller_who_leaves_the_queue_by_a_key(center: StoryCenter) -> None:
    """The key leads into a flow: the caller hears its prompt instead of the music."""
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("6")
    await caller.hears("music")
    await caller.presses("9")
    await caller.hears("menu")
    await caller.hangs_up()
    left = ["ContactOverflowed key_pressed", "FlowStarted", "FlowMoved menu", "LegGone caller normal", "FlowEnded caller_left"]
    assert await caller.story() == [*MENU[:3], "FlowKeyPressed 6 busy", *MENU[4:], *left, "CallEnded normal"]


IN_TALK = [*MENU, *OFFERED, *CONNECTED]
CONSULT_BEGINS = ["ConsultBegan alice", "ContactEntered", "ContactHeld alice", "ContactOffered bob", "LegRinging bob"]
BOB_ANSWERS = ["LegUp bob", "ContactConnected bob"]
ALICE_LEAVES = ["ContactParted alice transferred", "RecordingStopped", "LegClosing alice", "CallerHandedOver alice"]
CALLER_LEAVES_BOB = [line.replace("alice", "bob") for line in CALLER_LEAVES]


async def _in_talk(center: StoryCenter) -> tuple[Party, AgentParty, AgentParty]:
    """A caller who talks to alice, and bob, who is ready."""
    alice, bob = await center.agent("alice"), await center.agent("bob")
    await alice.ready()
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("2")
    await alice.talks()
    await caller.hears("alice")
    await bob.ready()
    return caller, alice, bob


async def _consulted(center: StoryCenter) -> tuple[Party, AgentParty, AgentParty]:
    caller, alice, bob = await _in_talk(center)
    await alice.asks(e.ConsultRequested(alice.name, colleague=bob.name))
    await caller.hears("music")
    await bob.is_called()
    await bob.hears("alice")
    await alice.hears("bob")
    return caller, alice, bob


async def a_blind_transfer_to_a_colleague(center: StoryCenter) -> None:
    caller, alice, bob = await _in_talk(center)
    await alice.asks(e.TransferRequested(alice.name, colleague=bob.name))
    await bob.talks()
    await caller.hears("bob")
    await caller.hangs_up()
    moved = ["ContactParted alice transferred", "RecordingStopped", "LegClosing alice", "ContactEntered", "ContactOffered bob"]
    story = await caller.story()
    assert story[: len(IN_TALK) + len(moved)] == [*IN_TALK, *moved]
    assert [line for line in story if line.endswith(" bob")][:4] == ["ContactOffered bob", "LegRinging bob", *BOB_ANSWERS]


async def a_consult_that_is_completed(center: StoryCenter) -> None:
    caller, alice, bob = await _consulted(center)
    await alice.asks(e.CompleteRequested(alice.name))
    await caller.hears("bob")
    await bob.hears("caller")
    await caller.meets(f.RecordingStarted)
    await alice.becomes(AgentState.READY)
    await caller.hangs_up()
    ended = [*ALICE_LEAVES, "RecordingStarted bob", "LegGone alice normal", *CALLER_LEAVES_BOB, "CallEnded normal"]
    assert await caller.story() == [*IN_TALK, *CONSULT_BEGINS, *BOB_ANSWERS, *ended]
    assert bob.states()[:4] == ["not_ready login", "ready", "reserved", "talking"]


async def a_consult_that_is_cancelled(center: StoryCenter) -> None:
    caller, alice, bob = await _consulted(center)
    await alice.asks(e.CancelRequested(alice.name))
    await caller.hears("alice")
    await alice.hears("caller")
    await bob.becomes(AgentState.READY)
    await caller.meets(f.LegGone)
    await caller.hangs_up()
    off = ["ContactParted bob called_off", "LegClosing bob", "ContactResumed alice", "LegGone bob normal"]
    assert await caller.story() == [*IN_TALK, *CONSULT_BEGINS, *BOB_ANSWERS, *off, *CALLER_LEAVES, "CallEnded normal"]


async def a_consulted_who_declines(center: StoryCenter) -> None:
    caller, alice, bob = await _in_talk(center)
    bob.declines()
    await alice.asks(e.ConsultRequested(alice.name, colleague=bob.name))
    await caller.meets(f.ContactResumed)
    await caller.hears("alice")
    await alice.hears("caller")
    await caller.hangs_up()
    missed = ["LegGone bob rejected", "OfferMissed bob rejected", "ContactOverflowed not_answered", "ContactResumed alice"]
    assert await caller.story() == [*IN_TALK, *CONSULT_BEGINS, *missed, *CALLER_LEAVES, "CallEnded normal"]


async def a_consult_with_swapping_that_becomes_a_conference(center: StoryCenter) -> None:
    center.sparse = False
    caller, alice, bob = await _consulted(center)
    await alice.asks(e.SwapRequested(alice.name))
    await caller.hears("alice")
    await alice.hears("caller")
    await bob.hears("music")
    await alice.asks(e.SwapRequested(alice.name))
    await bob.hears("alice")
    await caller.hears("music")
    await alice.asks(e.ConferenceRequested(alice.name))
    await caller.hears("alice")
    await caller.hears("bob")
    await bob.hears("caller")
    await alice.hears("caller")
    await alice.hears("bob")
    await alice.hangs_up()
    await caller.hears("bob")
    await bob.hangs_up()
    turned = [
        *["ConsultTurned alice caller", "ContactResumed alice", "ContactHeld bob"],
        *["ConsultTurned alice consulted", "ContactHeld alice", "ContactResumed bob"],
        *["ConsultTurned alice all", "ContactResumed alice"],
        *["LegGone alice normal", "ContactParted alice transferred", "RecordingStopped", "CallerHandedOver alice", "RecordingStarted bob"],
        *["LegGone bob normal", "ContactParted bob agent_hung_up", "RecordingStopped", "LegClosing caller", "LegGone caller normal"],
    ]
    assert await caller.story() == [*IN_TALK, *CONSULT_BEGINS, *BOB_ANSWERS, *turned, "CallEnded normal"]


async def a_consult_with_somebody_outside(center: StoryCenter) -> None:
    """Cancelled once; then swapped and joined, and the caller goes on with whom she has asked."""
    center.sparse = False
    caller, alice, _ = await _in_talk(center)
    for _ in range(2):
        await alice.asks(e.ConsultRequested(alice.name, number=center.mobile))
        outside = await center.is_called(center.mobile)
        await caller.hears("music")
        await outside.hears("alice")
        if not center.book.of(f.OutsideConsultEnded, agent=alice.name):
            await alice.asks(e.CancelRequested(alice.name))
            await caller.hears("alice")
            await caller.meets(f.LegGone)
    await alice.asks(e.SwapRequested(alice.name))
    await caller.hears("alice")
    await outside.hears("music")
    await alice.asks(e.ConferenceRequested(alice.name))
    await outside.hears("alice")
    await alice.hears("caller")
    await alice.asks(e.CompleteRequested(alice.name))
    await caller.meets(f.CallerHandedOutside)
    await alice.becomes(AgentState.READY)
    await outside.hangs_up()
    asked = ["OutsideConsulted alice", "ContactHeld alice", "LegRinging", "LegUp", "OutsideConsultAnswered alice"]
    off = ["OutsideConsultEnded alice called_off", "LegClosing", "ContactResumed alice", "LegGone normal"]
    turned = ["ConsultTurned alice caller", "ContactResumed alice", "ConsultTurned alice all"]
    left = ["ContactParted alice transferred", "RecordingStopped", "LegClosing alice", "CallerHandedOutside alice", "LegGone alice normal"]
    ended = ["LegGone normal", "LegClosing caller", "LegGone caller normal", "CallEnded normal"]
    assert await caller.story() == [*IN_TALK, *asked, *off, *asked, *turned, *left, *ended]


async def a_consult_to_a_queue_completed_before_anybody_answers(center: StoryCenter) -> None:
    caller, alice, _ = await _in_talk(center)
    carol = await center.agent("carol")
    await alice.asks(e.ConsultRequested(alice.name, queue=center.long("second")))
    await caller.hears("music")
    await alice.hears("ringing")
    await alice.asks(e.CompleteRequested(alice.name))
    await caller.meets(f.LegGone)
    await caller.hears("music")
    await carol.ready()
    await carol.talks()
    await caller.hears("carol")
    await caller.hangs_up()
    asked = ["ConsultBegan alice", "ContactEntered", "ContactHeld alice", *ALICE_LEAVES, "LegGone alice normal"]
    again = [line.replace("alice", "carol") for line in [*OFFERED, *CONNECTED, *CALLER_LEAVES]]
    assert await caller.story() == [*IN_TALK, *asked, *again, "CallEnded normal"]


async def a_phone_that_transfers_blind(center: StoryCenter) -> None:
    caller, alice, bob = await _in_talk(center)
    assert not await alice.refers("+12025550199")
    await caller.hears("alice")
    assert await alice.refers(center.extension("bob"))
    await bob.talks()
    await caller.hears("bob")
    await caller.hangs_up()
    moved = ["ContactParted alice transferred", "RecordingStopped", "LegClosing alice", "ContactEntered", "ContactOffered bob"]
    assert (await caller.story())[: len(IN_TALK) + len(moved)] == [*IN_TALK, *moved]


async def a_phone_that_transfers_attended(center: StoryCenter) -> None:
    caller, alice, bob = await _in_talk(center)
    await alice.consults_by_phone(center.extension("bob"))
    await bob.is_called()
    await bob.hears("alice")
    await alice.hears("bob")
    assert await alice.refers(center.extension("bob"), attended=True)
    await caller.hears("bob")
    await bob.hears("caller")
    await caller.hangs_up()
    held = ["LegWasHeld alice", "ContactHeld alice", "LegJoined alice", "ConsultBegan alice", "ContactEntered", "ContactOffered bob"]
    asked = [*IN_TALK, *held, "LegRinging bob", *BOB_ANSWERS]
    left = ["ContactParted alice transferred", "RecordingStopped", "LegClosing alice", "CallerHandedOver alice", "LegClosing alice"]
    story = await caller.story()
    assert story[: len(asked) + len(left)] == [*asked, *left]
    assert story[-6:] == [*CALLER_LEAVES_BOB, "CallEnded normal"]


async def keys_in_the_middle_of_a_talk(center: StoryCenter) -> None:
    """With one line: bob is consulted and let go by keys, as at a screen."""
    caller, alice, bob = await _in_talk(center)
    await alice.presses(f"*2{center.extension('bob')}#")
    await bob.is_called()
    await alice.hears("bob")
    await caller.hears("music")
    await alice.presses("*6")
    await caller.hears("alice")
    await bob.becomes(AgentState.READY)
    await caller.hangs_up()
    story = await caller.story()
    assert story[: len(IN_TALK) + len(CONSULT_BEGINS) + len(BOB_ANSWERS)] == [*IN_TALK, *CONSULT_BEGINS, *BOB_ANSWERS]
    assert "ContactParted bob called_off" in story


async def an_agent_who_calls_a_colleague(center: StoryCenter) -> None:
    """Neither is offered anything meanwhile; both are what they were afterwards."""
    alice, bob = await center.agent("alice"), await center.agent("bob")
    await alice.ready()
    await bob.ready()
    own = await alice.dials(center.extension("bob"))
    await bob.is_called()
    await own.hears("bob")
    await bob.hears("alice")
    await own.hangs_up()
    story = await own.story()
    assert story[:3] == ["CallBegan alice own", "OwnCallBegan alice", "OwnCallDialed bob"]
    assert [line for line in story if line.startswith("OwnCall")][2:] == ["OwnCallAnswered bob", "OwnCallEnded alice hung_up"]
    assert alice.states()[-2:] == ["not_ready own_call", "ready"]
    assert bob.states()[-2:] == ["not_ready own_call", "ready"]


async def a_phone_that_consults_and_goes_back(center: StoryCenter) -> None:
    caller, alice, _ = await _in_talk(center)
    await alice.consults_by_phone(center.extension("second"))
    await alice.hears("ringing")
    await alice.hangs_up_second()
    await alice.resumes()
    await caller.hears("alice")
    await caller.hangs_up()
    asked = ["LegWasHeld alice", "ContactHeld alice", "LegJoined alice", "ConsultBegan alice", "ContactEntered"]
    back = ["LegGone alice normal", "ContactOverflowed called_off", "LegWasResumed alice", "ContactResumed alice"]
    assert await caller.story() == [*IN_TALK, *asked, *back, *CALLER_LEAVES, "CallEnded normal"]


async def a_number_nobody_knows(center: StoryCenter) -> None:
    caller = await center.calls("+18005559999")
    await caller.hears("unknown-number")
    said = ["NumberUnknown", "FlowStarted", "FlowMoved say", "FlowEnded hang_up", "LegClosing caller", "LegGone caller normal"]
    assert await caller.story() == ["CallBegan inbound", *said, "CallEnded normal"]


async def star_codes(center: StoryCenter) -> None:
    alice = await center.agent("alice")
    said = ["FlowStarted", "FlowMoved say", "FlowEnded hang_up", "LegClosing caller", "LegGone caller normal", "CallEnded normal"]
    for code, prompt, states in (
        ("*11", "you-are-ready", ["not_ready login", "ready"]),
        ("*12", "you-are-not-ready", ["not_ready break"]),
        ("*99", "not-possible", []),
    ):
        before = len(alice.states())
        call = await alice.dials(code)
        await call.hears(prompt)
        done = ["DoneByPhone alice"] if "not_ready login" in states else []  # the log-in is in the audit trail
        assert await call.story() == [f"CallBegan alice internal {code}", *done, *said]
        assert alice.states()[before:] == states


async def wrap_up_from_a_plain_phone(center: StoryCenter) -> None:
    """It does not end without a disposition, may be extended once, and ends with a star code."""
    dora = await center.agent("dora")
    await dora.ready()
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("3")
    await dora.talks()
    await caller.hangs_up()
    await dora.becomes(AgentState.WRAP_UP)
    for code, prompt in (
        ("*13", "not-possible"),
        ("*15", "wrap-up-extended"),
        ("*15", "not-possible"),
        ("*143", "not-possible"),
        ("*142", "disposition-noted"),
        ("*13", "you-are-ready"),
    ):
        call = await dora.dials(code)
        await call.hears(prompt)
        await call.meets(f.CallEnded)
    await dora.becomes(AgentState.READY)
    given = center.book.of(f.DispositionGiven, agent=dora.name)
    assert [(fact.call, fact.disposition, fact.by) for fact in given] == [((await caller.began()).call, "open", f.DisposedBy.AGENT)]
    assert len(center.book.of(f.WrapUpExtended, agent=dora.name)) == 1


async def opting_out_and_in_from_a_plain_phone(center: StoryCenter) -> None:
    """Carol serves ``care`` too; what she leaves, nobody offers her."""
    carol = await center.agent("carol")
    await carol.ready()
    call = await carol.dials("*172")
    await call.hears("queue-left")
    await call.meets(f.CallEnded)
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("3")
    await caller.hears("music")
    call = await carol.dials("*171")
    await call.hears("not-possible")
    await call.meets(f.CallEnded)
    assert carol.states() == ["not_ready login", "ready"]
    call = await carol.dials("*162")
    await call.hears("queue-joined")
    await call.meets(f.CallEnded)
    await carol.talks()
    await caller.hears("carol")
    await caller.hangs_up()
    await carol.becomes(AgentState.WRAP_UP)


async def a_leg_that_stays_up(center: StoryCenter) -> None:
    """Eve's phone is rung once; two callers are bridged to the same leg."""
    eve = await center.agent("eve")
    await eve.ready()
    await eve.becomes(AgentState.READY)
    for number in range(2):
        caller = await center.calls()
        await caller.hears("menu")
        await caller.presses("2")
        await (eve.talks() if number == 0 else caller.meets(f.ContactConnected))
        await caller.hears("eve")
        await caller.hangs_up()
        taken = ["ContactOffered eve", "ContactConnected eve", "RecordingStarted eve"]
        left = ["LegGone caller normal", "ContactParted eve caller_hung_up", "RecordingStopped", "CallEnded normal"]
        assert await caller.story() == [*MENU, *taken, *left]
        await eve.becomes(AgentState.READY)
    assert len(center.book.of(f.CallBegan, agent=eve.name)) == 1
    assert await center.engine.request(AgentLogoutRequested(eve.name)) is None
    assert eve.states()[:4] == ["not_ready login", "not_ready leg_rings", "ready", "reserved"]


async def a_phone_that_vanishes_in_mid_call(center: StoryCenter) -> None:
    """Twenty seconds without audio; then the caller is at the head of the line again."""
    alice, bob = await center.agent("alice"), await center.agent("bob")
    await alice.ready()
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("2")
    await alice.talks()
    await caller.hears("alice")
    await alice.vanishes()
    await caller.meets(f.ContactParted)
    await bob.ready()
    await bob.talks()
    await caller.hangs_up()
    lost = ["LegGone alice lost", "ContactParted alice agent_lost", "RecordingStopped", "ContactEntered"]
    again = [line.replace("alice", "bob") for line in [*OFFERED, *CONNECTED, *CALLER_LEAVES]]
    assert await caller.story() == [*MENU, *OFFERED, *CONNECTED, *lost, *again, "CallEnded normal"]


async def a_caller_who_vanishes_in_mid_call(center: StoryCenter) -> None:
    alice = await center.agent("alice")
    await alice.ready()
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("2")
    await alice.talks()
    await caller.hears("alice")
    await caller.vanishes()
    lost = ["LegGone caller lost", "ContactParted alice caller_lost", "RecordingStopped", "LegClosing alice", "LegGone alice normal"]
    assert await caller.story() == [*MENU, *OFFERED, *CONNECTED, *lost, "CallEnded lost"]


async def an_arrival_that_is_told_twice(center: StoryCenter) -> None:
    caller = await center.calls()
    await caller.hears("menu")
    await caller.arrives_again()
    await caller.presses("2")
    await caller.hears("music")
    await caller.hangs_up()
    assert await caller.story() == [*MENU, "LegGone caller normal", "ContactAbandoned True", "CallEnded normal"]
    assert len(center.book.of(f.CallBegan, dialed=center.did)) == 1


async def a_caller_who_takes_a_callback(center: StoryCenter) -> None:
    """Agent first: she hears that it is a callback, the caller is dialed, and both hear each other."""
    alice = await center.agent("alice")
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("2")
    await caller.hears("music")
    await caller.presses("9")
    overflowed = ["ContactOverflowed callback_taken", "FlowStarted", "FlowMoved say", "FlowEnded hang_up"]
    left = ["LegClosing caller", "LegGone caller normal", "CallEnded normal"]
    assert await caller.story() == [*MENU, "CallbackCreated", *overflowed, *left]
    await alice.ready()
    called = await center.is_called((await caller.began()).caller)
    await called.hears("alice")
    await called.hangs_up()
    reserved = ["CallBegan outbound", "CallbackReserved alice node1", "LegCreated alice", "LegRinging alice", "LegUp alice"]
    dialed = ["CallbackAttempted caller node1", "LegCreated caller", "LegRinging caller", "LegUp caller", "CallbackReached"]
    talk = ["ContactEntered", "ContactOffered alice", "ContactConnected alice", "RecordingStarted alice", "CallbackBridged alice"]
    *leaves, gone = CALLER_LEAVES
    assert await called.story() == [*reserved, *dialed, *talk, *leaves, "CallbackKept", gone, "CallEnded normal"]
    await alice.becomes(AgentState.READY)
    assert alice.states() == ["not_ready login", "ready", "reserved", "talking", "wrap_up", "ready"]


async def a_team_whose_phones_ring_together(center: StoryCenter) -> None:
    gina, hugo = await center.agent("gina"), await center.agent("hugo")
    hugo.never_answers()
    await hugo.ready()
    await gina.ready()
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("7")
    await gina.talks()
    await caller.hears("gina")
    await hugo.becomes(AgentState.READY)
    await caller.hangs_up()
    story = await caller.story()
    offered = [line for line in story if line.startswith("ContactOffered")]
    assert sorted(offered) == ["ContactOffered gina", "ContactOffered hugo"]
    assert story.index("OfferWithdrawn hugo answered") < story.index("LegClosing hugo") < story.index("LegGone hugo normal")
    assert {"LegUp gina", "ContactConnected gina", "ContactParted gina caller_hung_up"} <= set(story)
    assert "LegUp hugo" not in story
    assert hugo.states() == ["not_ready login", "ready", "reserved", "ready"]


async def a_caller_who_calls_again(center: StoryCenter) -> None:
    """The agent he had last comes before one who has been idle longer."""
    gina, hugo = await center.agent("gina"), await center.agent("hugo")
    await gina.ready()
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("8")
    await gina.talks()
    await hugo.ready()
    await caller.hangs_up()
    await caller.story()
    await gina.becomes(AgentState.READY)
    again = await center.calls(caller=(await caller.began()).caller)
    await again.hears("menu")
    await again.presses("8")
    await again.hears("gina")
    await again.hangs_up()
    story = await again.story()
    assert [line for line in story if line.startswith("ContactOffered")] == ["ContactOffered gina"]
    assert hugo.states() == ["not_ready login", "ready"]


async def an_agent_who_is_found_outside(center: StoryCenter) -> None:
    """His desk rings in vain; outside a phone answers, and only the key connects."""
    frank = await center.agent("frank")
    frank.never_answers()
    await frank.ready()
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("1")
    outside = await center.is_called(center.mobile)
    await outside.hears("press-1-to-accept")
    assert center.book.of(f.ContactConnected, agent=frank.name) == []
    await outside.presses("1")
    await frank.becomes(AgentState.TALKING)
    await caller.hangs_up()
    story = await caller.story()
    found = [
        line for line in story if line.split()[0] in ("ContactOffered", "OfferMoved", "OfferToAccept", "ContactConnected", "ContactParted")
    ]
    moved = ["OfferMoved frank no_answer", "OfferToAccept frank"]
    assert [line.rstrip() for line in found] == [
        "ContactOffered frank",
        *moved,
        "ContactConnected frank",
        "ContactParted frank caller_hung_up",
    ]


async def _alice_talks(center: StoryCenter) -> tuple[AgentParty, Party, AgentParty]:
    """With a caller; and sam, who supervises, has a phone."""
    center.sparse = False  # a snoop is heard as a break where nothing is sent
    alice, sam = await center.agent("alice"), await center.agent("sam")
    await alice.ready()
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("2")
    await alice.talks()
    return alice, caller, sam


async def a_supervisor_who_listens_whispers_barges_in_and_takes_over(center: StoryCenter) -> None:
    alice, caller, sam = await _alice_talks(center)
    await sam.asks(e.SupervisionRequested(sam.name, alice.name, f.SupervisionMode.LISTEN, reason="coaching"))
    await sam.is_called()
    await sam.hears("alice")
    await sam.hears("caller")
    await sam.asks(e.SupervisionSwitchRequested(sam.name, f.SupervisionMode.WHISPER))
    await alice.hears("sam")
    await sam.hears("caller")
    await sam.asks(e.SupervisionSwitchRequested(sam.name, f.SupervisionMode.BARGE))
    await caller.hears("sam")
    await sam.hears("alice")
    await sam.asks(e.SupervisionSwitchRequested(sam.name, f.SupervisionMode.TAKE_OVER))
    await caller.hears("sam")
    await sam.hears("caller")
    await sam.hangs_up()
    story = await caller.story()
    taken = [line for line in story if line.split()[0] in ("LegMoved", "ContactOffered", "ContactConnected", "ContactParted", "CallEnded")]
    assert taken == [
        "ContactOffered alice",
        "ContactConnected alice",
        "ContactParted alice transferred",
        "LegMoved sam",
        "ContactOffered sam",
        "ContactConnected sam",
        "ContactParted sam agent_hung_up",
        "CallEnded normal",
    ]
    assert sam.states()[-2:] == ["wrap_up", "logged_out"] or sam.states()[-1] == "wrap_up"
    (began,) = center.book.of(f.SupervisionBegan, supervisor=sam.name)
    turned = center.book.of(f.SupervisionTurned, call=began.call)
    assert [(fact.mode, fact.why) for fact in turned] == [
        ("listen", "answered"),
        ("whisper", "asked"),
        ("barge", "asked"),
        ("take_over", "asked"),
    ]
    assert [fact.why for fact in center.book.of(f.SupervisionEnded, call=began.call)] == ["took_over"]


async def a_supervisor_with_a_plain_phone(center: StoryCenter) -> None:
    alice, caller, sam = await _alice_talks(center)
    ear = await sam.dials(f"*45{center.extension('alice')}")
    await alice.hears("sam")
    await ear.hears("alice")
    await ear.presses("6")
    await caller.hears("sam")
    await ear.presses("*")
    await ear.meets(f.CallEnded)
    await caller.hears("alice")
    await caller.hangs_up()
    story = await caller.story()
    assert story == [*MENU, *OFFERED, *CONNECTED, *CALLER_LEAVES, "CallEnded normal"]
    began = await ear.began()
    assert [fact.why for fact in center.book.of(f.SupervisionEnded, call=began.call)] == ["asked"]


async def a_supervisor_who_vanishes(center: StoryCenter) -> None:
    alice, caller, sam = await _alice_talks(center)
    ear = await sam.dials(f"*46{center.extension('alice')}")
    await caller.hears("sam")
    await ear.vanishes()
    ended = await ear.meets(f.SupervisionEnded)
    assert ended.why == "supervisor_lost"
    await caller.hears("alice")
    await alice.hears("caller")
    await caller.hangs_up()
    assert await caller.story() == [*MENU, *OFFERED, *CONNECTED, *CALLER_LEAVES, "CallEnded normal"]


async def a_supervisor_hears_the_agents_next_contact(center: StoryCenter) -> None:
    alice, caller, sam = await _alice_talks(center)
    ear = await sam.dials(f"*48{center.extension('alice')}")
    await ear.hears("alice")
    await alice.hangs_up()
    await caller.meets(f.CallEnded)
    again = await center.calls()
    await again.hears("menu")
    await again.presses("2")
    await alice.talks()
    await ear.meets(f.SupervisionTurned, why=f.TurnedWhy.FOLLOWED)
    await ear.hears("alice")
    await ear.hangs_up()
    await again.hangs_up()
    assert await again.story() == [*MENU, *OFFERED, *CONNECTED, *CALLER_LEAVES, "CallEnded normal"]


async def a_caller_who_is_handed_to_a_number_outside(center: StoryCenter) -> None:
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("9")
    outside = await center.is_called(center.mobile)
    await caller.meets(f.FlowTransferred)
    await outside.hangs_up()
    dialed = [
        "FlowKeyPressed 9 outside",
        "FlowDialed outside",
        "LegRinging",
        "LegUp",
        "FlowAnswered",
        "FlowEnded transfer",
        "FlowTransferred",
    ]
    left = ["LegGone normal", "LegClosing caller", "LegGone caller normal", "CallEnded normal"]
    assert await caller.story() == [*MENU[:3], *dialed, *left]


async def a_caller_for_whom_something_is_looked_up(center: StoryCenter) -> None:
    """Who asks hears that it takes a moment, then what was found."""
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("0")
    await caller.hears("please-wait")
    await caller.hears("you-entered")
    await caller.hears("en-4")
    await caller.hears("en-2")
    await caller.hears("music")
    await caller.hangs_up()
    looked = ["FlowKeyPressed 0 look", "FlowAsked look", "FlowAnswered", "FlowMoved repeat", "FlowEnded queue", "ContactEntered"]
    assert await caller.story() == [*MENU[:3], *looked, *ABANDONS]


async def a_caller_for_whom_it_is_looked_up_in_vain(center: StoryCenter) -> None:
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("*")
    await caller.hears("please-wait")
    await caller.hears("music")
    await caller.hangs_up()
    looked = ["FlowKeyPressed * look-in-vain", "FlowAsked look-in-vain", "FlowAnswered", "FlowEnded queue", "ContactEntered"]
    assert await caller.story() == [*MENU[:3], *looked, *ABANDONS]


async def a_caller_who_is_sent_to_pay(center: StoryCenter) -> None:
    """The agent hears music meanwhile; then both talk again, and it is recorded again. No fact has a digit."""
    alice = await center.agent("alice")
    await alice.ready()
    caller = await center.calls()
    await caller.hears("menu")
    await caller.presses("2")
    await alice.talks()
    await caller.hears("alice")
    await alice.asks(e.PaymentRequested(alice.name, "pay"))
    await caller.hears("enter-code")
    await alice.hears("music")
    for key in "4711#":
        await caller.presses(key)
    await caller.hears("alice")
    await alice.hears("caller")
    await caller.hangs_up()
    begun = ["PaymentBegan alice", "ContactHeld alice", "RecordingPaused", "RecordingStopped", "FlowStarted", "FlowMoved card"]
    paid = [*["FlowDigitTaken"] * 4, "FlowCollected", "FlowEnded payment", "PaymentEnded alice"]
    back = ["ContactResumed alice", "RecordingResumed", "RecordingStarted alice"]
    story = [line for line in await caller.story() if line != "FlowListened"]  # the first key may come before the end of the question
    assert story == [*MENU, *OFFERED, *CONNECTED, *begun, *paid, *back, *CALLER_LEAVES, "CallEnded normal"]


STORIES: list[Story] = [
    a_caller_who_is_handed_to_a_number_outside,
    a_caller_for_whom_something_is_looked_up,
    a_caller_for_whom_it_is_looked_up_in_vain,
    a_caller_who_is_sent_to_pay,
    a_supervisor_who_listens_whispers_barges_in_and_takes_over,
    a_supervisor_with_a_plain_phone,
    a_supervisor_who_vanishes,
    a_supervisor_hears_the_agents_next_contact,
    a_team_whose_phones_ring_together,
    a_caller_who_calls_again,
    an_agent_who_is_found_outside,
    an_answered_call_that_the_caller_ends,
    an_agent_who_hangs_up,
    a_caller_who_gives_up_while_waiting,
    a_caller_who_gives_up_in_the_menu,
    a_caller_who_gives_up_while_it_rings,
    a_phone_that_rings_in_vain,
    a_caller_who_leaves_a_message,
    a_caller_who_hangs_up_in_mid_message,
    a_phone_that_is_busy,
    a_phone_that_declines,
    a_phone_that_is_not_there,
    a_phone_that_is_back_when_it_is_asked,
    a_caller_on_hold,
    a_transfer_to_another_queue,
    a_blind_transfer_to_a_colleague,
    a_consult_that_is_completed,
    a_consult_that_is_cancelled,
    a_consulted_who_declines,
    a_consult_with_swapping_that_becomes_a_conference,
    a_consult_with_somebody_outside,
    a_consult_to_a_queue_completed_before_anybody_answers,
    a_phone_that_transfers_blind,
    a_phone_that_transfers_attended,
    a_phone_that_consults_and_goes_back,
    keys_in_the_middle_of_a_talk,
    an_agent_who_calls_a_colleague,
    a_caller_who_takes_a_callback,
    a_caller_who_enters_digits,
    callers_who_are_told_their_position,
    a_caller_who_is_sent_to_another_queue,
    a_caller_who_leaves_the_queue_by_a_key,
    a_number_nobody_knows,
    star_codes,
    wrap_up_from_a_plain_phone,
    opting_out_and_in_from_a_plain_phone,
    a_leg_that_stays_up,
    a_phone_that_vanishes_in_mid_call,
    a_caller_who_vanishes_in_mid_call,
    an_arrival_that_is_told_twice,
]
