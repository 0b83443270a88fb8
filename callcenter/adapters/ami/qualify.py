"""Asking a phone whether it is there: SIP OPTIONS, sent by Asterisk at our word (AMI ``PJSIPQualify``).

``PeerStatus`` (``adapters.ami.phones``) tells only of changes; a phone that Asterisk took to be there all along changes nothing.
"""

import asyncio
from collections.abc import Mapping

from callcenter.adapters.ami.client import AmiClient
from callcenter.domain.events import PhoneReachable, Refusal
from callcenter.services.ports import CommandError, Inbox

ANSWERS_WITHIN = 3.5
"""Seconds; ``qualify_timeout`` of asterisk-config/pjsip.conf.j2 is 3: then Asterisk knows that there is no answer."""


class Qualifier:
    """Implements ``services.ports.Phones``; ``clients`` by node may use the classes ``system`` and ``reporting``."""

    def __init__(self, clients: Mapping[str, AmiClient], inbox: Inbox, within: float = ANSWERS_WITHIN) -> None:
        self._clients = clients
        self._inbox = inbox
        self._within = within

    async def ask(self, node: str, endpoint: str) -> None:
        """``PhoneReachable`` if it answers, else nothing. Raises CommandError."""
        client = self._clients.get(node)
        if client is None:
            raise CommandError(Refusal.NODE_AWAY, f"no node is called {node!r}")
        said = await client.action("PJSIPQualify", {"Endpoint": endpoint})
        if said.get("response") != "Success":
            raise CommandError(Refusal.REFUSED, said.get("message", ""))
        await asyncio.sleep(self._within)
        listed = await client.action_list("PJSIPShowEndpoint", {"Endpoint": endpoint})
        states = [each.get("devicestate") for each in listed if each.get("event") == "EndpointDetail"]
        if states and "Unavailable" not in states:
            self._inbox(PhoneReachable(endpoint))
