"""People made by programs of ours: the demo's, the benches' and the tests'."""

from collections.abc import Sequence

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.people import PostgresPeople
from callcenter.domain.audit import By
from callcenter.domain.rights import Role
from callcenter.services.people.passwords import hash_now
from callcenter.services.people.person import Person


async def add_person(url: str, name: str, password: str, roles: Sequence[Role], agent: str = "") -> None:
    """Let somebody sign in to this center; nothing changes when she can already. Raises PeopleAway."""
    engine = connect(url, name="people")
    try:
        person = Person(name, name.capitalize(), frozenset(roles), agent=agent, password_hash=hash_now(password))
        await PostgresPeople(engine).add(person, By("command line", "callcenter"))
    finally:
        await engine.dispose()
