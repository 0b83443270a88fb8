"""The message-waiting lamp of a desk phone: an unsolicited NOTIFY with a message summary (RFC 3842), by AMI ``PJSIPNotify``.

Asterisk's own way (``mailboxes`` over ARI) needs res_mwi_external, which Debian's build does not have.
"""

from collections.abc import Mapping

from callcenter.adapters.ami.client import AmiClient
from callcenter.domain.events import Refusal
from callcenter.services.ports import CommandError

MOST_SHOWN = 9999


def summary(new: int, old: int) -> str:
    """The NOTIFY as AMI variables: headers, and the lines of its body. Only numbers of ours get into it."""
    new, old = min(max(new, 0), MOST_SHOWN), min(max(old, 0), MOST_SHOWN)
    return ",".join(
        (
            "Event=message-summary",
            "Subscription-State=active",
            "Content-type=application/simple-message-summary",
            f"Content=Messages-Waiting: {'yes' if new else 'no'}",
            f"Content=Voice-Message: {new}/{old} (0/0)",
            "Content=",  # its last line ends, too
        )
    )


class NotifiedLamps:
    """Implements ``services.ports.Lamps``; ``clients`` by node may use the class ``system``."""

    def __init__(self, clients: Mapping[str, AmiClient]) -> None:
        self._clients = clients

    async def show(self, node: str, endpoint: str, new: int, old: int) -> None:
        """Raises CommandError."""
        client = self._clients.get(node)
        if client is None:
            raise CommandError(Refusal.NODE_AWAY, f"no node is called {node!r}")
        said = await client.action("PJSIPNotify", {"Endpoint": endpoint, "Variable": summary(new, old)})
        if said.get("response") != "Success":
            raise CommandError(Refusal.REFUSED, said.get("message", ""))
