"""The disk fills up in the middle of a talk: callers notice nothing, people are told, and no fact is missing once there is room."""

import asyncio
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callcenter.apps.cli import app
from callcenter.domain import facts as f
from callcenter.sim.sip.policy import AnswerAfter
from tests.support.center import AGENT_TONES, CALLER_TONE, RunningCenter, running_center

pytestmark = [pytest.mark.pbx, pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")]


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Temporary folders, and so the data folder, are on a disk of 160 MB."""
    place = Path(tempfile.mkdtemp(prefix="cc-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m,mode=711", "tmpfs", str(place)], check=True)
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)
    place.rmdir()


def fill(disk: Path) -> Path:
    """Take all the room there is."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                continue
    return filler


async def trouble(center: RunningCenter) -> str:
    journal = (await center.ask("state"))["journal"]
    assert isinstance(journal, dict)
    return str(journal["trouble"])


async def test_calls_go_on_while_the_disk_is_full(small_disk: Path) -> None:
    async with running_center() as center:
        alice = await center.agent("alice", AnswerAfter())
        first = await center.call("+12025550101")
        await first.hears(AGENT_TONES["alice"])
        talk = await alice.incoming()

        filler = fill(small_disk)
        callers = 1
        while not await trouble(center):  # what the journal's last page still takes
            callers += 1
            assert callers < 40
            await (await center.call(f"+120255501{callers:02}")).hang_up()
        await first.hears(AGENT_TONES["alice"])
        await talk.hears(CALLER_TONE)
        await first.hang_up()
        await talk.ended()

        second = await center.call("+12025550199")  # a new call, its whole way
        await second.hears(AGENT_TONES["alice"])
        at_alice = await alice.incoming()
        await at_alice.hears(CALLER_TONE)
        assert await trouble(center) == "the disk is full"

        looked = await asyncio.to_thread(CliRunner().invoke, app, ["doctor", "--json", "--config", str(center.file)])
        found = {check["name"]: check for check in json.loads(looked.stdout)["checks"]}
        assert looked.exit_code == 1
        assert found["journal"]["detail"].startswith("the disk is full: ")
        assert "make room" in found["journal"]["fix"]
        assert "journal_waits_for_disk" in center.log_file.read_text()

        filler.unlink()
        await center.until(lambda: _writes(center))
        await second.hang_up()
        await at_alice.ended()
        await center.fact(f.CallEnded, callers + 1)
        began = [fact.caller for fact in center.all(f.CallBegan)]
        assert began == ["+12025550101", *(f"+120255501{number:02}" for number in range(2, callers + 1)), "+12025550199"]
        assert len(center.all(f.ContactConnected)) == 2
        assert [fact.call for fact in center.all(f.RecordingMissing)] == [center.all(f.CallBegan)[-1].call]


async def _writes(center: RunningCenter) -> bool:
    return not await trouble(center)
