"""The language a caller has chosen goes with the call: flows, announcements, voicemail, and the callback that was promised."""

from dataclasses import replace
from datetime import timedelta

from callcenter.domain import facts as f
from callcenter.domain.config import AnnounceConfig, CallbackConfig, CallingConfig, CenterConfig, PositionTold, QueueConfig
from callcenter.domain.ivr.flow import CollectNode, Flow, LanguageNode, PromptNode, QueueNode
from callcenter.domain.ivr.speech import LANGUAGES, Languages, SpeakAs, Spoken
from callcenter.domain.ivr.validation import Known, faults
from callcenter.domain.mailbox_config import MailboxConfig
from callcenter.domain.overflow_rules import Overflow, OverflowTo
from callcenter.sim.fake_pbx import Mood, Phone
from callcenter.sim.world import World, small_center

DID = "+18005550200"
MAIN = Flow(
    "main",
    "choose",
    {
        "choose": LanguageNode("choose", {"1": "en", "2": "es"}, "ask", "ask"),
        "ask": CollectNode("enter-code", "code", "repeat", "queue"),
        "repeat": PromptNode(("you-entered", Spoken(SpeakAs.NUMBER, "code")), "queue"),
        "queue": QueueNode("support"),
    },
)
BOTH = Languages("en", {"en": LANGUAGES["en"], "es": LANGUAGES["es"]})
ANNOUNCE = AnnounceConfig(position=PositionTold.YES, comfort=("comfort",), comfort_every=timedelta(seconds=60))


def config(flow: Flow = MAIN, languages: Languages = BOTH) -> CenterConfig:
    callback = CallbackConfig(agent_first=False, flow="")
    keys = {"0": Overflow(OverflowTo.VOICEMAIL, "queue:support")}
    made = small_center([QueueConfig("support", announce=ANNOUNCE, callback=callback, keys=keys)], ["alice"], [flow])
    mailbox = MailboxConfig("queue:support")
    return replace(made, languages=languages, calling=CallingConfig("carrier"), mailboxes={mailbox.name: mailbox})


class Story:
    def __init__(self, *keys: str, center: CenterConfig | None = None) -> None:
        self.world = World(center or config())
        self.leg = self.world.pbx.call_in(DID)
        self.world.run_for(1)
        self.presses(*keys)

    def presses(self, *keys: str, then: float = 1) -> None:
        for key in keys:
            self.world.pbx.party_presses(self.leg, key)
            self.world.run_for(then)

    @property
    def heard(self) -> list[str]:
        return [sound for sound in self.world.pbx.channels[self.leg].heard if not sound.startswith("music:")]


def test_flows_and_announcements_are_in_the_chosen_language() -> None:
    story = Story("2", "2", "1", "#")
    story.world.run_for(70)
    assert story.heard == ["choose", "es/enter-code", "es/you-entered", "es/es-21", "es/you-are-next", "es/comfort"]


def test_who_chose_the_center_s_own_or_nothing_hears_the_center_s_own() -> None:
    chosen, silent = Story("1", "2", "1", "#"), Story()
    for story in (chosen, silent):
        story.world.run_for(90)
        assert not [sound for sound in story.heard if sound.startswith("es/")]
    assert chosen.heard[2:5] == ["you-entered", "en-20", "en-1"]


def test_a_place_in_line_is_said_by_the_rules_of_the_chosen_language() -> None:
    world = World(config())
    legs = [world.pbx.call_in(DID, f"+1202555010{n}") for n in range(2)]
    for leg in legs:
        world.run_for(1)
        for key in ("2", "7", "#"):
            world.pbx.party_presses(leg, key)
            world.run_for(1)
    world.run_for(40)
    heard = world.pbx.channels[legs[1]].heard
    at = heard.index("es/your-position-is")
    assert heard[at : at + 2] == ["es/your-position-is", "es/es-2"]


def test_voicemail_is_in_the_chosen_language_and_what_callers_recorded_is_of_none() -> None:
    story = Story("2", "7", "#")
    story.world.run_for(10)
    story.presses("0")
    story.world.run_for(20)
    story.presses("#", then=5)
    assert "es/voicemail-greeting" in story.heard
    assert "es/voicemail-review" in story.heard
    story.presses("2", then=5)
    assert [sound for sound in story.heard if sound.startswith("recorded:")]


def test_a_caller_who_is_called_back_is_greeted_in_the_language_chosen_before() -> None:
    story = Story("2", "7", "#")
    story.world.run_for(10)
    story.presses("1")
    assert "es/callback-promised" in story.heard
    story.world.run_for(10)
    story.world.pbx.phones["phone-of-alice"] = Phone(Mood.ANSWERS, lambda: timedelta(seconds=2))
    story.world.agent_ready("alice")
    story.world.run_for(20)
    (begun,) = [fact for fact in story.world.facts if isinstance(fact, f.CallBegan) and fact.direction is f.Direction.OUTBOUND]
    assert begun.language == "es"
    assert "es/callback-greeting" in story.world.pbx.channels[begun.leg].heard


def test_a_flow_in_one_language_says_it_whatever_was_chosen_before() -> None:
    spanish = replace(MAIN, languages=("es",), start="ask", nodes={name: node for name, node in MAIN.nodes.items() if name != "choose"})
    story = Story("7", "#", center=config(spanish))
    assert story.heard[:3] == ["es/enter-code", "es/you-entered", "es/es-7"]


def test_what_cannot_be_said_in_a_language_of_the_flow_is_a_fault() -> None:
    prompts = {"choose": ("en",), "enter-code": ("en", "es"), "you-entered": ("en", "es")}
    speaks = {"en": LANGUAGES["en"], "es": None}
    flow = replace(MAIN, nodes={**MAIN.nodes, "choose": LanguageNode("choose", {"1": "en", "2": "es", "3": "fr"}, "ask", "ask")})
    found = list(map(str, faults(flow, Known({"queue": ("support",)}, prompts=prompts, speaks=speaks))))
    assert found == [
        "node 'choose', choices.3: offers language 'fr', which is none of the center's; languages: en, es",
        "node 'choose', prompt: says prompt 'choose', which is missing in language 'es'; it is there in: en; give it a text or a "
        "recording, or say language.es.fallback",
        "node 'repeat', prompt: says a value, but nobody knows how values are said in 'es' (docs/prompts.md); give it rules or a fallback",
    ]
    english = replace(flow, languages=("en", "de"))
    assert "the flow, languages: names 'de', which is none of center.languages: en, es" in map(
        str, faults(english, Known({"queue": ("support",)}, speaks=speaks))
    )


def test_money_without_words_for_its_currency_is_a_fault() -> None:
    flow = replace(MAIN, nodes={**MAIN.nodes, "repeat": PromptNode(("you-entered", Spoken(SpeakAs.MONEY, "code", "CHF")), "queue")})
    prompts = dict.fromkeys(("choose", "enter-code", "you-entered"), ("en", "es"))
    known = Known({"queue": ("support",)}, prompts=prompts, speaks=BOTH.spoken)
    assert [str(fault).partition(";")[0] for fault in faults(flow, known)] == [
        f"node 'repeat', prompt: says money in CHF, which has no words in '{language}'" for language in ("en", "es")
    ]
