"""``make stack``: two web instances, two workers, nginx, PostgreSQL and Redis on this machine, under load.

python scripts/stack.py [--quick] [--keep-logs FOLDER]

One instance and one worker are killed as by a power failure, then everything is replaced by a new release
with a migration. Prints what was promised and what was found; ends with 1 when a promise was not held.
Everything it starts ends with it, and its database is dropped.
"""

import argparse
import signal
import ssl
import subprocess  # [template-only]
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench_server import postgresql_database
from stack_found import Line, judge, settle
from stack_front import POLAR_NAME, find_nginx
from stack_parts import MailServer, StackError, redis_database
from stack_production import PRODUCT, Stack
from stack_visitors import Crowd

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Rehearse, print the table, and return 1 when something was not held."""
    options = _options()
    if (ROOT / "cookiecutter.json").exists():  # [template-only]
        return _in_a_project(sys.argv[1:])  # [template-only]
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    started = time.monotonic()
    try:
        lines = rehearse(options.quick, options.logs)
    except StackError as error:
        print(f"The stack could not be set up: {error}", file=sys.stderr)
        return 2
    print(f"\n{'promise':40}{'found':60}held")
    for line in lines:
        print(f"{line.promise:40}{line.found:60}{'yes' if line.is_held else 'NO'}")
    failed = sum(not line.is_held for line in lines)
    print(f"\n{len(lines) - failed} held, {failed} not, in {time.monotonic() - started:.0f} s.")
    return int(bool(failed))


# [template-only
def _in_a_project(arguments: list[str]) -> int:
    """Generate a project and let it rehearse itself."""
    from stack_project import generate

    with tempfile.TemporaryDirectory(prefix="stack-project-") as folder:
        try:
            project = generate(Path(folder))
        except StackError as error:
            print(f"No project could be generated: {error}", file=sys.stderr)
            return 1
        print(f"Generated {project.name}; this is its own make stack:", flush=True)
        command = [sys.executable, "scripts/stack.py", *arguments]
        return subprocess.run(command, cwd=project, check=False).returncode


# template-only]
def rehearse(quick: bool, logs: Path | None) -> list[Line]:
    """Set the stack up, let people in, kill, replace, and judge. Raises ``StackError``."""
    if not find_nginx():
        raise StackError("There is no nginx. Install it: apt-get install nginx-light")
    with ExitStack() as stack:
        folder = logs or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stack-")))
        folder.mkdir(parents=True, exist_ok=True)
        database_url = stack.enter_context(postgresql_database())
        if database_url is None:
            raise StackError("No PostgreSQL answers on 127.0.0.1:5432.")
        redis_url = stack.enter_context(redis_database())
        mails = stack.enter_context(MailServer())
        running = stack.enter_context(Stack(folder, database_url, redis_url, mails).running())
        return _play(running, 1.0 if quick else 3.0, (2, 3) if quick else (3, 6))


def _play(stack: Stack, length: float, people: tuple[int, int]) -> list[Line]:
    trust = ssl.create_default_context(cafile=str(stack.folder / "ca.pem"))
    crowd = Crowd(stack.front.url, trust, stack.mails, stack.polar, PRODUCT)
    print(
        f"{stack.front.url} with two instances and two workers; Polar is {POLAR_NAME}, played here."
    )
    with _step("visitors look around, sign up and buy"):
        crowd.start(*people)
        time.sleep(5 * length)
    port, web = next(iter(stack.web.items()))
    with _step(f"{web.name} is killed, and comes back"):
        stack.kills.append(web.kill())
        time.sleep(4 * length)
        web.start()
        stack.wait_for(port)
        time.sleep(1 * length)
    with _step(f"{stack.workers[0].name} is killed, and comes back"):
        stack.workers[0].kill()
        time.sleep(3 * length)
        stack.workers[0].start()
        time.sleep(1 * length)
    with _step("a new release brings a migration"):
        stack.new_release()
        time.sleep(1 * length)
    with _step("one part after the other is replaced"):
        stack.replace()
        time.sleep(2 * length)
    with _step("the last visitors leave, everything calms down"):
        crowd.stop()
        settle(stack.database_url, stack.polar)
    return judge(stack.database_url, stack.polar, crowd.ledger, stack.mails.all(), stack.kills)


@contextmanager
def _step(words: str) -> Iterator[None]:
    started = time.monotonic()
    print(f"- {words} ...", end=" ", flush=True)
    yield
    print(f"{time.monotonic() - started:.1f} s", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Rehearse a production on this machine.")
    parser.add_argument("--quick", action="store_true", help="A third of it, for CI.")
    parser.add_argument("--logs", type=Path, help="Keep the logs of all parts in this folder.")
    return parser.parse_args()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
