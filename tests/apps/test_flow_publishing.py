"""Flows are published into a running engine: whoever calls from then on gets the new one, and nobody who is inside is disturbed."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from callcenter.apps.flow_publishing import PublishError, publish, rollback
from callcenter.domain import facts as f
from callcenter.runtime.flow_documents import read_file
from callcenter.runtime.flow_store import FlowStore, InUse
from callcenter.runtime.settings import load
from tests.support.audio import wav
from tests.support.flow_center import FlowCenter, flow_center

CALLERS = 50
RECORDINGS = 5
"""So many greetings, in turn: to make them takes most of the time of a publication."""
TOML = """
[center]
time_zone = "UTC"
[paths]
data = "{data}"
[[number]]
did = "+18005550100"
flow = "main"
"""
MAIN = """\
flow: main
start: greeting
prompts:
  greeting: {{file: greeting.wav}}
nodes:
  greeting: {{type: menu, prompt: greeting, choices: {{1: v{number}}}, otherwise: bye, timeout_s: 600}}
  v{number}: {{type: prompt, prompt: welcome, next: bye}}
  bye: {{type: prompt, prompt: goodbye, next: end}}
  end: {{type: hang_up}}
"""


SHORT = """\
flow: main
start: a
nodes:
  a: {type: prompt, prompt: welcome, next: b}
  b: {type: hang_up}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CALLCENTER_DATA", raising=False)
    path = tmp_path / "callcenter.toml"
    path.write_text(TOML.format(data=tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return path


def draft(file: Path, number: int) -> Path:
    """Version ``number``: its greeting, and a second node of its own."""
    path = file.parent / "main.yaml"
    path.write_text(MAIN.format(number=number))
    (file.parent / "greeting.wav").write_bytes(wav(400 + 50 * (number % RECORDINGS)))
    return path


def publish_draft(file: Path, number: int, share: float = 0.0) -> InUse:
    return publish(file, [read_file(draft(file, number))], "ann", f"number {number}", share).now["main"]


async def published(file: Path, number: int, share: float = 0.0) -> InUse:
    return await asyncio.to_thread(publish_draft, file, number, share)


def versions(center: FlowCenter) -> dict[str, int]:
    """By call: the version that its flow run began with."""
    return {fact.call: fact.version for fact in center.facts if isinstance(fact, f.FlowStarted)}


async def test_fifty_publications_disturb_none_of_fifty_callers(file: Path) -> None:
    await published(file, 1)
    async with flow_center(file) as center:
        legs = []
        for number in range(1, CALLERS + 1):
            legs.append(await center.call())
            assert (await published(file, number + 1)).version == number + 1
        channels = [center.pbx.channels[leg] for leg in legs]
        assert len(center.engine.center.state.calls) == CALLERS
        for leg in legs:
            center.pbx.party_presses(leg, "1")
        await center.until(lambda: sum(isinstance(fact, f.CallEnded) for fact in center.facts) == CALLERS)

        calls = {fact.leg: fact.call for fact in center.facts if isinstance(fact, f.CallBegan)}
        began = versions(center)
        assert [began[calls[leg]] for leg in legs] == list(range(1, CALLERS + 1))
        moved = {(fact.call, fact.node) for fact in center.facts if isinstance(fact, f.FlowMoved)}
        for number, (leg, channel) in enumerate(zip(legs, channels, strict=True), 1):
            assert (calls[leg], f"v{number}") in moved, "the key led elsewhere than in the version the caller began with"
            assert [heard.split("-")[0] for heard in channel.heard] == ["greeting", "welcome", "goodbye"]
        greetings = [channel.heard[0] for channel in channels]
        assert greetings[RECORDINGS:] == greetings[:-RECORDINGS]
        assert len(set(greetings)) == RECORDINGS
        known = load(file).catalogue
        assert all(prompt in known for channel in channels for prompt in channel.heard)
        late = await center.call()
        assert versions(center)[{fact.leg: fact.call for fact in center.facts if isinstance(fact, f.CallBegan)}[late]] == CALLERS + 1


async def test_an_engine_that_was_away_reads_what_was_published_when_it_starts(file: Path) -> None:
    await published(file, 1)
    async with flow_center(file) as center:
        caller = await center.call()
        channel = center.pbx.channels[caller]
    await published(file, 2)
    async with flow_center(file, center.pbx) as center:
        await center.call()
        assert list(versions(center).values()) == [2]
        center.pbx.party_presses(caller, "1")
        await center.until(lambda: channel.heard[-1] == "goodbye")
        assert "v1" in {fact.node for fact in center.facts if isinstance(fact, f.FlowMoved)}


async def test_a_rollback_is_for_the_next_callers_too(file: Path) -> None:
    await published(file, 1)
    async with flow_center(file) as center:
        await published(file, 2)
        await center.call()
        done = await asyncio.to_thread(rollback, file, "main", None, "ann", "")
        assert (done.now, done.taken_up) == ({"main": InUse(1)}, True)
        await center.call()
        assert list(versions(center).values()) == [2, 1]


async def test_a_canary_is_for_its_share_only_until_it_is_withdrawn(file: Path) -> None:
    await published(file, 1)
    async with flow_center(file) as center:
        assert await published(file, 2, share=0.5) == InUse(1, 2, 0.5)
        for _ in range(40):
            await center.call()
        began = list(versions(center).values())
        assert set(began) == {1, 2}
        assert 8 < began.count(2) < 32
        await asyncio.to_thread(rollback, file, "main", None, "ann", "")
        for _ in range(10):
            await center.call()
        assert set(list(versions(center).values())[40:]) == {1}


async def test_what_the_engine_refuses_is_undone(file: Path) -> None:
    """The engine goes by a configuration that has not heard of the queue yet."""
    await published(file, 1)
    more = '[[queue]]\nname = "new"\n[[agent]]\nname = "ann"\nqueues = ["new"]\n'
    file.with_name("copy.toml").write_text(TOML.format(data=file.parent / "data") + more)
    document = file.parent / "main.yaml"
    document.write_text("flow: main\nstart: a\nnodes:\n  a: {type: queue, queue: new}\n")
    async with flow_center(file) as center:
        with pytest.raises(PublishError, match=r"the engine refused it: .*queue 'new'.* callcenter reload"):
            await asyncio.to_thread(publish, file.with_name("copy.toml"), [read_file(document)], "ann", "")
        assert FlowStore(file.parent / "data").in_use() == {"main": InUse(1)}
        await center.call()
        assert list(versions(center).values()) == [1]


def test_what_has_faults_is_not_published(file: Path) -> None:
    publish_draft(file, 1)
    bad = file.parent / "bad.yaml"
    bad.write_text("flow: main\nstart: a\nnodes:\n  a: {type: queue, queue: nowhere}\n")
    with pytest.raises(PublishError, match="nothing was changed") as refused:
        publish(file, [read_file(bad)], "ann", "")
    assert [(fault.line, fault.key) for fault in refused.value.faults] == [(4, "nodes.a.queue")]
    assert FlowStore(file.parent / "data").in_use() == {"main": InUse(1)}


def test_what_others_refer_to_cannot_be_taken_away(file: Path) -> None:
    """Before the first publication there was no flow ``main``, and the number leads to it."""
    publish_draft(file, 1)
    with pytest.raises(PublishError) as refused:
        rollback(file, "main", None, "ann", "")
    assert [fault.sentence for fault in refused.value.faults] == ["names flow 'main', which does not exist; flows: none"]
    assert FlowStore(file.parent / "data").in_use() == {"main": InUse(1)}


def test_two_documents_are_published_together_or_not_at_all(file: Path) -> None:
    other = file.parent / "other.yaml"
    other.write_text("flow: other\nstart: a\nnodes:\n  a: {type: queue, queue: nowhere}\n")
    with pytest.raises(PublishError):
        publish(file, [read_file(draft(file, 1)), read_file(other)], "ann", "")
    assert FlowStore(file.parent / "data").in_use() == {}
    other.write_text("flow: other\nstart: a\nnodes:\n  a: {type: hang_up}\n")
    publish(file, [read_file(draft(file, 1)), read_file(other)], "ann", "")
    assert FlowStore(file.parent / "data").in_use() == {"main": InUse(1), "other": InUse(1)}


def test_who_publishes_at_the_same_time_waits_for_the_other(file: Path) -> None:
    """Ten versions by two people at once: every version is kept once, and the last one is in use."""

    def person(name: str) -> list[int]:
        versions = []
        for number in range(5):
            document = file.parent / f"{name}.yaml"
            document.write_text(f"title: {name} {number}\n{SHORT}")
            versions.append(publish(file, [read_file(document)], name, "").now["main"].version)
        return versions

    with ThreadPoolExecutor() as pool:
        published_by = list(pool.map(person, ["ann", "bob"]))
    assert sorted(published_by[0] + published_by[1]) == list(range(1, 11))
    store = FlowStore(file.parent / "data")
    assert [version.author for version in store.versions("main")].count("ann") == 5
    assert store.in_use() == {"main": InUse(10)}
    assert [action.version for action in store.actions()] == list(range(1, 11))
