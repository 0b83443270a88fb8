"""Documents to TOML and back, and which tables are documents."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.apps.document_files import FilesError, as_text, in_order, read_documents, write_folder, write_into
from callcenter.domain.config import CallingConfig
from callcenter.domain.documents import Documents, digest, plain
from callcenter.runtime.document_kinds import KINDS, SplitError, join, place_of, split
from callcenter.runtime.settings import Settings, parse

ROOT = Path(__file__).parents[2]
SAMPLES = [ROOT / "callcenter.toml", *sorted((ROOT / "samples").rglob("*.toml"))]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
VALUE = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)


@st.composite
def sets(draw: st.DrawFn) -> Documents:
    """Documents of all kinds, whether they make sense or not."""
    found = {}
    for table in draw(st.lists(st.sampled_from(list(KINDS)), max_size=6, unique=True)):
        kind = KINDS[table]
        for name in [""] if kind.one else draw(st.lists(NAMES, min_size=1, max_size=3, unique=True)):
            body = draw(st.dictionaries(TEXT.filter(lambda key: key not in ("name", "did", "id", "language")), VALUE, max_size=4))
            found[table if kind.one else f"{table}/{name}"] = {**({kind.named_by: name} if kind.named_by else {}), **body}
    return {key: plain(body) for key, body in found.items()}  # type: ignore[misc]  # a table stays one


@given(sets())
def test_what_is_exported_is_read_back_as_it_was(documents: Documents) -> None:
    site, back = split(tomllib.loads(as_text(documents)))
    assert (site, back, digest(back)) == ({}, in_order(documents), digest(documents))


@pytest.mark.parametrize("file", SAMPLES, ids=str)
def test_the_samples_of_the_repository_survive_the_round_trip(file: Path, tmp_path: Path) -> None:
    documents, _ = read_documents([file])
    written = write_folder(tmp_path / "center", documents)
    assert all(path.exists() for path in written)
    back, none = read_documents([tmp_path / "center"])
    assert (back, none) == (in_order(documents), ())
    raw = tomllib.loads(file.read_text())
    configs = [replace(parse(each, file).center_config(_phones(raw)), calling=CallingConfig()) for each in (join(raw, back), raw)]
    assert configs[0] == configs[1]


def _phones(raw: dict[str, object]) -> dict[str, str]:
    agents = raw.get("agent", [])
    return {agent["name"]: agent["name"] for agent in agents if isinstance(agent, dict)} if isinstance(agents, list) else {}


def test_every_document_is_a_table_of_the_settings() -> None:
    tables = {field.alias or name for name, field in Settings.model_fields.items()}
    assert set(KINDS) <= tables
    secret_or_of_the_machine = {"paths", "database", "node", "engine", "web", "mail", "trunk", "tts", "speech", "dip", "connection"}
    assert not secret_or_of_the_machine & set(KINDS)


def test_dates_of_toml_are_kept_as_texts() -> None:
    _, documents = split(tomllib.loads("[[agent]]\nname = 'a'\nskills_until = { spanish = 2027-12-31 }\nat = 18:00:00\n"))
    assert documents["agent/a"] == {"name": "a", "skills_until": {"spanish": "2027-12-31"}, "at": "18:00:00"}


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[[queue]]\nname = 'a'\n[[queue]]\nname = 'a'\n", "queue/a is there twice"),
        ("[[queue]]\nring_timeout_s = 1\n", "a queue has no name"),
        ("queue = 3\n", "queue is no list of tables"),
        ("center = 3\n", "center is no table"),
        ("[recording]\nkeep_days = nan\n", "recording: nan is no number that can be kept"),
    ],
)
def test_what_is_no_document_is_said(toml: str, said: str) -> None:
    with pytest.raises(SplitError, match=said):
        split(tomllib.loads(toml))


def test_a_fault_is_laid_at_the_door_of_its_document() -> None:
    raw: dict[str, object] = {"queue": [{"name": "a"}, {"name": "b"}], "flow": {"main": {}}, "center": {}}
    assert place_of(raw, "queue[1].keys.3") == ("queue/b", "keys.3")
    assert place_of(raw, "queue[1]") == ("queue/b", "")
    assert place_of(raw, "flow.main.node.ask.next") == ("flow/main", "node.ask.next")
    assert place_of(raw, "center.time_zone") == ("center", "time_zone")
    assert place_of(raw, "node[0].sip_port") == ("", "node[0].sip_port")


def test_the_same_document_in_two_files_is_refused(tmp_path: Path) -> None:
    for name in ("one.toml", "two.toml"):
        (tmp_path / name).write_text("[[queue]]\nname = 'a'\n")
    with pytest.raises(FilesError, match=r"two\.toml: queue/a is in .*one\.toml, too"):
        read_documents([tmp_path])
    with pytest.raises(FilesError, match="there is no file"):
        read_documents([tmp_path / "nowhere.d" if (tmp_path / "nowhere.d").mkdir() is None else tmp_path])


def test_kinds_that_have_no_document_any_more_leave_the_folder(tmp_path: Path) -> None:
    write_folder(tmp_path, {"queue/a": {"name": "a"}, "agent/b": {"name": "b"}})
    write_folder(tmp_path, {"queue/a": {"name": "a"}})
    assert [path.name for path in tmp_path.iterdir()] == ["queue.toml"]


def test_into_a_file_the_site_settings_stay(tmp_path: Path) -> None:
    file = tmp_path / "callcenter.toml"
    file.write_text("# mine\n[center]\ntime_zone = 'UTC'\n[web]\nport = 8088\n[[queue]]\nname = 'old'\n")
    former = write_into(file, {"center": {"time_zone": "UTC"}, "queue/new": {"name": "new"}})
    assert tomllib.loads(file.read_text()) == {"web": {"port": 8088}, "center": {"time_zone": "UTC"}, "queue": [{"name": "new"}]}
    assert former.read_text().startswith("# mine\n")
