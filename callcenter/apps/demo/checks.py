"""What the demo verifies afterwards: who heard whom, the recordings, and that the books balance."""

import wave
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sqlalchemy import RowMapping, select

from callcenter.adapters.db.connection import connect
from callcenter.adapters.db.tables import cdr, contact, recording
from callcenter.apps.demo.people import AgentAtPhone, Caller, Doing
from callcenter.sim.sip.tones import FRAME, TonePair, goertzel

Rows = Sequence[RowMapping]
HEARD_FRAMES = 25
"""Frames of 20 ms in which a voice must be on its channel: half a second."""
STRAY_FRAMES = 5
"""So many may slip through on the other channel, at the edges of the talk."""


async def read_books(url: str) -> Mapping[str, Rows]:
    """All CDRs, contacts and recordings."""
    engine = connect(url, name="demo")
    try:
        async with engine.connect() as connection:
            return {table.name: (await connection.execute(select(table))).mappings().all() for table in (cdr, contact, recording)}
    finally:
        await engine.dispose()


def complete(books: Mapping[str, Rows], calls: int) -> bool:
    """Whether everything has reached the books and nothing is open any more."""
    return (
        len(books["cdr"]) >= calls
        and all(row["ended_at"] for row in books["cdr"])
        and all(row["state"] in ("ended", "abandoned", "overflowed") for row in books["contact"])
        and all(row["state"] in ("finished", "missing") for row in books["recording"])
    )


def findings(
    callers: Sequence[Caller], agents: Sequence[AgentAtPhone], books: Mapping[str, Rows], files: Path
) -> Iterator[tuple[str, list[str]]]:
    """Each check with what is wrong, nothing when all is well."""
    yield "callers got where they wanted", list(_stories(callers))
    yield "callers heard prompt, music and agent; agents heard callers", list(_heard(callers, agents))
    yield "one CDR per call, nothing left open", list(_cdrs(callers, books["cdr"]))
    yield "offered = answered + abandoned + overflowed", list(_balance(callers, books["contact"]))
    yield "each answered call recorded, each side on its channel", list(_recordings(callers, agents, books, files))


def _stories(callers: Sequence[Caller]) -> Iterator[str]:
    for caller in callers:
        wanted = Doing.GAVE_UP if caller.patience_s is not None else Doing.DONE
        if caller.doing is not wanted:
            yield f"{caller.number} should have ended as '{wanted}', but is '{caller.doing}' {caller.trouble}"


def _heard(callers: Sequence[Caller], agents: Sequence[AgentAtPhone]) -> Iterator[str]:
    for caller in callers:
        if not caller.heard_welcome:
            yield f"{caller.number} did not hear the welcome"
        if not caller.heard_music:
            yield f"{caller.number} waited without music"
        for agent in agents:
            if agent.name == caller.agent and not agent.heard(caller.tone):
                yield f"{agent.name} did not hear {caller.number}"


def _cdrs(callers: Sequence[Caller], rows: Rows) -> Iterator[str]:
    counted = Counter(row["caller"] for row in rows if row["direction"] == "inbound")
    for caller in callers:
        if counted[caller.number] != 1:
            yield f"{caller.number} has {counted[caller.number]} CDRs"
    for row in rows:
        if row["ended_at"] is None:
            yield f"call {row['call_id']} is open"


def _balance(callers: Sequence[Caller], rows: Rows) -> Iterator[str]:
    states = Counter(row["state"] for row in rows)
    if len(rows) != states["ended"] + states["abandoned"] + states["overflowed"]:
        yield f"{len(rows)} offered, but {dict(states)}"
    gave_up = sum(caller.patience_s is not None for caller in callers)
    if (states["ended"], states["abandoned"]) != (len(callers) - gave_up, gave_up):
        yield f"{len(callers) - gave_up} should be answered and {gave_up} abandoned, but {dict(states)}"
    by_caller = {row["caller"]: row for row in rows}
    for caller in callers:
        row = by_caller.get(caller.number)
        if row is not None and row["agent"] != caller.agent:
            yield f"{caller.number} heard {caller.agent or 'nobody'}, the books say {row['agent'] or 'nobody'}"


def _recordings(callers: Sequence[Caller], agents: Sequence[AgentAtPhone], books: Mapping[str, Rows], files: Path) -> Iterator[str]:
    voices = {agent.name: agent.tone for agent in agents}
    contacts = {row["caller"]: row["contact_id"] for row in books["contact"]}
    recordings = {row["contact_id"]: row for row in books["recording"]}
    for caller in callers:
        if not caller.agent:
            continue
        row = recordings.get(contacts.get(caller.number))
        if row is None or row["state"] != "finished" or not row["file"]:
            yield f"{caller.number} has no recording"
        else:
            yield from (f"{caller.number}: {fault}" for fault in channel_faults(files / row["file"], caller.tone, voices[caller.agent]))


def channel_faults(file: Path, left: TonePair, right: TonePair) -> Iterator[str]:
    """What is wrong with a two-channel recording in which ``left`` and ``right`` should be heard, each on its side only."""
    try:
        with wave.open(str(file), "rb") as reader:
            if (reader.getnchannels(), reader.getsampwidth(), reader.getframerate()) != (2, 2, 8000):
                yield f"{file.name} is not two channels of 16 bit at 8 kHz"
                return
            samples = array("h", reader.readframes(reader.getnframes()))
    except (OSError, wave.Error, EOFError) as error:
        yield f"{file.name} cannot be played: {error}"
        return
    for side, start, voice, other in (("left", 0, left, right), ("right", 1, right, left)):
        channel = samples[start::2].tolist()
        heard, stray = frames_with(channel, voice), frames_with(channel, other)
        if heard < HEARD_FRAMES:
            yield f"{file.name}: the {side} channel holds its voice for {heard * 20} ms only"
        if stray > STRAY_FRAMES:
            yield f"{file.name}: the {side} channel holds the other voice for {stray * 20} ms"


def frames_with(samples: list[int], voice: TonePair) -> int:
    """In how many frames of 20 ms both tones are heard."""
    count = 0
    for start in range(0, len(samples) - FRAME + 1, FRAME):
        frame = samples[start : start + FRAME]
        energy = sum(sample * sample for sample in frame)
        if energy > 80 * 80 * FRAME and all(goertzel(frame, tone) > 0.15 * energy for tone in voice):
            count += 1
    return count
