"""``[dip.NAME]``: what can be asked, and what is refused with its reason and place."""

from datetime import timedelta
from pathlib import Path

import pytest

from callcenter.domain.dips.reading import Kind, Wanted
from callcenter.domain.dips.source import HttpSource, SqlSource
from callcenter.runtime.settings import Settings, SettingsError, parse_text
from callcenter.runtime.settings_dips import SecretError, SecretSection, secret, sources

GOOD = """
[center]
name = "Test"
country = "US"
time_zone = "UTC"

[dip.balance]
url = "https://billing.example.com/accounts/{account}?full=1"
method = "POST"
headers = { Authorization = "Bearer {secret:key}" }
body = { pin = "{pin}", options = { fresh = true } }
secrets.key = { file = "billing.key" }
found_if = "account"
cached_for_s = 600
defaults = { tier = "standard" }
[dip.balance.attributes]
tier = "account.tier"
balance = { path = "account.balances[0].amount", type = "number" }
[dip.balance.breaker]
failures = 3

[connection.crm]
url = { environment = "CRM_URL" }

[dip.customer]
kind = "sql"
connection = "crm"
statement = "select tier as customer_tier from customers where number = {caller}"
attributes = { customer_tier = "customer_tier" }
budget_s = 1.5
"""


def settings(folder: Path, text: str = GOOD) -> Settings:
    (folder / "billing.key").write_text("k3y\n")
    return parse_text(text, folder / "callcenter.toml")


def test_sources_as_the_process_reads_them(tmp_path: Path) -> None:
    found = sources(settings(tmp_path))
    balance, customer = found["balance"], found["customer"]
    assert isinstance(balance, HttpSource)
    assert isinstance(customer, SqlSource)
    assert balance.names() == ("account", "pin")
    assert balance.rules.attributes["balance"] == Wanted(("account", "balances", 0, "amount"), Kind.NUMBER)
    assert (balance.rules.budget, balance.rules.cached_for, balance.rules.breaker.failures) == (
        timedelta(seconds=3),
        timedelta(minutes=10),
        3,
    )
    assert customer.names() == ("caller",)
    assert customer.rules.budget == timedelta(seconds=1.5)


