"""How bad a seed is: which faults it knows, and how often each comes. Some seeds are calm and some are hell."""

import random
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Odds:
    """Drawn from the seed. Times are mean seconds between two faults, 0 for never; shares are probabilities each time."""

    # our processes
    engine_killed: float
    engine_killed_at_a_step: float
    engine_killed_in_a_write: float
    engine_killed_at_a_command: float
    engine_frozen: float
    books_killed: float
    books_frozen: float
    power_cut: float
    # nodes and the way to them
    link_cut: float
    link_silent: float
    node_crashed: float
    slow_spell: float
    # the rest of the world
    clock_step: float
    disk_full: float
    store_away: float
    store_hangs: float
    store_crash: float
    config_change: float
    # each time
    request_lost: float
    answer_lost: float
    refused: float
    event_late: float
    event_twice: float
    worst_moment: float
    store_answer_lost: float
    store_refuses: float


_EVERY = {
    "engine_killed": 60.0,
    "engine_killed_at_a_step": 60.0,
    "engine_killed_in_a_write": 60.0,
    "engine_killed_at_a_command": 60.0,
    "engine_frozen": 90.0,
    "books_killed": 60.0,
    "books_frozen": 120.0,
    "power_cut": 240.0,
    "link_cut": 60.0,
    "link_silent": 120.0,
    "node_crashed": 150.0,
    "slow_spell": 60.0,
    "clock_step": 60.0,
    "disk_full": 120.0,
    "store_away": 60.0,
    "store_hangs": 90.0,
    "store_crash": 90.0,
    "config_change": 45.0,
}
_SHARE = {
    "request_lost": 0.03,
    "answer_lost": 0.03,
    "refused": 0.03,
    "event_late": 0.3,
    "event_twice": 0.1,
    "worst_moment": 0.1,
    "store_answer_lost": 0.1,
    "store_refuses": 0.0005,
}


def draw(dice: random.Random) -> Odds:
    """Each fault is known to about half of all seeds, there up to three times as often or as seldom as usual."""
    drawn: dict[str, float] = {}
    for field in fields(Odds):
        known, factor = dice.random() < 0.5, 3 ** dice.uniform(-1, 1)
        usual = _EVERY.get(field.name) or _SHARE[field.name]
        drawn[field.name] = usual * factor if known else 0.0
    return Odds(**drawn)
