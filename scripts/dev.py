"""``make dev``: the application, its worker and the local Polar on this machine, until Ctrl-C."""

import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import env_file
from dotenv import dotenv_values
from processes import Crew, StopRequestedError

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60  # A cold disk and two cores take under ten.
FLASK = [sys.executable, "-m", "flask", "--app", "wsgi"]
# What Flask and werkzeug say at each start, and our own question whether it answers.
NOISE = (
    r"^$| \* |WARNING: This is a development server|Press CTRL\+C to quit"
    r'|"GET /healthz HTTP/1.1" 200'
)


class NotStartedError(Exception):
    """Development cannot start. The text is one sentence for the user."""


def main() -> int:
    """Start everything, wait for Ctrl-C, stop everything. Returns the exit status."""
    os.chdir(ROOT)
    Path("instance").mkdir(exist_ok=True)
    try:
        make_env_file()
        environment = read_environment()
        with Crew(environment) as crew:
            return run(crew, environment)
    except NotStartedError as error:
        print(error, file=sys.stderr)
        return 1
    except StopRequestedError:
        print("\nStopped.", flush=True)
        return 0


def make_env_file() -> None:
    """Make ``.env`` unless there is one. Raises ``NotStartedError`` when it cannot be read."""
    try:
        is_new = env_file.ensure(ROOT)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", "it is not UTF-8")
        raise NotStartedError(f"{ROOT / '.env'} cannot be read ({reason}).") from None
    if is_new:
        print("Made .env with fresh secrets.", flush=True)


def run(crew: Crew, environment: Mapping[str, str]) -> int:
    """Bring up one thing after the other, then keep watch."""
    check_ports(environment)
    prepare(crew, "migrate", [*FLASK, "db", "upgrade"])
    if uses_local_polar(environment):
        crew.start("polar", [sys.executable, "-m", "polar_emulator"])
        wait_for(crew, "polar", environment["POLAR_EMULATOR_PORT"])
    prepare(crew, "seed", [*FLASK, "seed"])
    port = environment["PORT"]
    serve = [*FLASK, "run", "--debug", "--host", "127.0.0.1", "--port", port]
    crew.start("app", serve, noise=NOISE)
    if environment.get("JOBS_URL") != "inline":
        crew.start("worker", [*FLASK, "worker"], noise=r"^Working,")
    wait_for(crew, "app", port)
    announce(environment, crew.last_line.get("seed", ""))
    name = crew.watch()
    print(f"'{name}' has ended by itself, so everything is stopped.", file=sys.stderr, flush=True)
    return 1


def read_environment(own: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment of the processes: what is set, then ``.env``, then the local Polar."""
    from_file = {name: value for name, value in dotenv_values(ROOT / ".env").items() if value}
    environment = from_file | {name: value for name, value in own.items() if value}
    port = _port(environment, "PORT", "8000")
    polar_port = _port(environment, "POLAR_EMULATOR_PORT", "8001")
    environment |= {"PORT": port, "POLAR_EMULATOR_PORT": polar_port, "PYTHONUNBUFFERED": "1"}
    environment.setdefault("BASE_URL", f"http://127.0.0.1:{port}")
    if uses_local_polar(environment):
        environment["POLAR_API_URL"] = f"http://127.0.0.1:{polar_port}"
        environment["POLAR_EMULATOR_WEBHOOK_URL"] = f"http://127.0.0.1:{port}/webhooks/polar"
        secret = environment.get("POLAR_WEBHOOK_SECRET", "").replace(",", " ").split()
        environment["POLAR_EMULATOR_WEBHOOK_SECRET"] = secret[0] if secret else ""
    return environment


def uses_local_polar(environment: Mapping[str, str]) -> bool:
    """Say whether the local Polar is the one to use: there is no token for a real one."""
    return not environment.get("POLAR_ACCESS_TOKEN")


def check_ports(environment: Mapping[str, str]) -> None:
    """Raise ``NotStartedError`` when a port that we need is taken."""
    needed = ["PORT", *(["POLAR_EMULATOR_PORT"] if uses_local_polar(environment) else [])]
    if len({environment[name] for name in needed}) < len(needed):
        raise NotStartedError(f"{' and '.join(needed)} are both {environment['PORT']}: change one.")
    for name in needed:
        number = int(environment[name])
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", number))
            except OSError as error:
                raise NotStartedError(
                    f"Port {number} is not free ({error.strerror}). Stop what uses it, "
                    f"or choose another port: {name}={number + 100} make dev"
                ) from None


def prepare(crew: Crew, name: str, command: list[str]) -> None:
    """Run a step that must succeed."""
    if crew.run(name, command):
        raise NotStartedError(f"'{name}' failed (the reason is above), so nothing was started.")


def wait_for(crew: Crew, name: str, port: str) -> None:
    """Wait until something answers on the port, or raise ``NotStartedError``."""
    deadline = time.monotonic() + START_SECONDS
    while not _answers(f"http://127.0.0.1:{port}/healthz"):
        if crew.ended():
            raise NotStartedError(f"'{name}' did not start (the reason is above).")
        if time.monotonic() > deadline:
            raise NotStartedError(f"'{name}' did not answer within {START_SECONDS} seconds.")
        time.sleep(0.1)


def announce(environment: Mapping[str, str], last_word: str) -> None:
    """Say where to look, and with which account: the seed says so last."""
    lines = [f"Your application   http://127.0.0.1:{environment['PORT']}"]
    if uses_local_polar(environment):
        lines.append(f"The local Polar    http://127.0.0.1:{environment['POLAR_EMULATOR_PORT']}")
    else:
        lines.append("Polar              the real one, because POLAR_ACCESS_TOKEN is set")
    if environment.get("JOBS_URL") != "inline":
        lines.append("The worker         sends mails, and does what comes by the clock")
    lines += [last_word, "Ctrl-C stops everything."]
    print("", *(f"    {line}" for line in lines), "", sep="\n", flush=True)


def _port(environment: Mapping[str, str], name: str, default: str) -> str:
    value = environment.get(name, default)
    if not (value.isascii() and value.isdigit() and 0 < int(value) < 65536):
        raise NotStartedError(f"{name} is {value!r}; it must be a number from 1 to 65535.")
    return str(int(value))


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
