"""What each kind of fact changes in the state: one function a kind, in the module of its topic, which is named as in ``domain.facts``.

Each takes state and fact, and raises ``IllegalTransition`` before anything is changed. They are called by ``State.apply`` alone, live and
at the restore, so they must not look at anything but the two.
"""

from collections.abc import Callable, Mapping

from callcenter.domain.folds import (
    agents,
    announcements,
    callbacks,
    calls,
    config,
    consults,
    contacts,
    desk_phone,
    do_not_call,
    flows,
    hours,
    nodes,
    notices,
    offers,
    own_calls,
    payments,
    queues,
    recordings,
    supervision,
    surveys,
    voicemail,
    work,
)

FOLDS: Mapping[type, Callable[..., None]] = {
    **calls.FOLDS,
    **flows.FOLDS,
    **contacts.FOLDS,
    **offers.FOLDS,
    **announcements.FOLDS,
    **consults.FOLDS,
    **recordings.FOLDS,
    **surveys.FOLDS,
    **payments.FOLDS,
    **desk_phone.FOLDS,
    **supervision.FOLDS,
    **own_calls.FOLDS,
    **agents.FOLDS,
    **queues.FOLDS,
    **nodes.FOLDS,
    **hours.FOLDS,
    **callbacks.FOLDS,
    **do_not_call.FOLDS,
    **notices.FOLDS,
    **voicemail.FOLDS,
    **work.FOLDS,
    **config.FOLDS,
}
