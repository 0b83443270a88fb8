"""All kinds of node. A new kind is a dataclass of ``Node`` with its ``Kind`` in a module of its topic, found here."""

from collections.abc import Mapping

from callcenter.domain.ivr import deciding, dipping, keys, leaving, listening, messages, off_record, speaking, surveying, switching
from callcenter.domain.ivr.kind import Kind

KINDS: Mapping[type, Kind] = {
    **speaking.KINDS,
    **keys.KINDS,
    **deciding.KINDS,
    **dipping.KINDS,
    **listening.KINDS,
    **surveying.KINDS,
    **leaving.KINDS,
    **off_record.KINDS,
    **messages.KINDS,
    **switching.KINDS,
}
