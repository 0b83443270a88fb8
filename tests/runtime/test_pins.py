"""PINs are kept as hashes, in a file that nobody else can read."""

from pathlib import Path

import pytest

from callcenter.runtime.pins import PinError, Pins


def test_a_pin_is_kept_as_a_hash_and_checked(tmp_path: Path) -> None:
    pins = Pins(tmp_path / "data")
    assert pins.check("calendar:main", "8024") is None
    pins.set("calendar:main", "8024")
    pins.set("calendar:other", "5170")
    assert Pins(tmp_path / "data").check("calendar:main", "8024") is True
    assert pins.check("calendar:main", "5170") is False
    file = tmp_path / "data" / "pins.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "8024" not in file.read_text()
    assert "$argon2id$" in file.read_text()
    pins.remove("calendar:main")
    assert pins.holders() == {"calendar:other"}


@pytest.mark.parametrize("pin", ["", "123", "1234567890123", "12a4", "١٢٣٤", "0000", "1234", "4321", "7890"])
def test_weak_ones_are_refused(pin: str, tmp_path: Path) -> None:
    with pytest.raises(PinError, match=r"^the PIN must "):
        Pins(tmp_path).set("calendar:main", pin)


@pytest.mark.parametrize("content", ["", "[]", '{"calendar:main": 1}', '{"calendar:main": "8024"}', "\x00"])
def test_a_broken_file_opens_nothing(content: str, tmp_path: Path) -> None:
    (tmp_path / "pins.json").write_text(content)
    with pytest.raises(PinError, match=r"pins\.json"):
        Pins(tmp_path).check("calendar:main", "8024")
