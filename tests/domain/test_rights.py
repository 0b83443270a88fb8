"""Who may do what: denied unless a role gives it and the scope reaches it."""

import pytest

from callcenter.domain.rights import (
    EVERYTHING,
    OWN,
    RIGHTS,
    SEPARATE,
    Of,
    Right,
    Role,
    Scope,
    Signed,
    may,
    of_agent,
    of_campaign,
    of_person,
    of_queue,
    rights_of,
)


def signed(*roles: Role, scope: Scope = EVERYTHING, agent: str = "") -> Signed:
    return Signed("pat", "Pat", frozenset(roles), rights_of(roles), scope, agent)


@pytest.mark.parametrize("right", Right)
def test_without_a_role_nothing_is_allowed(right: Right) -> None:
    assert not may(signed(), right)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("right", Right)
def test_a_role_gives_what_its_row_says_and_no_more(role: Role, right: Right) -> None:
    assert may(signed(role), right) is (right in RIGHTS[role])


def test_every_right_is_given_by_some_role() -> None:
    assert frozenset().union(*RIGHTS.values()) == frozenset(Right)


def test_only_admins_manage_people_and_only_by_a_grant_do_they_listen_or_export() -> None:
    assert [role for role in Role if Right.MANAGE_PEOPLE in RIGHTS[role]] == [Role.ADMIN]
    assert not RIGHTS[Role.ADMIN] & SEPARATE


def test_listening_and_exporting_are_granted_and_withheld_apart() -> None:
    assert Right.EXPORT not in rights_of([Role.SUPERVISOR])
    assert Right.EXPORT in rights_of([Role.SUPERVISOR], granted=[Right.EXPORT])
    assert Right.LISTEN not in rights_of([Role.SUPERVISOR], withheld=[Right.LISTEN])
    assert Right.LISTEN not in rights_of([Role.SUPERVISOR], granted=[Right.LISTEN], withheld=[Right.LISTEN])
    assert Right.MANAGE_PEOPLE not in rights_of([Role.AGENT], granted=[Right.MANAGE_PEOPLE])
    assert Right.SEE_WALLBOARD in rights_of([Role.AGENT], withheld=[Right.SEE_WALLBOARD])


def test_a_token_has_at_most_the_rights_of_its_person() -> None:
    assert rights_of([Role.AGENT], token_scopes=[Right.SEE_WALLBOARD, Right.MANAGE_PEOPLE]) == {Right.SEE_WALLBOARD}


def test_a_scope_by_queue_reaches_contacts_and_agents_of_these_queues() -> None:
    sue = signed(Role.SUPERVISOR, scope=Scope(queues=frozenset({"support"})))
    assert may(sue, Right.LISTEN, of_queue("support"))
    assert not may(sue, Right.LISTEN, of_queue("sales"))
    assert may(sue, Right.FORCE_STATE, of_agent("bob", ["sales", "support"]))
    assert not may(sue, Right.FORCE_STATE, of_agent("bob", ["sales"]))
    assert not may(sue, Right.FORCE_STATE, of_agent("bob", []))
    assert may(sue, Right.RUN_CAMPAIGNS, of_campaign("spring")) is False, "no right at all"


def test_a_scope_by_team_reaches_nobody_without_a_team() -> None:
    sue = signed(Role.SUPERVISOR, scope=Scope(teams=frozenset({"north"})))
    assert may(sue, Right.FORCE_STATE, of_agent("bob", team="north"))
    assert not may(sue, Right.FORCE_STATE, of_agent("bob", team="south"))
    assert not may(sue, Right.FORCE_STATE, of_agent("bob", team=""))


def test_a_scope_by_campaign() -> None:
    olga = signed(Role.OPS, scope=Scope(campaigns=frozenset({"spring"})))
    assert may(olga, Right.RUN_CAMPAIGNS, of_campaign("spring"))
    assert not may(olga, Right.RUN_CAMPAIGNS, of_campaign("autumn"))


def test_an_empty_scope_reaches_nothing() -> None:
    assert not may(signed(Role.SUPERVISOR, scope=Scope(queues=frozenset())), Right.LISTEN, of_queue("support"))


@pytest.mark.parametrize("right", sorted(OWN))
def test_what_is_ones_own_is_nobody_elses(right: Right) -> None:
    alice = signed(Role.AGENT, Role.ADMIN, agent="alice")
    assert may(alice, right, Of(agent="alice", person="pat"))
    assert not may(alice, right, of_agent("bob"))
    assert not may(alice, right, of_person("bob"))


def test_who_is_no_agent_commands_none() -> None:
    assert not may(signed(Role.AGENT), Right.COMMAND_OWN_AGENT, of_agent(""))
