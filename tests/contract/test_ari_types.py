"""What our ARI types say is what this Asterisk says of itself."""

import asyncio

from callcenter.adapters.ari.generate import MADE, generate, served
from tests.support.asterisk import asterisk_node


async def test_types_are_those_of_the_running_asterisk() -> None:
    async with asterisk_node() as pbx:
        pbx.cli("core waitfullybooted")
        resources = await asyncio.to_thread(served, pbx.ari_url, pbx.ari_user, pbx.secrets.ari_password)

    assert MADE.read_text() == generate(resources), "run: python -m callcenter.adapters.ari.generate ARI_URL USER PASSWORD"
