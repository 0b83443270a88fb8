"""``callcenter person``: who may sign in. Passwords are typed or come by standard input, never in the command itself."""

import asyncio
import json
import os
import pwd
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from callcenter.apps.cli.common import DEFAULT, WRONG_USE, AsJson, Config, fail, settings_of, tell
from callcenter.domain.audit import By
from callcenter.domain.rights import SEPARATE, Right, Role, Scope

if TYPE_CHECKING:
    from callcenter.adapters.db.people import PostgresPeople
    from callcenter.services.people.person import Person

T = TypeVar("T")
person_app = typer.Typer(no_args_is_help=True, help="People who sign in: their roles, rights and passwords.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The sign-in name.")]
Roles = Annotated[list[Role] | None, typer.Option("--role", help="Again for each: agent, supervisor, ops, admin.")]
Granted = Annotated[list[str] | None, typer.Option("--grant", help="Beside the roles: listen, listen_recordings or export.")]
Withheld = Annotated[list[str] | None, typer.Option("--withhold", help="In spite of the roles: listen, listen_recordings or export.")]
Queues = Annotated[list[str] | None, typer.Option("--queue", help="Only this queue; again for each. Without it: all.")]
Teams = Annotated[list[str] | None, typer.Option("--team", help="Only this team; again for each.")]
Campaigns = Annotated[list[str] | None, typer.Option("--campaign", help="Only this campaign; again for each.")]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input: one line.")]


def store_call(config: Path, work: "Callable[[PostgresPeople], Awaitable[T]]") -> T:
    """Do this with the people's store; says why and ends when it cannot be had."""
    from callcenter.adapters.db.connection import connect
    from callcenter.adapters.db.migrate import SchemaError, check_schema
    from callcenter.adapters.db.people import PostgresPeople
    from callcenter.runtime.data_folder import database_url
    from callcenter.runtime.postgres import PostgresError
    from callcenter.services.people.person import PersonError
    from callcenter.services.people.store import PeopleAway

    settings = settings_of(config)

    async def run(url: str) -> T:
        engine = connect(url, name="person")
        try:
            return await work(PostgresPeople(engine))
        finally:
            await engine.dispose()

    try:
        url = database_url(settings)
        check_schema(url)
        return asyncio.run(run(url))
    except (PersonError, PeopleAway, SchemaError, PostgresError, ValueError) as error:
        fail(str(error))


def operator() -> By:
    """Whoever may use this machine, for the audit trail."""
    uid = os.getuid()
    try:
        account = pwd.getpwuid(uid).pw_name
    except KeyError:
        account = str(uid)
    return By("command line", f"account {account}")


@person_app.command()
def add(
    name: Name,
    config: Config = DEFAULT,
    role: Roles = None,
    shown: Annotated[str, typer.Option(help="Her name on screens; the sign-in name when not given.")] = "",
    agent: Annotated[str, typer.Option(help="The agent that she is.")] = "",
    grant: Granted = None,
    withhold: Withheld = None,
    queue: Queues = None,
    team: Teams = None,
    campaign: Campaigns = None,
    password_stdin: PasswordStdin = False,
    no_password: Annotated[bool, typer.Option("--no-password", help="She signs in by OIDC only.")] = False,
    subject: Annotated[str, typer.Option(help="Who she is to the OIDC provider ('sub').")] = "",
) -> None:
    """Let somebody sign in. The first admin is made so: callcenter person add NAME --role admin"""
    from callcenter.services.people.passwords import hash_now
    from callcenter.services.people.person import Person, PersonError, shown_name, sign_in_name

    _there(config, agent, queue, team)
    try:
        known = sign_in_name(name)
        person = Person(
            known,
            shown_name(shown or known),
            frozenset(role or [Role.AGENT]),
            _separate(grant),
            _separate(withhold),
            Scope(*(None if names is None else frozenset(names) for names in (queue, team, campaign))),
            agent,
            password_hash="" if no_password else hash_now(_password(known, password_stdin)),
            subject=subject,
        )
    except PersonError as error:
        fail(str(error), WRONG_USE)
    if not store_call(config, lambda store: store.add(person, operator())):
        fail(f"'{known}' is there already; change her with: callcenter person role, callcenter person passwd")
    typer.echo(f"{known}: may sign in as {', '.join(sorted(person.roles))}")