def test_secrets_come_from_files_and_the_environment_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = settings(tmp_path)
    assert secret(read, read.dips["balance"].secrets["key"]) == "k3y"
    with pytest.raises(SecretError, match="environment variable CRM_URL is empty"):
        secret(read, read.connections["crm"].url)
    monkeypatch.setenv("CRM_URL", "postgresql://a:b@c/d")
    assert secret(read, read.connections["crm"].url) == "postgresql://a:b@c/d"
    (tmp_path / "billing.key").write_text("k3y\r\nHost: evil")
    with pytest.raises(SecretError, match="not one line") as error:
        secret(read, SecretSection(file=Path("billing.key")))
    assert "k3y" not in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('url = "https://billing', 'url = "https://{account}.billing', "dip.balance.url: has a value in its host"),
        (
            'url = "https://billing.example.com/',
            'url = "http://127.0.0.1/',
            "dip.balance.url: host '127.0.0.1' is an address of this machine",
        ),
        ('url = "https://billing.example.com/', 'url = "http://2130706433/', "dip.balance.url: host '2130706433' is an address"),
        ('url = "https://billing.example.com/', 'url = "http://0x7f.1/', "dip.balance.url: host '0x7f.1' is an address"),
        (
            'url = "https://billing.example.com/',
            'url = "http://[::ffff:10.0.0.1]/',
            "dip.balance.url: host '::ffff:10.0.0.1' is an address",
        ),
        ('url = "https://billing.example.com/', 'url = "http://localhost/', "dip.balance.url: host 'localhost' is an address"),
        ('url = "https://billing.example.com/', 'url = "gopher://billing.example.com/', "dip.balance.url: must begin with https://"),
        ('"Bearer {secret:key}"', '"Bearer {account}"', "dip.balance.headers.Authorization: {account} may not stand in a header"),
        ('"Bearer {secret:key}"', '"Bearer {secret:other}"', "dip.balance.secrets: has no 'other', which {secret:other} wants"),
        ('"Bearer {secret:key}"', '"a\\r\\nb"', "dip.balance.headers.Authorization: must be 1 to 200 characters on one line"),
        ('method = "POST"', 'method = "GET"', 'dip.balance.body: needs method = "POST"'),
        ('method = "POST"', 'method = "DELETE"', "dip.balance.method: must be one of"),
        ("fresh = true", "fresh = 2026-11-22", "dip.balance.body: holds datetime.date(2026, 11, 22), which JSON has no form for"),
        ('pin = "{pin}"', 'pin = "{pin"', "dip.balance.body: '{pin' has a brace that belongs to no value"),
        ('"billing.key"', '"nowhere.key"', "dip.balance.secrets.key.file: names 'nowhere.key', which is not a file"),
        ('{ file = "billing.key" }', "{ }", "dip.balance.secrets.key: needs file or environment, one of both"),
        ('tier = "account.tier"', 'tier = "account..tier"', "dip.balance.attributes.tier.path: must be a path"),
        ('tier = "account.tier"', 'caller = "account.tier"', "dip.balance.attributes.caller: is an attribute that every call has"),
        ('type = "number"', 'type = "money"', "dip.balance.attributes.balance.type"),
        ('{ tier = "standard" }', '{ other = "x" }', "dip.balance.defaults.other: is none of the attributes of this dip: balance, tier"),
        ("found_if", "not_found_status = [200]\nfound_if", "dip.balance.not_found_status: and found_status have a status in common"),
        ("failures = 3", "failures = 0", "dip.balance.breaker.failures: must be greater than or equal to 1"),
        ("budget_s = 1.5", "budget_s = 31", "dip.customer.budget_s: must be 30 at most"),
        ('connection = "crm"', 'connection = "erp"', "dip.customer.connection: names 'erp', which does not exist; connections: crm"),
        ("= {caller}", "= '{caller}'", "dip.customer.statement: has a value within quotes"),
        ("select tier as", "delete from x returning tier as", "dip.customer.statement: must be one SELECT"),
        ('kind = "sql"', 'kind = "sql"\nurl = "https://crm.example.com/"', "dip.customer.kind: 'sql' takes no url"),
        ('kind = "sql"\n', "", "dip.customer.kind: 'http' takes no connection"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(SettingsError) as error:
        settings(tmp_path, GOOD.replace(old, new, 1))
    assert says in str(error.value)


def test_a_source_inside_is_allowed_where_it_says_so(tmp_path: Path) -> None:
    text = GOOD.replace('url = "https://billing.example.com/', 'allow_private = true\nurl = "http://127.0.0.1:8080/')
    assert settings(tmp_path, text).dips["balance"].allow_private


DIPPING = """
[flow.balance]
start = "look"
[flow.balance.node.look]
type = "dip"
source = "customer"
parameters = { caller = "{caller}" }
filler = "please-wait"
next = "tell"
otherwise = "end"
failed = "end"
[flow.balance.node.tell]
type = "prompt"
prompt = ["goodbye", "{digits:customer_tier}"]
next = "end"
[flow.balance.node.end]
type = "hang_up"
"""


def test_a_flow_asks_a_source_and_says_what_it_answers(tmp_path: Path) -> None:
    assert settings(tmp_path, GOOD + DIPPING).flows["balance"].program("balance").nodes["look"].source == "customer"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('source = "customer"', 'source = "crm"', "names source 'crm', which does not exist; sources: balance, customer"),
        ('{ caller = "{caller}" }', "{ }", "flow.balance.node.look.parameters: lacks 'caller', which source 'customer' is asked with"),
        (
            '"{caller}" }',
            '"{caller}", x = "1" }',
            "flow.balance.node.look.parameters.x: is nothing that source 'customer' is asked with: caller",
        ),
        ('"{caller}" }', '"{callr}" }', "asks with attribute 'callr', which nothing sets"),
        ("customer_tier}", "tiers}", "reads attribute 'tiers', which nothing sets"),
        ('failed = "end"', "", "flow.balance.node.look.failed: is missing"),
        ('filler = "please-wait"', "budget_s = 31", "flow.balance.node.look.budget_s"),
    ],
)
def test_a_dip_node_that_cannot_be_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in DIPPING
    with pytest.raises(SettingsError) as error:
        settings(tmp_path, GOOD + DIPPING.replace(old, new, 1))
    assert says in str(error.value)


def test_flows_for_payments_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"payments.flows: names flow 'pay', which does not exist"):
        settings(tmp_path, GOOD + '[payments]\nflows = ["pay"]\n')
