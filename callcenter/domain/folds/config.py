"""What facts of the configuration change. The configuration itself is not among them: it is read anew at each start."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from callcenter.domain import facts as f

if TYPE_CHECKING:
    from callcenter.domain.state import State


def config_taken(state: "State", fact: f.ConfigTaken) -> None:
    state.config_taken = fact


FOLDS: Mapping[type, Callable[..., None]] = {f.ConfigTaken: config_taken}
