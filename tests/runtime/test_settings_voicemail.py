"""What callcenter.toml may say about voicemail and mail."""

import copy
import tomllib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from callcenter.domain.mailbox_config import MailboxConfig
from callcenter.domain.overflow_rules import Overflow, OverflowTo
from callcenter.runtime.settings import Settings, SettingsError, parse
from callcenter.runtime.settings_voicemail import PASSWORD_VARIABLE, mail_password

SHIPPED = tomllib.loads((Path(__file__).parents[2] / "callcenter.toml").read_text())
Change = Callable[[dict[str, Any]], object]
MAIL = {"host": "127.0.0.1", "sender": "callcenter@example.com"}


def parsed(change: Change, folder: Path = Path()) -> Settings:
    raw = copy.deepcopy(SHIPPED)
    change(raw)
    return parse(raw, folder / "callcenter.toml")


def boxes(queue: dict[str, Any], agent: dict[str, Any] | None = None, **more: object) -> Change:
    """Of the first queue, sales, and of the first agent, alice."""

    def change(raw: dict[str, Any]) -> None:
        raw["queue"][0]["voicemail"] = queue
        if agent is not None:
            raw["agent"][0]["voicemail"] = agent
        raw.update(more)

    return change


def test_mailboxes_become_what_the_core_reads() -> None:
    def change(raw: dict[str, Any]) -> None:
        boxes({"number": "7001", "longest_s": 60, "silence_s": 4, "shortest_s": 1, "most": 9, "keep_days": 7}, {"lamp": False})(raw)
        raw["queue"][0].update(keys={"0": "voicemail", "9": "voicemail:agent:alice"}, overflow=[{"waited_s": 60, "to": "voicemail"}])
        raw["agent"][0].update(find_me_then="voicemail")

    settings = parsed(change)
    config = settings.center_config({agent.name: agent.name for agent in settings.agents})
    longest, silence, shortest = (timedelta(seconds=seconds) for seconds in (60, 4, 1))
    greeting, shown_by = "voicemail-greeting", ("alice", "carol")
    sales = MailboxConfig("queue:sales", "7001", greeting, longest, silence, shortest, 9, timedelta(days=7), shown_by)
    assert config.mailboxes == {"queue:sales": sales, "agent:alice": MailboxConfig("agent:alice")}
    own = Overflow(OverflowTo.VOICEMAIL, "queue:sales")
    assert config.queues["sales"].keys == {"0": own, "9": Overflow(OverflowTo.VOICEMAIL, "agent:alice")}
    assert config.queues["sales"].overflows[0].action == own
    assert config.agents["alice"].then_voicemail


FAULTS: list[tuple[Change, str]] = [
    (boxes({"number": "7001"}, {"number": "7001"}), "agent[0].voicemail.number: '7001' is taken by queue[0].voicemail"),
    (boxes({"number": "0x1"}), "queue[0].voicemail.number: must be 2 to 8 digits"),
    (boxes({"greeting": "nothing"}), "queue[0].voicemail.greeting: names prompt 'nothing', which does not exist"),
    (boxes({"longest_s": 1801}), "queue[0].voicemail.longest_s: must be at most 1800"),
    (boxes({"longest_s": 2, "shortest_s": 2}), "queue[0].voicemail.shortest_s: must be less than longest_s"),
    (boxes({"keep_days": 0}), "queue[0].voicemail.keep_days: must be greater than or equal to 1, but is 0"),
    (boxes({"email": ["a@example.com"]}), "queue[0].voicemail.email: needs a server to send through"),
    (
        boxes({"email": ["a@example.com\r\nBcc: b@example.com"]}, mail=MAIL),
        "queue[0].voicemail.email[0]: must be an e-mail address such as 'support@example.com', but is 'a@example.com\\r\\nBcc: b@exa",
    ),
    (boxes({"voice": 1}), "queue[0].voicemail.voice: "),
    (lambda raw: raw.update(mail=MAIL | {"security": "ssl"}), "mail.security: must be one of 'none', 'starttls' or 'tls', but is 'ssl'"),
    (lambda raw: raw.update(mail=MAIL | {"user": "me"}), "mail.user: needs a password"),
    (lambda raw: raw.update(mail=MAIL | {"user": "me", "password_file": "none"}), "mail.password_file: names 'none', which is not a file"),
    (lambda raw: raw["queue"][0].update(keys={"0": "voicemail"}), "queue[0].keys.0: names mailbox 'queue:sales', which does not exist"),
    (lambda raw: raw["agent"][0].update(find_me_then="voicemail"), "agent[0].find_me_then: is 'voicemail', but she has no mailbox"),
]


@pytest.mark.parametrize(("change", "sentence"), FAULTS, ids=[sentence for _, sentence in FAULTS])
def test_a_fault_is_one_sentence_with_its_place(change: Change, sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parsed(change)
    (problem,) = refused.value.problems
    assert problem.removeprefix("callcenter.toml: ").startswith(sentence)


def test_the_password_is_in_a_file_or_in_the_environment_and_never_sent_in_the_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    mail = MAIL | {"user": "me", "password_file": "secret"}
    settings = parsed(lambda raw: raw.update(mail=mail), tmp_path)
    assert mail_password(settings) == "from the file"
    monkeypatch.setenv(PASSWORD_VARIABLE, "from the environment")
    assert mail_password(settings) == "from the environment"
    with pytest.raises(SettingsError, match="the password would cross the network in the open"):
        parsed(lambda raw: raw.update(mail=mail | {"host": "mail.example.com", "security": "none"}), tmp_path)
