"""By which documents the center goes is a fact, told once, and known again after a restart."""

from dataclasses import replace

from callcenter.domain import facts as f
from callcenter.domain.events import ConfigChanged
from callcenter.sim.world import World, small_center


def taken(world: World) -> list[str]:
    return [fact.documents for fact in world.facts if isinstance(fact, f.ConfigTaken)]


def test_each_set_of_documents_is_told_once_however_often_it_is_taken() -> None:
    world = World()
    world.tell(ConfigChanged(small_center()))
    assert taken(world) == []  # documents without a name are nothing to tell
    for documents in ("a", "a", "b", "b", "a"):
        world.config = replace(small_center(), documents=documents)
        world.tell(ConfigChanged(world.config))
        world.crash_and_restore()
        world.tell(ConfigChanged(world.config))
    assert taken(world) == ["a", "b", "a"]
    assert world.center.state.config_taken is not None
    assert world.center.state.config_taken.documents == "a"
