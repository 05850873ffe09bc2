"""What a benchmark has found: figures with their bounds, printed as one table."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One line of the table. ``is_held`` is None for what is told and not judged."""

    database: str
    name: str
    value: str
    bound: str
    is_held: bool | None


def below(milliseconds: float, bound: float) -> tuple[str, str, bool]:
    """Return value, bound and verdict of a time that has to stay below something."""
    return f"{milliseconds:.1f} ms", f"< {bound:.0f} ms", milliseconds < bound


def show(figures: Iterable[Figure]) -> None:
    """Print the table."""
    print(f"\n{'database':12}{'figure':42}{'measured':34} {'bound':18}held")
    for figure in figures:
        held = {True: "yes", False: "NO", None: ""}[figure.is_held]
        print(f"{figure.database:12}{figure.name:42}{figure.value:34} {figure.bound:18}{held}")
