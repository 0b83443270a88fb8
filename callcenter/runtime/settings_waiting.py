"""What callers meet while they wait, in ``callcenter.toml``: checked against the rest of the file, and turned into the core's words."""

from collections.abc import Collection, Iterable, Iterator

from callcenter.domain.config import AnnounceConfig, PositionTold
from callcenter.runtime.settings_flows import unknown_prompts
from callcenter.runtime.settings_model import AnnounceSection, QueueSection
from callcenter.runtime.settings_problems import Problem


def announce(section: AnnounceSection) -> AnnounceConfig:
    return AnnounceConfig(
        position=PositionTold(section.position),
        position_limit=section.position_limit,
        ewt=section.ewt,
        first_after=section.first_after,
        every=section.every,
        comfort=section.comfort,
        comfort_every=section.comfort_every,
    )


def waiting_faults(queues: Iterable[QueueSection], prompts: Collection[str]) -> Iterator[Problem]:
    known = frozenset(prompts)
    for index, queue in enumerate(queues):
        yield from unknown_prompts(f"queue[{index}].announce.comfort", queue.announce.comfort, known)
