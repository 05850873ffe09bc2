"""How many histories are tried. PROPERTY_EXAMPLES=200 tries that many of each kind."""

import os

from hypothesis import HealthCheck, settings

FACTOR = int(os.environ.get("PROPERTY_EXAMPLES", "0"))


def examples(few: int) -> settings:
    """Return the settings of a property: ``few`` examples in the ordinary run of the tests."""
    return settings(
        max_examples=FACTOR or few,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=not FACTOR,
        database=None,
    )
