"""What facts of notices change."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from callcenter.domain import facts as f
from callcenter.domain.deadlines import NOTICE

if TYPE_CHECKING:
    from callcenter.domain.state import State


def notice_sent(state: "State", fact: f.NoticeSent) -> None:
    state.notices.sent(fact)
    state.deadlines.set(fact.expires_at, NOTICE, fact.notice)


def notice_acknowledged(state: "State", fact: f.NoticeAcknowledged) -> None:
    state.notices.acknowledged(fact)


def notice_over(state: "State", fact: f.NoticeOver) -> None:
    state.notices.over(fact)


FOLDS: Mapping[type, Callable[..., None]] = {
    f.NoticeSent: notice_sent,
    f.NoticeAcknowledged: notice_acknowledged,
    f.NoticeOver: notice_over,
}
