"""``callcenter prompt``: recordings are added, listed, tried and taken away."""

import json
import wave
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callcenter.apps.cli import app
from tests.support.audio import wav

runner = CliRunner()
TOML = """
[center]
time_zone = "America/New_York"
languages = ["en", "es"]
[paths]
data = "{data}"
[[prompt]]
id = "hours"
text = "We are open from nine to five."
[[prompt]]
id = "hours"
language = "es"
source = "tone:440:0.5"
[flow.main]
start = "say"
node.say = {{ type = "prompt", prompt = ["hours", "{{number:age}}", "{extra}"], next = "end" }}
node.end = {{ type = "hang_up" }}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "callcenter.toml"
    file.write_text(TOML.format(data=tmp_path / "data", extra="welcome").replace('"{number:age}", ', ""))
    monkeypatch.setenv("CALLCENTER_CONFIG", str(file))
    return file


def said(*words: str, code: int = 0) -> str:
    result = runner.invoke(app, ["prompt", *words])
    assert result.exit_code == code, result.output
    return result.output


def listed(language: str) -> dict[str, dict[str, str]]:
    rows = json.loads(said("list", "--language", language, "--json"))["prompts"]
    return {row["prompt"]: row for row in rows}


@pytest.mark.usefixtures("file")
def test_a_recording_takes_the_place_of_what_is_spoken_until_it_is_taken_away(tmp_path: Path) -> None:
    recording = tmp_path / "hours.wav"
    recording.write_bytes(wav(440, seconds=1.0))
    assert listed("en")["hours"] | {"text": ""} == {"prompt": "hours", "language": "en", "from": "spoken", "voice": "espeak-ng", "text": ""}
    assert said("add", "hours", str(recording)) == "hours: 1.0 seconds in 'en' kept; callers hear it when the center runs\n"
    assert (listed("en")["hours"]["from"], listed("es")["hours"]["from"]) == ("added", "tones")
    kept = tmp_path / "data" / "prompts" / "recorded" / "en" / "hours.wav"
    with wave.open(str(kept)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (16_000, 1, 16_000)
    assert said("remove", "hours") == "hours: the recording in 'en' is gone; callers hear it when the center runs\n"
    assert listed("en")["hours"]["from"] == "spoken"


@pytest.mark.usefixtures("file")
def test_what_is_no_recording_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "song.mp3").write_bytes(b"ID3" + bytes(1000))
    refused = said("add", "hours", str(tmp_path / "song.mp3"), code=1)  # for want of a decoder, or by it
    assert "song.mp3 is" in refused
    assert "MP3" in refused
    assert "save it as WAV" in refused
    assert not (tmp_path / "data" / "prompts" / "recorded" / "en" / "hours.wav").exists()
    (tmp_path / "hours.wav").write_bytes(wav(440))
    assert "a prompt's id must be 1 to 60 characters" in said("add", "../hours", str(tmp_path / "hours.wav"), code=1)
    assert "--language 'fr' is none of center.languages: en, es" in said("add", "hours", str(tmp_path / "hours.wav"), "-l", "fr", code=2)
    assert "there is no added recording of prompt 'hours' in 'en'" in said("remove", "hours", code=1)


def test_a_recording_that_a_flow_needs_is_not_taken_away(file: Path, tmp_path: Path) -> None:
    (tmp_path / "own.wav").write_bytes(wav(440))
    for language in ("en", "es"):
        assert "no flow or queue says 'own' yet" in said("add", "own", str(tmp_path / "own.wav"), "-l", language) or language == "es"
    file.write_text(file.read_text().replace('"welcome"', '"own"'))
    assert "the recording is needed" in said("remove", "own", "-l", "es", code=1)
    assert listed("es")["own"]["from"] == "added"


@pytest.mark.usefixtures("file")
def test_what_a_caller_would_hear_is_shown_and_written(tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    heard = said(
        "say", "your-position-is", "{position:it}", "{money:due:USD}", "-l", "es", "--set", "it=21", "--set", "due=1.50", "--out", str(out)
    )
    assert heard.splitlines()[0] == "Su lugar en la fila es el número veintiuno un dólar con cincuenta centavos"
    with wave.open(str(out)) as file:
        assert file.getframerate() == 16_000
        assert 3 < file.getnframes() / 16_000 < 12
    assert "'{number:x}' needs --set x=VALUE" in said("say", "{number:x}", code=2)
    assert "'nonsense' is no prompt in 'en'" in said("say", "nonsense", code=2)
