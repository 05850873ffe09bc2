"""``make fidelity``: what the local Polar does as the real one was recorded to, and what it does not.

Takes the steps of the recordings again (tests/polar_emulator/replay/) and prints every recording with
what the comparison of its keys, types and values found. Ends with 1 when one differs without a reason,
or is not compared.
"""

import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.polar_emulator import receiving, recorded, test_recorded_scenarios
from tests.polar_emulator.likeness import EXTRA
from tests.polar_emulator.replay.reasons import LEFT_OUT, REASONS, unexplained
from tests.polar_emulator.replay.stage import STORIES, Stage

assert test_recorded_scenarios.THEMES


def main() -> int:
    """Take the steps and print the report."""
    found = compare()
    kinds = {
        "Scenarios: events, their order, statuses and content": recorded.scenarios(),
        "API: statuses, headers and bodies of answers and errors": recorded.answers(),
    }
    wrong = sum(print_kind(title, names, found) for title, names in kinds.items())
    wrong += print_event_types(found)
    print_keys(found)
    wrong += print_stale_reasons(found)
    print(f"\n{wrong} without an explanation.")
    return 1 if wrong else 0


def compare() -> dict[str, list[str]]:
    """The differences of every recording that a story compares; a story that breaks down says so."""
    found: dict[str, list[str]] = defaultdict(list)
    with receiving.receiver() as receiver:
        for story, names in STORIES.values():
            receiver.deliveries.clear()
            receiver.answers.clear()
            stage = Stage(receiver)
            try:
                story(stage)
            except Exception as error:  # The report goes on with the next story.
                stage.compared[names[0]] = [f"{type(error).__name__}: {error}"]
            for name in names:
                lines = stage.compared.get(name, ["the story did not come to it"])
                found[name] += [line for line in lines if line not in found[name]]
    return found


def print_kind(title: str, names: list[str], found: dict[str, list[str]]) -> int:
    """Print one part of the report; returns how many recordings do not match without a reason."""
    words = {name: _word(name, found) for name in names}
    good = sum(word == "matches" for word in words.values())
    print(f"\n{title}: {good} of {len(names)} match")
    for name, word in words.items():
        print(f"  {word:18} {name}")
        for line in found.get(name, []):
            print(f"                       {line}")
        for why in _whys(name, found):
            print(f"                     because {why}")
    return sum(word.isupper() for word in words.values())


def print_event_types(found: dict[str, list[str]]) -> int:
    """Print which event types were compared; returns how many were not."""
    types = recorded.event_types()
    compared = {
        event["type"] for n in recorded.scenarios() if n in found for event in recorded.scenario(n)
    }
    print(
        f"\nEvent types: {len(compared)} of {len(types)} compared, in every delivery of the scenarios"
    )
    for name in types:
        print(f"  {'compared' if name in compared else 'NOT COMPARED':18} {name}")
    return len(set(types) - compared)


def print_keys(found: dict[str, list[str]]) -> None:
    """Print the keys that one side has alone."""
    lines = {line for lines in found.values() for line in lines}
    for word in ("missing", "extra"):
        keys = sorted({line for line in lines if line.endswith(f" is {word}")})
        print(f"\nKeys that are {word}: {', '.join(keys) or 'none'}")
    print("\nKeys that are sent in addition, and why:")
    for key, reason in EXTRA.items():
        print(f"  {key:32} {reason}")


def print_stale_reasons(found: dict[str, list[str]]) -> int:
    """Print the reasons for differences that are gone; returns how many."""
    rows = [(name, line) for name, lines in found.items() for line in lines]
    stale = [reason for reason in REASONS if not any(reason.covers(*row) for row in rows)]
    for reason in stale:
        print(f"\nA reason without a difference: {reason.recording} {reason.place}")
    return len(stale)


def _word(name: str, found: dict[str, list[str]]) -> str:
    if name not in found:
        return "left out" if name in LEFT_OUT else "NOT COMPARED"
    if unexplained(name, found[name]):
        return "DIFFERS"
    return "differs, explained" if found[name] else "matches"


def _whys(name: str, found: dict[str, list[str]]) -> list[str]:
    if name in LEFT_OUT and name not in found:
        return [LEFT_OUT[name]]
    lines = found.get(name, [])
    return [r.why for r in REASONS if any(r.covers(name, line) for line in lines)]


if __name__ == "__main__":
    sys.exit(main())
