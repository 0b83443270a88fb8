"""``[desk_phone]``: what agents' phones may do, checked and in the core's words."""

from typing import Annotated

from callcenter.runtime.settings_fields import Section, matching

FeaturePrefix = Annotated[str, matching(r"(\*|#|\*\*|##|\*#|#\*)?", "'*', '#', or two of them; empty: there are no such sequences")]


class DeskPhoneSection(Section):
    """What agents' phones may do."""

    feature_prefix: FeaturePrefix = "*"
    """What begins a sequence of keys by which an agent transfers, consults or joins in the middle of a talk."""
