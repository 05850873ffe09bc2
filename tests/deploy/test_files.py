"""What can be known about the files of a deployment without an engine, a cloud or a server."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from tests.deploy.context import copy_context, is_let_through, read
from tests.scripts import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
RENDER: dict[str, Any] = yaml.safe_load((ROOT / "render.yaml").read_text())
PRIVATE = (".env", ".env.production", ".git/config", "instance/app.db", "saas/.env", "saas/copy.db",
           "tests/conftest.py", "polar_emulator/app.py", "static/.env.local", ".venv/bin/python",
           "deploy/nginx.conf", "hooks/pre_prompt.py", "artifacts/log.txt", "docs/deploy.md",
           "saas/__pycache__/app.cpython-313.pyc")  # fmt: skip


@pytest.mark.parametrize("name", PRIVATE)
def test_nothing_private_gets_into_the_image(name: str) -> None:
    assert not is_let_through(PurePosixPath(name), read(ROOT / ".dockerignore"))


def test_a_checkout_full_of_private_things_builds_without_them(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for name in (*PRIVATE, "saas/app.py", "wsgi.py", "templates/a/b.html"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("x")
    shutil.copy(ROOT / ".dockerignore", project)
    context = copy_context(project, tmp_path / "context")
    found = {p.relative_to(context).as_posix() for p in context.rglob("*") if p.is_file()}
    assert found == {"saas/app.py", "wsgi.py", "templates/a/b.html"}


def test_the_image_takes_the_uv_that_is_pinned() -> None:
    pinned = re.search(r"^uv==(\S+)", (ROOT / "scripts/uv.txt").read_text(), re.MULTILINE)
    used = re.search(r"astral-sh/uv:(\S+)", (ROOT / "Dockerfile").read_text())
    assert pinned
    assert used
    assert used[1] == pinned[1]


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_has_as_little_as_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"]
    assert "healthcheck" in service or service["build"] == "."
    assert "privileged" not in service
    assert ("ports" in service) == (name == "proxy")


def test_the_order_in_which_compose_starts_things() -> None:
    for name in ("web", "worker"):
        assert SERVICES[name]["depends_on"] == {
            "db": {"condition": "service_healthy"},
            "redis": {"condition": "service_healthy"},
            "migrate": {"condition": "service_completed_successfully"},
        }
    assert set(SERVICES["migrate"]["depends_on"]) == {"db", "redis"}


def test_what_needs_no_network_has_none() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert SERVICES["db"]["networks"] == SERVICES["redis"]["networks"] == ["inside"]


def test_no_secret_is_written_in_a_file() -> None:
    for path in ("compose.yaml", "render.yaml", "Dockerfile", "Procfile"):
        text = (ROOT / path).read_text()
        given = re.findall(r"(?m)^\s*(\w*(?:SECRET|PASSWORD|TOKEN)\w*)[:=] *(?!\$\{)\S+", text)
        assert given == [], path
    for part in (*RENDER["services"], *RENDER["envVarGroups"]):
        for item in part.get("envVars", []):
            if re.search("SECRET|PASSWORD|TOKEN", item.get("key", "")):
                assert "value" not in item


def test_every_setting_named_exists() -> None:
    documented = set(re.findall(r"^### (\w+)$", (ROOT / "docs/settings.md").read_text(), re.M))
    server = {"PORT", "JOBS_URL"}
    used = set(SERVICES["web"]["environment"])
    for part in (*RENDER["services"], *RENDER["envVarGroups"]):
        used |= {item["key"] for item in part.get("envVars", []) if "key" in item}
    assert used - server <= documented


def test_no_visitor_chooses_the_number_of_a_request() -> None:
    """It gets into the log and into the records of what staff did."""
    nginx = (ROOT / "deploy/nginx.conf").read_text()
    assert "    proxy_set_header X-Request-ID $request_id;\n" in nginx
    caddy = (ROOT / "deploy/Caddyfile").read_text()
    assert "\theader_up X-Request-ID {http.request.uuid}\n" in caddy


def test_every_proxy_takes_a_whole_body_in_before_it_passes_it_on() -> None:
    nginx = (ROOT / "deploy/nginx.conf").read_text()
    assert "    client_max_body_size 1m;\n" in nginx
    assert "    proxy_request_buffering on;\n" in nginx
    for name in ("deploy/Caddyfile", "docs/deploy.md"):
        text = (ROOT / name).read_text()
        assert re.search(r"request_body \{\s+max_size 1MiB\s+\}", text), name
        assert re.search(r"reverse_proxy \S+:8000 \{[^}]*request_buffers 2MiB", text), name


def test_the_commands_are_the_same_everywhere() -> None:
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    assert lines["web"].endswith("gunicorn wsgi:app")
    assert '["gunicorn", "wsgi:app"]' in (ROOT / "Dockerfile").read_text()
    for name, words in {"release": ["db", "upgrade"], "worker": ["worker"]}.items():
        assert lines[name].split() == ["flask", "--app", "wsgi", *words]
    assert SERVICES["migrate"]["command"] == ["flask", "db", "upgrade"]
    assert SERVICES["worker"]["command"] == ["flask", "worker"]
    web, worker = RENDER["services"][:2]
    assert web["preDeployCommand"] == "flask db upgrade"
    assert worker["dockerCommand"] == "flask worker"


def test_a_buildpack_finds_one_list_of_packages() -> None:
    hidden = (ROOT / ".slugignore").read_text().splitlines()
    lists = {"uv.lock", "poetry.lock", "Pipfile", *(p.name for p in ROOT.glob("requirements*.txt"))}
    assert [n for n in sorted(lists) if (ROOT / n).exists() and n not in hidden] == ["uv.lock"]
    wanted = re.search(r'^requires-python = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.M)
    named = re.search(
        r"^    echo (\S+) > .python-version$", (ROOT / "docs/deploy.md").read_text(), re.M
    )
    assert wanted
    assert named
    assert named[1] in SpecifierSet(wanted[1])


def test_the_docs_migrate_before_a_container_serves() -> None:
    docs = (ROOT / "docs/deploy.md").read_text()
    migration, server = re.findall(r"^    docker run .* app(?: (.*))?$", docs, re.MULTILINE)
    assert (migration, server) == ("flask db upgrade", "")


def test_render_knows_what_is_referred_to() -> None:
    services = {service["name"]: service for service in RENDER["services"]}
    databases = {database["name"] for database in RENDER["databases"]}
    groups = {group["name"] for group in RENDER["envVarGroups"]}
    for service in RENDER["services"]:
        for item in service.get("envVars", []):
            if source := item.get("fromService"):
                target = services[source["name"]]
                assert target["type"] == source["type"]
                if key := source.get("envVarKey"):
                    assert key in {i.get("key") for i in target["envVars"]}
            assert item.get("fromDatabase", {}).get("name", "database") in databases
            assert item.get("fromGroup", "settings") in groups


@pytest.mark.parametrize("name", ["app", "worker"])
def test_systemd_never_gives_up(name: str) -> None:
    """Without a database each start ends in a second; five of them would be the end."""
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(ROOT / f"deploy/{name}.service")
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    assert "network-online.target" in unit["Unit"]["After"].split()
    assert unit["Unit"]["Wants"] == "network-online.target"
    assert unit["Service"]["Restart"] == "always"
    assert int(unit["Service"]["RestartSec"]) >= 1
    assert (
        int(unit["Service"]["TimeoutStopSec"]) > 25
    )  # WORKER_PATIENCE_SECONDS, and gunicorn's 20.
    if name == "app":
        assert unit["Service"]["TimeoutStartSec"] == "1h"


def test_the_docs_make_the_user_and_give_it_what_is_its() -> None:
    docs = (ROOT / "docs/deploy.md").read_text()
    for path in (ROOT / "deploy").glob("*.service"):
        user = re.search(r"^User=(.*)$", path.read_text(), re.MULTILINE)
        assert user
        assert re.search(rf"^    useradd .* {user[1]}$", docs, re.MULTILINE)
        assert f"    chown -R {user[1]}: instance .env\n" in docs
        assert "\nEnvironment=FLASK_SKIP_DOTENV=1\n" in path.read_text()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_the_units_are_understood_by_systemd(tmp_path: Path) -> None:
    for unit in (ROOT / "deploy").glob("*.s*"):
        text = unit.read_text().replace("/srv/app/.venv/bin/", "/bin/").replace("User=app", "")
        runnable = re.sub(r"/bin/(gunicorn|flask)", "/bin/true", text)
        (tmp_path / unit.name).write_text(runnable)
    units = [str(path) for path in sorted(tmp_path.iterdir())]
    assert len(units) == 3
    command = ["systemd-analyze", "verify", "--man=no", *units]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    about_ours = [line for line in done.stderr.splitlines() if str(tmp_path) in line]
    assert about_ours == []
