"""compose.yaml: valid by the compose specification, and the center we mean."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parent.parent
OURS = ("render", "engine", "books", "dips", "recogniser", "webhooks", "web")


def compose() -> dict[str, Any]:
    read = yaml.safe_load((ROOT / "compose.yaml").read_text())
    assert isinstance(read, dict)
    return read


@pytest.fixture
def services() -> Mapping[str, Any]:
    found = compose()["services"]
    assert isinstance(found, dict)
    return found


def test_it_fits_the_compose_specification() -> None:
    schema = json.loads((files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json").read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(compose())] == []
    assert [*validator.iter_errors({"services": {"engine": {"imaeg": "callcenter"}}})], "the schema must notice a typo"


def test_the_same_processes_as_serve(services: Mapping[str, Any]) -> None:
    assert set(services) == {"asterisk", "postgres", *OURS}
    for name in OURS:
        assert services[name]["command"] == [name]


def test_everything_belongs_to_the_profile_and_checks_its_health(services: Mapping[str, Any]) -> None:
    for name, service in services.items():
        assert service["profiles"] == ["single"]
        assert "healthcheck" in service or name == "render"


def test_no_port_is_published_and_no_more_rights_than_needed(services: Mapping[str, Any]) -> None:
    for name, service in services.items():
        assert service["network_mode"] == "host"
        assert "ports" not in service
        assert "privileged" not in service
        if name != "postgres":  # its entry point changes the owner of its folder
            assert service["cap_drop"] == ["ALL"]


def test_calls_do_not_wait_for_the_database(services: Mapping[str, Any]) -> None:
    assert all("postgres" not in service.get("depends_on", {}) for service in services.values())


def test_no_password_is_written_down(services: Mapping[str, Any]) -> None:
    assert services["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")
    for name in OURS:
        assert "//callcenter:${POSTGRES_PASSWORD:?" in services[name]["environment"]["CALLCENTER_DATABASE_URL"]


@pytest.mark.parametrize("name", ["asterisk", "callcenter"])
def test_images_run_unprivileged_on_the_same_packages(name: str) -> None:
    from callcenter.runtime.asterisk_root import PACKAGES, SUITE

    text = (ROOT / "docker" / f"{name}.Dockerfile").read_text()
    assert f"FROM debian:{SUITE}-slim" in text
    assert [package for package in PACKAGES if not re.search(rf"\s{package}\s", text)] == []
    assert re.search(r"^USER callcenter$", text, re.MULTILINE)


def test_what_the_images_copy_is_there() -> None:
    for line in (ROOT / "docker" / "callcenter.Dockerfile").read_text().splitlines():
        if line.startswith("COPY "):
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source


def has_compose() -> bool:
    docker = shutil.which("docker")
    return docker is not None and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not has_compose(), reason="docker compose is not installed")
def test_docker_compose_accepts_it() -> None:
    ran = subprocess.run(
        ["docker", "compose", "--profile", "single", "config", "--quiet"],
        cwd=ROOT,
        env={**os.environ, "POSTGRES_PASSWORD": "only-for-this-check"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
