"""A real node starts on free ports, says nothing wrong, and is gone afterwards."""

import os

from tests.support.asterisk import asterisk_node


async def test_a_node_starts_and_every_module_runs() -> None:
    async with asterisk_node() as pbx:
        assert "Not Running" not in pbx.cli("module show")
        assert [line for line in pbx.log().splitlines() if "ERROR" in line or "WARNING" in line] == []
        process = pbx.node.process
        assert process is not None
    assert not os.path.exists(f"/proc/{process.pid}")
