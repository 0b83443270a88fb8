"""What operations ask of a node over AMI. Never call control."""

from collections.abc import Sequence

from callcenter.adapters.ami.client import AmiClient
from callcenter.domain.events import Refusal
from callcenter.services.ports import CommandError


async def reload(client: AmiClient, modules: Sequence[str]) -> None:
    """Let the node read the configuration of these modules (``pbx_config.so``) again. Raises CommandError at the first that fails."""
    for module in modules:
        said = await client.action("Reload", {"Module": module})
        if said.get("response") != "Success":
            raise CommandError(Refusal.REFUSED, f"reload of {module}: {said.get('message', '')}")
