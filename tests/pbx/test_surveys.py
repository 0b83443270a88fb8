"""After a real talk: the agent hangs up first, and the caller answers the survey by keys; who hangs up first is asked nothing."""

import wave
from array import array
from pathlib import Path
from typing import Any

import pytest

from callcenter.domain import facts as f
from callcenter.sim.sip.policy import AnswerAfter
from callcenter.sim.sip.tones import RATE, TonePair, goertzel, samples_of, tone_pair
from tests.support.asterisk import BEEP_TONES, PROMPT_TONES, raw_settings
from tests.support.center import AGENT_TONES, CALLER_TONE, running_center

pytestmark = pytest.mark.pbx

SATISFIED, RECOMMEND, THANKS = (tone_pair(n) for n in (8, 18, 38))
SURVEY: dict[str, Any] = {
    "start": "satisfied",
    "node": {
        "satisfied": {
            **{"type": "survey", "kind": "csat", "question": "satisfied", "prompt": "satisfied"},
            **{"next": "recommend", "otherwise": "thanks"},
        },
        "recommend": {
            **{"type": "survey", "kind": "nps", "question": "recommend", "prompt": "recommend"},
            **{"next": "thanks", "otherwise": "thanks"},
        },
        "thanks": {"type": "prompt", "prompt": "thanks", "next": "end"},
        "end": {"type": "hang_up"},
    },
}


def tone(name: str, pair: TonePair) -> dict[str, str]:
    return {"id": name, "source": f"tone:{pair[0]:.0f}+{pair[1]:.0f}:1.2"}


def tables() -> dict[str, Any]:
    usual = raw_settings(Path("/"))
    ours = [tone("satisfied", SATISFIED), tone("recommend", RECOMMEND), tone("thanks", THANKS)]
    (queue,) = usual["queue"]
    return {
        "flow": {**usual["flow"], "how-was-it": SURVEY},
        "prompt": [*usual["prompt"], *ours],
        "queue": [{**queue, "survey_flow": "how-was-it", "survey_again_after_days": 30}],
    }


async def test_a_survey_after_the_talk() -> None:
    async with running_center(**tables()) as it:
        alice = await it.agent("alice", AnswerAfter(0.1))

        first = await it.call("+12025550141")
        at_alice = await alice.incoming()
        await at_alice.hears(CALLER_TONE)
        await first.hears(AGENT_TONES["alice"])
        await at_alice.hang_up()
        await first.hears(SATISFIED)
        await it.fact(f.ContactParted)
        await first.send_digit("5")
        await first.hears(RECOMMEND)
        await first.send_digits("10")
        await first.hears(THANKS)
        await first.ended()
        answered = [(fact.question, fact.value, fact.agent, fact.queue) for fact in it.all(f.SurveyAnswered)]
        assert answered == [("satisfied", "5", "alice", "support"), ("recommend", "10", "alice", "support")]

        second = await it.call("+12025550142")
        await (await alice.incoming()).hears(CALLER_TONE)
        await second.hears(AGENT_TONES["alice"])
        await second.hang_up()
        await it.fact(f.ContactEnded, 2)

        again = await it.call("+12025550141")
        at_alice = await alice.incoming()
        await at_alice.hears(CALLER_TONE)
        await at_alice.hang_up()
        await again.ended()
        assert len(it.all(f.SurveyOffered)) == 1, "nobody is asked twice within the time, nor who hung up first"
        assert [fact.why for fact in it.all(f.ContactParted)] == ["agent_hung_up", "caller_hung_up", "agent_hung_up"]


WORDS = tone_pair(50)


def holds(file: Path, pair: TonePair) -> bool:
    """Whether most of the recording is this pair."""
    with wave.open(str(file), "rb") as recorded:
        samples = array("h", recorded.readframes(recorded.getnframes()))
    middle = list(samples[len(samples) // 3 : len(samples) // 3 + 4000])
    return sum(goertzel(middle, frequency) for frequency in pair) > 0.5 * sum(sample * sample for sample in middle)


@pytest.mark.long
async def test_a_comment_in_the_caller_s_own_words() -> None:
    both = tables()
    comment = {"type": "survey", "kind": "comment", "question": "comment", "prompt": "satisfied", "queue": "support"}
    both["flow"]["how-was-it"] = {
        "start": "comment",
        "node": {
            "comment": {**comment, "next": "thanks", "otherwise": "end"},
            **{name: SURVEY["node"][name] for name in ("thanks", "end")},
        },
    }
    both["queue"] = [{**both["queue"][0], "voicemail": {"number": "7001"}}]
    async with running_center(**both) as it:
        alice = await it.agent("alice", AnswerAfter(0.1))
        caller = await it.call("+12025550143", tone=None)
        at_alice = await alice.incoming()
        await it.fact(f.ContactConnected)
        await at_alice.hang_up()
        await caller.hears(SATISFIED)
        await caller.hears(PROMPT_TONES["voicemail-greeting"], for_s=0.2)
        await caller.hears(BEEP_TONES, for_s=0.2)
        await caller.say(samples_of(WORDS, 3 * RATE))
        await caller.send_digit("#")
        await caller.hears(PROMPT_TONES["voicemail-review"], for_s=0.2)
        await caller.send_digit("1")
        await caller.hears(THANKS)
        await caller.ended()
        (answered,) = it.all(f.SurveyAnswered)
        (left,) = it.all(f.MessageLeft)
        assert (answered.question, answered.value, answered.agent) == ("comment", left.message, "alice")
        assert holds(it.pbx.node.recordings / f"voicemail-{left.message}.wav", WORDS)
