"""Why a contact waits, and why an agent was offered it."""

import pytest

from callcenter.domain import events as e
from callcenter.domain import facts as f
from callcenter.domain.explain import Explanation, explain, past
from tests.support.routing_stories import Story, settings_of

CENTER = """
[[queue]]
name = "support"
require = "spanish >= 60"
priority_per_minute = 2
priority_cap = 10
starve_after_s = 200

[[queue.relax]]
after_s = 30
require = "spanish >= 30"

[[queue.relax]]
when = "waiting >= 3"
for_s = 5
groups = ["backoffice"]

[[agent]]
name = "alice"
queues = ["support"]
skills = { spanish = 80 }

[[agent]]
name = "bob"
queues = ["support"]
skills = { spanish = 40 }

[[agent]]
name = "carol"
queues = ["support"]
skills = { spanish = 90 }
[agent.queue.support]
delay_s = 60

[[agent]]
name = "dora"
groups = ["backoffice"]
skills = { spanish = 100 }

[[queue]]
name = "sales"

[[agent]]
name = "erin"
queues = ["sales"]
"""


@pytest.fixture
def story() -> Story:
    return Story(settings_of(CENTER))


def contact_of(story: Story, caller: str) -> str:
    call = story.world.center.state.legs[story.legs[caller]]
    return call.contact


def why(story: Story, caller: str) -> Explanation:
    explained = explain(story.world.center.state, contact_of(story, caller), story.world.now)
    assert explained is not None
    return explained


def test_each_agent_of_the_queue_is_told_why_not(story: Story) -> None:
    story.play("""
        0 bob is ready
        0 carol is ready
        0 dora is ready
        0 erin is ready
        5 Ann calls support
        6 Ben calls support
       15
    """)
    explained = why(story, "Ben")
    assert {other.agent: other.why for other in explained.others} == {
        "alice": "is logged out",
        "bob": "lacks spanish >= 60 (has 40)",
        "carol": "is offered what has waited 60 s",
        "dora": "belongs to backoffice, which is not called now",
    }
    assert (explained.elsewhere, explained.ahead, explained.waited.total_seconds(), explained.requires) == (1, 1, 9, "spanish >= 60")
    assert [(coming.what, coming.at and (coming.at - explained.at).total_seconds()) for coming in explained.coming] == [
        ("step-1: requires spanish >= 30", 21),
        ("carol may be offered it", 51),
        ("it comes before everybody else", 191),
        ("its priority has grown to 10", 291),
        ("step-2 when waiting >= 3 for 5 s (now 2): calls backoffice", None),
    ]


def test_what_is_said_to_come_comes(story: Story) -> None:
    """The explanation and the router use the same predicates."""
    story.play("""
        0 bob is ready
        5 Ann calls support
       15
    """)
    step = why(story, "Ann").coming[0].at
    assert step is not None
    story.world.run_until(step)
    (offered,) = [fact for fact in story.world.facts if isinstance(fact, f.ContactOffered)]
    assert (offered.agent, offered.at) == ("bob", step)


def test_a_past_offer_is_explained_from_the_facts_alone(story: Story) -> None:
    story.play("""
        0 alice is ready
        2 carol is ready
       10 Ann calls support            -> Ann: alice
       15 Ann hangs up
       30 bob is ready
       40 Ben calls support            -> Ben: alice
       41 Cid calls support
       71                              -> Cid: bob
       80
    """)
    world = story.world
    offers = [fact for fact in world.facts if isinstance(fact, f.ContactOffered)]
    explained = past(world.config, world.facts, offers[-1].contact)
    assert explained is not None
    ((offered, then),) = explained.offers
    assert offered == offers[-1]
    assert [candidate.agent for candidate in then.candidates] == ["bob"]
    assert then.candidates[0].rank == offered.rank
    assert {other.agent: other.why for other in then.others}["alice"] == "is talking"
    assert {other.agent: other.why for other in then.others}["carol"] == "is offered what has waited 60 s"
    assert explained.connected is not None
    assert explained.connected.agent == "bob"


def test_an_offer_keeps_the_winners_rank_and_the_next_three() -> None:
    agents = "".join(f'[[agent]]\nname = "agent-{n}"\nqueues = ["support"]\n' for n in range(5))
    story = Story(settings_of('[[queue]]\nname = "support"\nstrategy = "list_order"\n' + agents))
    for n in (3, 1, 4, 0, 2):
        story.world.agent_ready(f"agent-{n}")
        story.world.run_for(1)
    story.happen("Ann calls support")
    (offered,) = [fact for fact in story.world.facts if isinstance(fact, f.ContactOffered)]
    assert (offered.agent, offered.candidates, offered.runners_up) == ("agent-0", 5, ("agent-1", "agent-2", "agent-3"))
    assert offered.rank == ("level 0", "gap 0", "list_order 1", "idle 2.0 s")


def test_who_waits_for_one_agent_alone_is_explained_as_such() -> None:
    story = Story(
        settings_of(
            '[[queue]]\nname = "support"\nlast_agent_wait_s = 30\nwrap_up_s = 0\n[[agent]]\nname = "alice"\nqueues = ["support"]\n'
            '[[agent]]\nname = "bob"\nqueues = ["support"]\n'
        )
    )
    story.play("""
        0 alice is ready
        1 Ann calls support            -> Ann: alice
        9 Ann hangs up
       10 Ben calls support            -> Ben: alice
       15 bob is ready
       20 Ann calls support
    """)
    explained = why(story, "Ann")
    assert explained.preferred == "waits for alice alone"
    assert {other.agent: other.why for other in explained.others} == {"alice": "is talking", "bob": "it waits for alice alone"}
    assert explained.coming[0].what == "it no longer waits for alice alone"


def test_who_does_not_wait_is_not_explained(story: Story) -> None:
    assert explain(story.world.center.state, "nobody", story.world.now) is None
    assert past(story.world.config, story.world.facts, "nobody") is None


def test_who_opts_out_is_no_longer_waited_for_alone() -> None:
    story = Story(
        settings_of(
            '[[queue]]\nname = "support"\nlast_agent_wait_s = 300\nwrap_up_s = 0\n[[queue]]\nname = "sales"\n'
            '[[agent]]\nname = "alice"\nqueues = ["support", "sales"]\nmay_opt_out = ["support"]\n'
            '[[agent]]\nname = "bob"\nqueues = ["support"]\n'
        )
    )
    story.play("""
        0 alice is ready
        1 Ann calls support            -> Ann: alice
        9 Ann hangs up
       10 Ben calls support            -> Ben: alice
       15 bob is ready
       20 Ann calls support            -> nobody
    """)
    story.world.tell(e.OptOutRequested("alice", "support"))
    assert story.offers() == ["Ann: bob"]
