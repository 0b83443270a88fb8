"""Ids: repeatable, never twice, and well-formed UUIDs."""

from uuid import RFC_4122, UUID

from callcenter.domain.ids import Ids


def test_the_same_seed_names_the_same_things() -> None:
    one, same, other = Ids("monday"), Ids("monday"), Ids("tuesday")
    drawn = [one.draw() for _ in range(100)]
    assert drawn == [same.draw() for _ in range(100)]
    assert not set(drawn) & {other.draw() for _ in range(100)}
    assert drawn[0] == "3321794b-37a4-88d5-8b4f-65229f1ad04e"


def test_ids_are_uuids_of_version_8() -> None:
    ids = Ids("any")
    drawn = [ids.draw() for _ in range(2000)]
    assert len(set(drawn)) == len(drawn)
    for name in drawn:
        uuid = UUID(name)
        assert (str(uuid), uuid.version, uuid.variant) == (name, 8, RFC_4122)


def test_a_leg_is_named_after_its_node() -> None:
    assert Ids("any").draw_leg("ast1") == f"ast1-{Ids('any').draw()}"
