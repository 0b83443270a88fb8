"""On whose behalf something is asked of the engine: the person, her rights and her scope, as one object of the request (``who``).

The web process knows who has signed in, and says so; the engine never asks the database. A request without ``who`` comes from whoever
may use the machine itself: the command line.
"""

from collections.abc import Mapping

from callcenter.domain.rights import Right, Scope, Signed
from callcenter.services.control import ControlError, Json, JsonObject


def who(signed: Signed) -> JsonObject:
    """For the request."""
    return {
        "person": signed.person,
        "agent": signed.agent,
        "rights": [right.value for right in sorted(signed.rights)],
        "queues": _listed(signed.scope.queues),
        "teams": _listed(signed.scope.teams),
    }


def _listed(names: frozenset[str] | None) -> list[Json] | None:
    return None if names is None else [*sorted(names)]


def signed_of(request: JsonObject) -> Signed | None:
    """Who asks; None: the machine's own people. Raises ControlError: nobody is let in because we do not understand who it is."""
    told = request.get("who")
    if told is None:
        return None
    if not isinstance(told, Mapping):
        raise ControlError("'who' must be an object")
    person, agent, rights = told.get("person"), told.get("agent", ""), _names(told.get("rights"))
    if not isinstance(person, str) or not person or not isinstance(agent, str) or rights is None:
        raise ControlError("'who' must have a person, an agent and rights")
    known = {right.value for right in Right}
    return Signed(
        person,
        person,
        rights=frozenset(Right(name) for name in rights if name in known),
        scope=Scope(queues=_names(told.get("queues")), teams=_names(told.get("teams"))),
        agent=agent,
    )


def _names(told: object) -> frozenset[str] | None:
    if told is None:
        return None
    if not isinstance(told, list) or not all(isinstance(name, str) for name in told):
        raise ControlError("in 'who', rights, queues and teams must be lists of names")
    return frozenset(str(name) for name in told)
