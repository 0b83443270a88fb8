"""Which phones can be reached: told by AMI when it changes, and not by ARI.

ARI knows it too, but (measured on 22.10.1) a subscription to an endpoint brings every event of each of its
channels a second time, and one more whenever a channel comes or goes. ``PeerStatus`` comes only when a phone
registers, unregisters, expires, or stops to answer.
"""

from collections.abc import Sequence

from callcenter.adapters.ami.client import AmiClient, AmiServer, Message
from callcenter.domain.events import PhoneReachable, PhoneUnreachable
from callcenter.services.ports import Inbox

_TECHNOLOGY = "PJSIP/"


class PhoneHealth:
    """Tells the inbox of phones. A phone is reachable when at least one node reaches it."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._reached_by: dict[str, set[str]] = {}
        self._changed: dict[str, set[str]] = {}
        """By node: endpoints heard of while its list was on its way; the list may be older."""

    def reached(self, endpoint: str) -> bool | None:
        """Whether at least one node reaches it; None: none has told. A trunk that is called out through is an endpoint, too."""
        by = self._reached_by.get(endpoint)
        return None if by is None else bool(by)

    def client(self, node: str, server: AmiServer) -> AmiClient:
        """A connection that tells of the phones of one node; ``server`` must hear events of class ``system``."""

        async def ask() -> None:
            self._changed[node] = set()
            try:
                listed = await client.action_list("PJSIPShowEndpoints")
                self._listed(node, listed)
            finally:
                del self._changed[node]

        client = AmiClient(server, lambda event: self.heard(node, event), ask)
        return client

    def _listed(self, node: str, listed: Sequence[Message]) -> None:
        for each in listed:
            endpoint = each.get("objectname", "")
            if each.get("event") == "EndpointList" and endpoint and endpoint not in self._changed[node]:
                self._learn(node, endpoint, each.get("devicestate") != "Unavailable")

    def heard(self, node: str, event: Message) -> None:
        """An event of that node; only ``PeerStatus`` matters."""
        peer, status = event.get("peer", ""), event.get("peerstatus")
        if event.get("event") != "PeerStatus" or not peer.startswith(_TECHNOLOGY) or status not in ("Reachable", "Unreachable"):
            return
        endpoint = peer.removeprefix(_TECHNOLOGY)
        if node in self._changed:
            self._changed[node].add(endpoint)
        self._learn(node, endpoint, status == "Reachable")

    def _learn(self, node: str, endpoint: str, reaches: bool) -> None:
        known = endpoint in self._reached_by
        by = self._reached_by.setdefault(endpoint, set())
        was = bool(by)
        if reaches:
            by.add(node)
        else:
            by.discard(node)
        if not known or was != bool(by):
            self._inbox(PhoneReachable(endpoint) if by else PhoneUnreachable(endpoint))
