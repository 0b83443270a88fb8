"""What a flow may say about mailboxes."""

from typing import Literal, Self

from pydantic import model_validator

from callcenter.domain.ivr.flow import Node, VoicemailNode
from callcenter.domain.mailbox_config import mailbox_of
from callcenter.runtime.settings_fields import Name, Section


class VoicemailNodeSection(Section):
    """The caller leaves a message for the queue or the agent; or listens to a mailbox, whose number and PIN are asked for."""

    type: Literal["voicemail"]
    queue: Name | None = None
    agent: Name | None = None
    listen: bool = False
    """Exactly one of the three."""
    next: Name
    otherwise: Name
    """When the caller cancels, says nothing or has no PIN; when the mailbox is full, or nothing can be recorded."""

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        if (self.queue is not None) + (self.agent is not None) + self.listen != 1:
            raise ValueError("needs exactly one of queue, agent and listen = true")
        return self

    def node(self) -> Node:
        mailbox = "" if self.listen else mailbox_of(self.queue or "", self.agent or "")
        return VoicemailNode(self.next, self.otherwise, mailbox)
