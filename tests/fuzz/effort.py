"""How many cases are tried: a sample in the ordinary run, FUZZ_CASES of them under ``make fuzz``."""

import os

from hypothesis import HealthCheck, Phase, settings

CASES = int(os.environ.get("FUZZ_CASES", "0"))
BY_CHANCE = os.environ.get("FUZZ_SEED") == "random"


def cases(few: int, share: float = 1.0) -> settings:
    """Return settings for ``few`` cases, or for a share of what FUZZ_CASES asks for.

    The same cases come in each run; FUZZ_SEED=random chooses others. A failure is shown as it was found:
    making it smaller would ask a changed database.
    """
    return settings(
        max_examples=max(1, round(CASES * share)) if CASES else few,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=not BY_CHANCE,
        database=None,
        phases=(Phase.generate,),
    )
