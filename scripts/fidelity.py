"""``make fidelity``: what the local Polar does as the real one was recorded to, and what it does not.

Runs the tests of tests/polar_emulator/ and notes which recording each of them looked at and what the
comparison found. A recording matches when every test that looked at it passed. Ends with 1 when one
does not match, or when nothing compares it and no reason for that is written down here.
"""

import contextlib
import io
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pytest

from tests.polar_emulator import recorded

FOLDER = Path(recorded.__file__).parent
# Recordings that nothing compares, each with its reason.
UNCOMPARED: dict[str, str] = {}
# Keys that the local Polar sends and the recorded server did not, each with its reason.
EXTRA = {
    "api_version": "top level of a delivery: the SDK 1.0.2 refuses deliveries without it",
    "is_deletable": "of a product: required by the SDK 1.0.2",
    "start_timestamp": "of an order's item: required by the SDK 1.0.2",
    "end_timestamp": "of an order's item: required by the SDK 1.0.2",
    "seats": "of a subscription in a customer state: required by the SDK 1.0.2",
    "units": "of a subscription in a customer state: required by the SDK 1.0.2",
    "uses_standard_webhook_signature": "of an endpoint: which signing scheme it uses",
}


class Notes:
    """A pytest plugin that notes which recordings a test looks at, and how the test ends."""

    def __init__(self) -> None:
        self.users: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.failed: dict[str, str] = {}
        self.differences: dict[str, set[str]] = defaultdict(set)
        self._test = ""
        self._wrap("answer")
        self._wrap("event")
        self._wrap("scenario")
        self._wrap_differences()

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """A test begins."""
        self._test = item.nodeid.rpartition("/")[2]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A part of a test has ended."""
        if report.failed:
            lines = str(report.longrepr).splitlines()
            reasons = [line[2:].strip() for line in lines if line.startswith("E ")]
            self.failed[report.nodeid.rpartition("/")[2]] = reasons[0] if reasons else "it failed"

    def state(self, kind: str, name: str) -> tuple[str, list[str]]:
        """The word for a recording, and what there is to say about it."""
        users = self.users.get((kind, name), set())
        if not users:
            reason = UNCOMPARED.get(name)
            return ("left out", [reason]) if reason else ("NOT COMPARED", [])
        troubles = [f"{test}: {self.failed[test]}" for test in sorted(users & set(self.failed))]
        found = sorted(line for test in users & set(self.failed) for line in self.differences[test])
        return ("DIFFERS", troubles + found) if troubles else ("matches", [])

    def _wrap(self, name: str) -> None:
        original: Callable[[str], Any] = getattr(recorded, name)

        def noting(key: str) -> Any:
            self.users[name, key].add(self._test)
            return original(key)

        setattr(recorded, name, noting)

    def _wrap_differences(self) -> None:
        original = recorded.differences

        def noting(was: Any, ours: Any, where: str = "") -> list[str]:
            found = original(was, ours, where)
            self.differences[self._test].update(found)
            return found

        recorded.differences = noting


def main() -> int:
    """Run the comparisons and print the report."""
    notes, said = Notes(), io.StringIO()
    with contextlib.redirect_stdout(said):
        ended = pytest.main(["-q", "-p", "no:cacheprovider", str(FOLDER)], plugins=[notes])
    if ended not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        print(said.getvalue())
        return 1
    kinds = {
        "Scenarios: order of events, statuses, states": ("scenario", recorded.scenarios()),
        "Event types: keys and types of values": ("event", recorded.event_types()),
        "API answers and errors": ("answer", recorded.answers()),
    }
    wrong = sum(print_kind(notes, title, *kind) for title, kind in kinds.items())
    print("\nKeys that are sent in addition:")
    for key, reason in EXTRA.items():
        print(f"  {key:32} {reason}")
    unexplained = sorted(recorded.NEWER - set(EXTRA))
    for key in unexplained:
        print(f"  {key:32} NO REASON GIVEN")
    print(f"\n{wrong + len(unexplained)} without an explanation.")
    return 1 if wrong or unexplained else 0


def print_kind(notes: Notes, title: str, kind: str, names: list[str]) -> int:
    """Print one part of the report; returns how many recordings do not match."""
    states = {name: notes.state(kind, name) for name in names}
    wrong = [name for name, (word, _) in states.items() if word.isupper()]
    print(f"\n{title}: {len(names) - len(wrong)} of {len(names)}")
    for name, (word, lines) in states.items():
        print(f"  {word:14} {name}")
        for line in lines:
            print(f"                 {line}")
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main())
