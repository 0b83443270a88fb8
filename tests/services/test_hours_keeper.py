"""Opening hours are made anew each day, for as long as the engine runs."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from callcenter.domain.config import CenterConfig, NumberConfig, QueueConfig
from callcenter.domain.events import CalendarsRenewed, Event
from callcenter.domain.hours import Calendar
from callcenter.domain.hours_plan import AHEAD, Plan, expand
from callcenter.services.hours_keeper import HoursKeeper
from callcenter.sim.timeline import EPOCH
from callcenter.sim.virtual_loop import LoopClock, LoopTimeline, run_virtual
from callcenter.sim.world import World, straight_to

OFFICE = Plan("main", "Europe/London", {day: (((EPOCH.time(), (EPOCH + timedelta(hours=8)).time())),) for day in range(5)})


def test_they_are_made_anew_each_day_and_what_failed_is_tried_again() -> None:
    """One day fails: an imported file is not there."""
    told: list[Event] = []
    asked: list[date] = []

    async def make(today: date) -> Mapping[str, Calendar]:
        asked.append(today)
        if len(asked) == 2:
            raise OSError("days.ics cannot be read")
        return {"main": expand(OFFICE, today)}

    async def years() -> None:
        keeper = asyncio.create_task(HoursKeeper(make, told.append, LoopClock(LoopTimeline(asyncio.get_running_loop()))).run())
        await asyncio.sleep(30 * 86_400)
        keeper.cancel()

    run_virtual(years)
    renewed = [event.calendars["main"].ends_at for event in told if isinstance(event, CalendarsRenewed)]
    assert len(renewed) == 30
    assert asked[1] == asked[2], "the day that failed is tried again"
    assert renewed[-1] - EPOCH > timedelta(days=AHEAD + 29)


def test_an_imported_file_that_cannot_be_read_is_tried_again_all_day() -> None:
    told: list[Event] = []
    in_use = {"main": replace(expand(OFFICE, EPOCH.date()), warnings=("days.ics cannot be read",))}

    async def make(today: date) -> Mapping[str, Calendar]:
        broken = asyncio.get_running_loop().time() < 3600
        return {"main": replace(expand(OFFICE, today), warnings=in_use["main"].warnings if broken else ())}

    def tell(event: Event) -> None:
        assert isinstance(event, CalendarsRenewed)
        told.append(event)
        in_use.update(event.calendars)

    async def hours() -> None:
        clock = LoopClock(LoopTimeline(asyncio.get_running_loop()))
        keeper = asyncio.create_task(HoursKeeper(make, tell, clock, lambda: in_use).run())
        await asyncio.sleep(12 * 3600)
        keeper.cancel()

    run_virtual(hours)
    assert len(told) == 1, "once it can be read"
    assert in_use["main"].warnings == ()


def test_a_center_that_is_told_so_goes_on_beyond_the_first_horizon() -> None:
    config = CenterConfig(
        queues={"support": QueueConfig("support", hours="main")},
        numbers={"+18005550100": NumberConfig("+18005550100", "to-support")},
        flows={"to-support": straight_to("support")},
        calendars={"main": expand(OFFICE, EPOCH.date())},
    )
    world = World(config)
    later = EPOCH + timedelta(days=2 * AHEAD)
    while later.weekday() != 2:
        later += timedelta(days=1)
    world.run_until(later + timedelta(hours=1))
    turned_away = world.pbx.call_in("+18005550100")
    world.run_for(1)
    assert turned_away not in world.waiting("support")
    world.tell(CalendarsRenewed({"main": expand(OFFICE, later.date())}))
    stays = world.pbx.call_in("+18005550100")
    world.run_for(1)
    assert world.waiting("support") == [stays]
