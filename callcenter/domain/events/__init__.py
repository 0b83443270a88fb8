"""What happened: to legs (from the PBX), on the wish of people, and in time. Always past tense.

``node`` is the name of the Asterisk node; ``leg`` is the channel id.

One module for each topic; all of them are found here. A new kind goes into its topic's module and that module's union.
"""

from collections.abc import Mapping

from callcenter.domain.events.callbacks import *
from callcenter.domain.events.callbacks import CallbackRequest, DoNotCallRequest
from callcenter.domain.events.center import *
from callcenter.domain.events.center import CenterEvent, HoursEvent
from callcenter.domain.events.legs import *
from callcenter.domain.events.legs import LegEvent, MessageEvent
from callcenter.domain.events.messages import *
from callcenter.domain.events.messages import MessageRequest
from callcenter.domain.events.nodes import *
from callcenter.domain.events.nodes import NodeEvent, PhoneEvent
from callcenter.domain.events.presence import *
from callcenter.domain.events.presence import PresenceRequest
from callcenter.domain.events.supervision import *
from callcenter.domain.events.supervision import SupervisorRequest
from callcenter.domain.events.talks import *
from callcenter.domain.events.talks import TalkRequest
from callcenter.domain.events.work import *
from callcenter.domain.events.work import WorkRequest

AgentRequest = PresenceRequest | TalkRequest | WorkRequest
PersonRequest = AgentRequest | SupervisorRequest | CallbackRequest | DoNotCallRequest | MessageRequest
Event = (
    LegArrived | LegEvent | MessageEvent | CommandRefused | AskAnswered | PersonRequest | NodeEvent | PhoneEvent | HoursEvent | CenterEvent
)

EventTypes: Mapping[str, type] = {kind.__name__: kind for kind in Event.__args__}