def _there(config: Path, agent: str | None, queues: list[str] | None, teams: list[str] | None) -> None:
    """Says which of them is not in the configuration: who is limited to a queue that is not there sees nothing, and wonders."""
    settings = settings_of(config)
    known = {
        "agent": [each.name for each in settings.agents],
        "queue": [each.name for each in settings.queues],
        "team": [each.name for each in settings.teams],
    }
    for kind, names in (("agent", [agent] if agent else []), ("queue", queues or []), ("team", teams or [])):
        for name in names:
            if name not in known[kind]:
                fail(f"there is no {kind} '{name}' in the configuration; {kind}s: {', '.join(known[kind]) or 'none'}", WRONG_USE)


@person_app.command("list")
def list_(config: Config = DEFAULT, as_json: AsJson = False) -> None:
    """Who may sign in, and as what."""
    people = store_call(config, lambda store: store.people())
    if as_json:
        typer.echo(json.dumps({"people": [told(person) for person in people]}, indent=2))
        return
    if not people:
        typer.echo("nobody can sign in yet; begin with: callcenter person add NAME --role admin")
    for person in people:
        scope = [f"{kind} {', '.join(sorted(names))}" for kind, names in _limits(person.scope).items()]
        more = [*([f"agent {person.agent}"] if person.agent else []), *scope, *([] if person.active else ["may not sign in"])]
        tell(f"{person.name:<20} {', '.join(sorted(person.roles)):<24} {person.shown}{'; ' if more else ''}{'; '.join(more)}")


def told(person: "Person") -> dict[str, object]:
    """As JSON; nothing to sign in with is in it."""
    return {
        "name": person.name,
        "shown": person.shown,
        "roles": sorted(person.roles),
        "granted": sorted(person.granted),
        "withheld": sorted(person.withheld),
        "scope": {kind: sorted(names) for kind, names in _limits(person.scope).items()},
        "agent": person.agent,
        "active": person.active,
        "password": bool(person.password_hash),
    }


def _limits(scope: Scope) -> dict[str, frozenset[str]]:
    limits = {"queues": scope.queues, "teams": scope.teams, "campaigns": scope.campaigns}
    return {kind: names for kind, names in limits.items() if names is not None}


@person_app.command()
def passwd(name: Name, config: Config = DEFAULT, password_stdin: PasswordStdin = False) -> None:
    """Give somebody a new password; her sessions end."""
    from callcenter.services.people.passwords import hash_now
    from callcenter.services.people.person import PersonError

    known = _known(name)
    try:
        hash_ = hash_now(_password(known, password_stdin))
    except PersonError as error:
        fail(str(error), WRONG_USE)

    async def work(store: "PostgresPeople") -> bool:
        changed = await store.change(known, {"password_hash": hash_}, operator(), "password_changed")
        await store.end_sessions(known, operator())
        return changed is not None

    _tell(store_call(config, work), known, "has a new password; her sessions have ended")


@person_app.command("role")
def role_(
    name: Name,
    config: Config = DEFAULT,
    role: Roles = None,
    grant: Granted = None,
    withhold: Withheld = None,
    queue: Queues = None,
    team: Teams = None,
    campaign: Campaigns = None,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="Take all limits by queue, team and campaign away.")] = False,
    agent: Annotated[str | None, typer.Option(help="The agent that she is; empty: none.")] = None,
    active: Annotated[bool | None, typer.Option("--active/--inactive", help="Whether she may sign in.")] = None,
    reason: Annotated[str, typer.Option(help="Why, for the audit trail.")] = "",
) -> None:
    """Change somebody's roles, rights and scope; what is not given stays. Her sessions end."""
    from callcenter.services.people.person import Person

    known = _known(name)
    _there(config, agent, queue, team)

    async def work(store: "PostgresPeople") -> Person | None:
        person = await store.person(known)
        if person is None:
            return None
        limits = (queue, team, campaign)
        before = (None, None, None) if everywhere else (person.scope.queues, person.scope.teams, person.scope.campaigns)
        values: dict[str, object] = {
            "scope": Scope(*(old if new is None else frozenset(new) for old, new in zip(before, limits, strict=True))),
            "roles": person.roles if role is None else frozenset(role),
            "granted": person.granted if grant is None else _separate(grant),
            "withheld": person.withheld if withhold is None else _separate(withhold),
            "active": person.active if active is None else active,
            "agent": person.agent if agent is None else agent,
        }
        return await store.change(known, values, operator(), reason=reason)

    changed = store_call(config, work)
    _tell(changed is not None, known, f"is {', '.join(sorted(changed.roles))}" if changed else "")


