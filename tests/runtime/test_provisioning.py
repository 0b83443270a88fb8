"""Files that set up phones: each make gets its account, nothing of another's, and well-formed."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from callcenter.runtime.provisioning import MODELS, ProvisioningError, file_name, provision
from callcenter.runtime.secrets import load_secrets, rotate_phone
from callcenter.runtime.settings import Settings, SettingsError, parse
from tests.support.asterisk import raw_settings


def settings(folder: Path, **desk_phone: object) -> Settings:
    raw = raw_settings(folder)
    raw["node"][0]["sip_tls_port"] = 5061
    raw["agent"] = [{"name": name, "queues": ["support"], "extension": f"200{n}"} for n, name in enumerate(("alice", "bob"), 1)]
    raw["queue"][0]["extension"] = "3001"
    return parse(raw | {"desk_phone": desk_phone})


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("secure", [False, True])
def test_each_make_gets_the_account_of_its_agent_and_nobody_elses(tmp_path: Path, model: str, secure: bool) -> None:
    known = settings(tmp_path, **({"transport": "tls", "srtp": True} if secure else {}))
    phones = load_secrets(tmp_path, ["alice", "bob"]).phones
    made = provision(known, known.agents[0], phones["alice"], model)
    assert phones["alice"].endpoint in made
    assert phones["alice"].password in made
    assert phones["bob"].endpoint not in made
    assert phones["bob"].password not in made
    assert str(5061 if secure else known.nodes[0].sip_port) in made
    if model != "yealink":
        ElementTree.fromstring(made.encode())
    if model in ("yealink", "snom"):  # these have keys with lamps
        assert "2002" in made
        assert "3001" in made


def test_a_file_is_called_what_the_phone_asks_for() -> None:
    assert file_name("yealink", "alice", "00:15:65:AB:cd:01") == "001565abcd01.cfg"
    assert file_name("linphone", "alice", "") == "linphone-alice.xml"
    with pytest.raises(ProvisioningError, match="give --mac"):
        file_name("grandstream", "alice", "../../etc/passwd")


def test_a_make_without_a_template_and_a_center_without_an_address_are_refused(tmp_path: Path) -> None:
    known = settings(tmp_path)
    phone = load_secrets(tmp_path, ["alice"]).phones["alice"]
    with pytest.raises(ProvisioningError, match="there is no template for 'rotary'; there are: yealink"):
        provision(known, known.agents[0], phone, "rotary")
    anywhere = known.model_copy(update={"nodes": (known.nodes[0].model_copy(update={"bind": "0.0.0.0"}),)})
    with pytest.raises(ProvisioningError, match="node1 listens on every address"):
        provision(anywhere, known.agents[0], phone, "snom")


def test_a_new_account_has_neither_name_nor_password_of_the_old_one(tmp_path: Path) -> None:
    before = load_secrets(tmp_path, ["alice", "bob"]).phones
    made = rotate_phone(tmp_path, "alice")
    after = load_secrets(tmp_path, ["alice", "bob"]).phones
    assert after["alice"] == made
    assert {made.endpoint, made.password}.isdisjoint({before["alice"].endpoint, before["alice"].password})
    assert after["bob"] == before["bob"]


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ({"desk_phone": {"srtp": True}}, "desk_phone.srtp: needs desk_phone.transport"),
        ({"desk_phone": {"transport": "tls"}}, "desk_phone.transport: is tls, and a [[node]] has no sip_tls_port"),
        ({"desk_phone": {"feature_prefix": "1"}}, "desk_phone.feature_prefix"),
        ({"own_calls": {"allowed": ["+1202"]}}, "own_calls.allowed: lets agents call outside, and calling.trunk is missing"),
        ({"own_calls": {"allowed": ["0"]}}, "own_calls.allowed"),
    ],
)
def test_what_cannot_be_is_refused_with_where_it_stands(tmp_path: Path, tables: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(raw_settings(tmp_path) | tables)
    assert sentence in str(refused.value)


def test_a_number_that_is_not_ours_is_not_shown_and_a_language_nobody_speaks_is_not_spoken(tmp_path: Path) -> None:
    raw = raw_settings(tmp_path)
    raw["queue"][0]["number_shown"] = "+12025550999"
    raw["agent"][0]["language"] = "xx"
    raw["queue"][0]["dispositions"] = ["sale", "sale/by-phone"]
    with pytest.raises(SettingsError) as refused:
        parse(raw)
    said = str(refused.value)
    assert "queue[0].number_shown: '+12025550999' is none of our numbers: +18005550100" in said
    assert "agent[0].language: 'xx' is none of center.languages: en" in said
    assert "queue[0].dispositions[0]: 'sale' cannot be chosen: it is a level above others" in said
