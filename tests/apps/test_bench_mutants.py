"""The planted bugs still fit the code, cover every invariant, and one of them is found."""

import shutil
from pathlib import Path

import pytest

from callcenter.apps.bench import mutants
from callcenter.apps.bench.mutants import MutantError

ALL = mutants.all_mutants()


@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: mutant.name)
def test_a_planted_bug_fits_the_code(mutant: mutants.Mutant, tmp_path: Path) -> None:
    """If not, the message says how to refresh it."""
    for name, _, _ in mutant.changes:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(mutants.REPOSITORY / name, tmp_path / name)
    mutants.plant(mutant, tmp_path)
    for name, _, _ in mutant.changes:
        compile((tmp_path / name).read_text(), name, "exec")


def test_there_are_enough_for_every_invariant() -> None:
    assert len(ALL) >= 20
    assert {mutant.invariant for mutant in ALL} >= {f"A{n}" for n in range(1, 10)}


def test_code_that_has_moved_on_is_said_to_have(tmp_path: Path) -> None:
    name = ALL[0].changes[0][0]
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text("print('something else')\n")
    with pytest.raises(MutantError, match=r"does not fit .* any more: the code around it has changed; make the change"):
        mutants.plant(ALL[0], tmp_path)


def test_a_planted_bug_is_found() -> None:
    mutant = next(mutant for mutant in ALL if mutant.name == "a6-nobody-is-routed-after-wrap-up")
    hunted = mutants.hunt(mutant, seeds=6, steps=500)
    assert hunted.found_by
    assert "A6" in hunted.what


def test_searches_that_find_something_in_a_healthy_copy_are_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the bug has been there before anything was planted."""
    mutant = next(mutant for mutant in ALL if mutant.name == "a6-nobody-is-routed-after-wrap-up")
    for name in mutants.NEEDED:
        source = mutants.REPOSITORY / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    for name in mutants.READ:
        (tmp_path / name).symlink_to(mutants.REPOSITORY / name)
    mutants.plant(mutant, tmp_path)
    monkeypatch.setattr(mutants, "REPOSITORY", tmp_path)
    with pytest.raises(MutantError, match=r"without any planted bug, .* finds something already"):
        mutants.check_healthy(seeds=6, steps=100)