@person_app.command()
def remove(name: Name, config: Config = DEFAULT) -> None:
    """Let somebody in no more. What she has done stays in the audit trail."""
    known = _known(name)
    _tell(store_call(config, lambda store: store.remove(known, operator())), known, "may not sign in any more")


token_app = typer.Typer(no_args_is_help=True, help="Tokens by which somebody's programs sign in.")
person_app.add_typer(token_app, name="token")
Days = Annotated[int, typer.Option(min=1, max=366, help="How long it lasts.")]


@token_app.command("add")
def token_add(
    name: Name,
    label: Annotated[str, typer.Option(help="What it is for.")],
    right: Annotated[list[Right], typer.Option("--right", help="Again for each; at most those she has.")],
    days: Days = 90,
    config: Config = DEFAULT,
) -> None:
    """Make a token and print it: this once, it is kept nowhere."""
    from callcenter.services.people.person import PersonError
    from callcenter.services.people.signing import new_token

    known = _known(name)
    if not 1 <= len(label) <= 60 or not label.isprintable():
        fail("the label must have 1 to 60 characters", WRONG_USE)

    async def work(store: "PostgresPeople") -> str | None:
        person = await store.person(known)
        if person is None:
            return None
        beyond = sorted(set(right) - person.signed().rights)
        if beyond:
            raise PersonError("right", f"{known} has not the right '{beyond[0]}', so no token of hers can have it", "fault_granted")
        secret, _ = await new_token(store, person, label, frozenset(right), timedelta(days=days), operator(), datetime.now(UTC))
        return secret

    secret = store_call(config, work)
    if secret is None:
        fail(f"there is nobody '{known}'; see: callcenter person list")
    typer.echo(secret)


@token_app.command("list")
def token_list(name: Name, config: Config = DEFAULT, as_json: AsJson = False) -> None:
    """Her tokens; not what they are, only which there are."""
    known = _known(name)
    tokens = store_call(config, lambda store: store.tokens(known))
    if as_json:
        rows = [
            {"id": one.id, "label": one.label, "rights": sorted(one.scopes), "expires_at": one.expires_at.isoformat()} for one in tokens
        ]
        typer.echo(json.dumps({"tokens": rows}, indent=2))
        return
    for one in tokens:
        used = f"last used {one.used_at:%Y-%m-%d}" if one.used_at else "never used"
        tell(f"{one.id}  until {one.expires_at:%Y-%m-%d}  {used}  {one.label}: {', '.join(sorted(one.scopes))}")


@token_app.command("end")
def token_end(
    name: Name,
    token: Annotated[str, typer.Argument(metavar="ID", help="As 'callcenter person token list' names it.")],
    config: Config = DEFAULT,
) -> None:
    """It opens nothing any more."""

    known = _known(name)
    if not store_call(config, lambda store: store.end_token(known, token, operator())):
        fail(f"{known} has no such token; see: callcenter person token list {known}")
    typer.echo(f"{known}: the token has ended")


def _known(name: str) -> str:
    from callcenter.services.people.person import PersonError, sign_in_name

    try:
        return sign_in_name(name)
    except PersonError as error:
        fail(str(error), WRONG_USE)


def _tell(done: bool, name: str, words: str) -> None:
    if not done:
        fail(f"there is nobody '{name}'; see: callcenter person list")
    typer.echo(f"{name}: {words}")


def _separate(names: list[str] | None) -> frozenset[Right]:
    from callcenter.services.people.person import PersonError

    wrong = [name for name in names or () if name not in set(SEPARATE)]
    if wrong:
        raise PersonError("granted", f"'{wrong[0]}' cannot be granted or withheld; only {', '.join(sorted(SEPARATE))} can", "fault_granted")
    return frozenset(map(Right, names or ()))


def _password(name: str, from_stdin: bool) -> str:
    """As it may be kept. Raises PersonError; ends when nobody is there to type it."""
    from callcenter.services.people.passwords import LONGEST, checked

    if from_stdin:
        return checked(sys.stdin.readline(8 * LONGEST).removesuffix("\n").removesuffix("\r"), name)
    if not sys.stdin.isatty():
        fail("nobody is there to type a password; give it with --password-stdin", WRONG_USE)
    typed: str = typer.prompt("Password", hide_input=True)
    if typer.prompt("Again", hide_input=True) != typed:
        fail("the two differ; nothing was changed", WRONG_USE)
    return checked(typed, name)
