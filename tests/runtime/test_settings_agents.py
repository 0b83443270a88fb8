"""What callcenter.toml may say about agents' work, and what is refused at save with reason and place."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from callcenter.domain.config import Device, DispositionRule, MissPolicy
from tests.runtime.test_settings import accepted, problems

Change = Callable[[dict[str, Any]], object]


def queue(**keys: object) -> Change:
    return lambda raw: raw["queue"][0].update(keys)


def find_me(*devices: dict[str, object]) -> Change:
    def change(raw: dict[str, Any]) -> None:
        raw["agent"][0]["find_me"] = list(devices)
        raw["trunk"].append({"name": "out", "authentication": "address", "addresses": ["192.0.2.7"], "host": "192.0.2.7"})
        raw["calling"] = {"trunk": "out"}

    return change


FAULTS: list[tuple[Change, str]] = [
    (queue(dispositions=["a sale"]), "queue[0].dispositions[0]: must be a name of 1 to 40 characters"),
    (queue(dispositions=["sale", "sale"]), "queue[0].dispositions[1]: 'sale' is there already"),
    (queue(disposition_required=True), "queue[0].disposition_required: needs dispositions to choose from; name at least one"),
    (
        queue(disposition_required=True, dispositions=["sale"], wrap_up_s=0),
        "queue[0].disposition_required: needs time to give it: wrap_up_s must be more than 0",
    ),
    (queue(wrap_up_s=0, wrap_up_extension_s=5), "queue[0].wrap_up_extension_s: extends nothing: wrap_up_s is 0"),
    (queue(wrap_up_extension_s=-5), "queue[0].wrap_up_extension_s: must be a number of seconds between 0 and a year, but is -5"),
    (queue(not_ready_on_timeout="break"), "queue[0].not_ready_on_timeout: means nothing without disposition_required = true"),
    (
        queue(disposition_required=True, dispositions=["sale"], not_ready_on_timeout="siesta"),
        "queue[0].not_ready_on_timeout: names 'siesta', which is not in center.not_ready_reasons: break, lunch, meeting, training",
    ),
    (
        lambda raw: raw["center"].update(not_ready_reasons=["break", "missed_offer"]),
        "center.not_ready_reasons[1]: 'missed_offer' is a reason that the center gives by itself; those are: ",
    ),
    (
        lambda raw: raw["agent"][0].update(may_opt_out=["nowhere"]),
        "agent[0].may_opt_out[0]: names queue 'nowhere', which she does not serve; agent[0].queues: sales, support",
    ),
    (
        lambda raw: raw["agent"][0].update(may_opt_out=["sales"], least_queues=2),
        "agent[0].least_queues: is 2 of 2 queues, so she may never opt out; lower it",
    ),
    (lambda raw: raw.update(occupancy={"ceiling": 85}), "occupancy.ceiling: must be less than 1, but is 85"),
    (lambda raw: raw.update(occupancy={"ceiling": 0}), "occupancy.ceiling: must be greater than 0, but is 0"),
    (find_me({"phone": "desk", "number": "+12025550171"}), 'agent[0].find_me[0]: needs exactly one of phone ("desk") and number'),
    (find_me({"phone": "mobile"}), "agent[0].find_me[0].phone: must be one of 'desk', but is 'mobile'"),
    (find_me({"phone": "desk"}, {"phone": "desk"}), "agent[0].find_me[1].phone: is the desk phone a second time; name each device once"),
    (find_me({"number": "911"}), "agent[0].find_me[0].number: may not be dialed: 911 is an emergency number"),
    (find_me({"number": "+1 900 555 0123"}), "agent[0].find_me[0].number: may not be dialed: "),
    (find_me({"number": "+18005550100"}), "agent[0].find_me[0].number: may not be dialed: +18005550100 is a number of our own"),
    (find_me({"number": "alice"}), "agent[0].find_me[0].number: may not be dialed: 'alice' is not a valid telephone number"),
    (find_me({"number": "+12025550171"}, {"number": "+12025550171"}), "agent[0].find_me[1].number: is there already"),
    (
        lambda raw: raw["agent"][0].update(find_me=[{"number": "+12025550171"}]),
        "agent[0].find_me[0].number: is outside, and calling.trunk is missing",
    ),
    (
        lambda raw: raw["agent"][0].update(find_me_then="voicemail"),
        "agent[0].find_me_then: is 'voicemail', but she has no mailbox; give her a [agent.voicemail] table",
    ),
    (lambda raw: raw["agent"][0].update(leg="off-hook"), "agent[0].leg: must be one of 'ring' or 'persistent', but is 'off-hook'"),
    (
        lambda raw: raw["agent"][0].update(leg="persistent", find_me=[{"phone": "desk"}]),
        'agent[0].find_me: means nothing with leg = "persistent": a leg that is up is never rung',
    ),
    (lambda raw: raw.update(missed_offers={"most": 0}), "missed_offers.most: must be greater than or equal to 1, but is 0"),
    (lambda raw: raw.update(missed_offers={"rest_s": 0}), "missed_offers.rest_s: must be more than 0 seconds"),
    (lambda raw: raw["center"].update(not_ready_reasons=["break", "break"]), "center.not_ready_reasons[1]: 'break' is there already"),
    (lambda raw: raw["center"].update(not_ready_reasons=[]), "center.not_ready_reasons: must not be empty"),
    (lambda raw: raw["center"].update(not_ready_reasons=["Tea time"]), "center.not_ready_reasons[0]: must be a name of 1 to 40 characters"),
]


@pytest.mark.parametrize(("change", "sentence"), FAULTS, ids=[sentence for _, sentence in FAULTS])
def test_a_fault_is_one_sentence_with_its_place(change: Change, sentence: str) -> None:
    (problem,) = problems(change)
    assert problem.startswith(sentence)


def test_wrap_up_becomes_what_the_core_reads() -> None:
    def change(raw: dict[str, Any]) -> None:
        raw["center"]["not_ready_reasons"] = ["tea", "break"]
        keys = {"dispositions": ["sale", "no_sale"], "disposition_required": True, "not_ready_on_timeout": "tea"}
        raw["queue"][0].update(wrap_up_s=30, wrap_up_extension_s=60, **keys)

    settings = accepted(change)
    config = settings.center_config({agent.name: agent.name for agent in settings.agents})
    sales = config.queues[settings.queues[0].name]
    assert (sales.wrap_up, sales.wrap_up_extension) == (timedelta(seconds=30), timedelta(seconds=60))
    assert sales.dispositions == DispositionRule(("sale", "no_sale"), required=True, on_timeout="not_given", then_not_ready="tea")
    assert config.not_ready_reasons == ("tea", "break")


def test_missed_offers_become_what_the_core_reads() -> None:
    settings = accepted(
        lambda raw: raw.update(missed_offers={"most": 3, "within_s": 60, "rest_s": 4, "busy_rest_s": 9, "busy_counts": False})
    )
    config = settings.center_config({agent.name: agent.name for agent in settings.agents})
    seconds = (timedelta(seconds=60), timedelta(seconds=4), timedelta(seconds=9))
    assert config.missed_offers == MissPolicy(3, *seconds, busy_counts=False)


def test_devices_become_what_the_core_reads() -> None:
    settings = accepted(find_me({"phone": "desk", "ring_s": 12}, {"number": "(202) 555-0171", "ring_s": 20, "accept_s": 9}))
    alice = settings.center_config({agent.name: agent.name for agent in settings.agents}).agents["alice"]
    desk, mobile = Device(ring=timedelta(seconds=12)), Device("+12025550171", timedelta(seconds=20), timedelta(seconds=9))
    assert alice.devices == (desk, mobile)


def test_a_leg_that_stays_up_becomes_what_the_core_reads() -> None:
    settings = accepted(lambda raw: raw["agent"][0].update(leg="persistent"))
    agents = settings.center_config({agent.name: agent.name for agent in settings.agents}).agents
    assert [agent.persistent for agent in agents.values()] == [True, False, False]
