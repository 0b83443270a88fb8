"""What we keep. Past tense, business meaning; the only source of CDR, KPI, agent time and recordings.

The center's state is a fold over these: ``Center.handle`` decides and emits facts, ``Center`` applies
each to itself at once, and ``Center.restore`` applies them again after a restart. What is not in a fact
did not happen. All fields are strings, numbers, booleans, aware UTC datetimes, timedeltas, tuples of
strings or of dates, enums, or None, so that ``services.fact_codec`` can write them as JSON without a table.

One module for each topic; all of them are found here. A new kind goes into its topic's module and that module's union, and what it changes
into the module of the same name in ``domain.folds``.
"""

from collections.abc import Mapping

from callcenter.domain.facts.agents import *
from callcenter.domain.facts.agents import AgentFact
from callcenter.domain.facts.announcements import *
from callcenter.domain.facts.announcements import AnnouncementFact
from callcenter.domain.facts.callbacks import *
from callcenter.domain.facts.callbacks import CallbackFact
from callcenter.domain.facts.calls import *
from callcenter.domain.facts.calls import LegFact
from callcenter.domain.facts.config import *
from callcenter.domain.facts.config import ConfigFact
from callcenter.domain.facts.consults import *
from callcenter.domain.facts.consults import ConsultFact
from callcenter.domain.facts.contacts import *
from callcenter.domain.facts.contacts import ContactFact
from callcenter.domain.facts.desk_phone import *
from callcenter.domain.facts.desk_phone import DeskMenuFact
from callcenter.domain.facts.do_not_call import *
from callcenter.domain.facts.do_not_call import DoNotCallFact
from callcenter.domain.facts.flows import *
from callcenter.domain.facts.flows import FlowFact
from callcenter.domain.facts.hours import *
from callcenter.domain.facts.hours import HoursFact, HoursPinFact
from callcenter.domain.facts.nodes import *
from callcenter.domain.facts.nodes import NodeFact
from callcenter.domain.facts.notices import *
from callcenter.domain.facts.notices import NoticeFact
from callcenter.domain.facts.offers import *
from callcenter.domain.facts.offers import OfferFact
from callcenter.domain.facts.own_calls import *
from callcenter.domain.facts.own_calls import OwnCallFact
from callcenter.domain.facts.payments import *
from callcenter.domain.facts.payments import PaymentFact
from callcenter.domain.facts.queues import *
from callcenter.domain.facts.queues import QueueFact
from callcenter.domain.facts.recordings import *
from callcenter.domain.facts.recordings import RecordingFact
from callcenter.domain.facts.supervision import *
from callcenter.domain.facts.supervision import SupervisionFact
from callcenter.domain.facts.surveys import *
from callcenter.domain.facts.surveys import SurveyCallFact, SurveyFact
from callcenter.domain.facts.voicemail import *
from callcenter.domain.facts.voicemail import MailboxFact, VisitFact
from callcenter.domain.facts.work import *
from callcenter.domain.facts.work import WorkFact

CallFact = (
    LegFact
    | FlowFact
    | ContactFact
    | OfferFact
    | AnnouncementFact
    | ConsultFact
    | RecordingFact
    | VisitFact
    | SurveyCallFact
    | PaymentFact
    | WorkFact
    | DeskMenuFact
    | SupervisionFact
    | OwnCallFact
    | CallbackOffered
)
"""Of one call, its legs, its flow run, its contacts and recordings."""

Fact = (
    CallFact
    | AgentFact
    | QueueFact
    | NodeFact
    | CallbackFact
    | HoursFact
    | HoursPinFact
    | DoNotCallFact
    | MailboxFact
    | SurveyFact
    | NoticeFact
    | ConfigFact
)

ON_DISK_FIRST: frozenset[type] = frozenset({CallbackCreated, CallbackEdited, CallbackAttempted, DoNotCallAdded, FlowDialed, OwnCallDialed})
"""Promises and dials: the commands that such a fact justifies are not carried out before it is on disk."""

FACT_TYPES: Mapping[str, type[Fact]] = {kind.__name__: kind for kind in Fact.__args__}
