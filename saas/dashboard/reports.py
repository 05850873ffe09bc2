"""An example report. Replace ``EXAMPLE`` with a query; the page shows whatever it is given."""

from dataclasses import dataclass

from saas.kit.money import format_money

CHART_WIDTH = 720  # Units of the picture, not pixels: the browser scales it.
CHART_HEIGHT = 268
LABEL_SPACE = 36  # Below the bars, for the months.
VALUE_SPACE = 32  # Above the highest bar, for its amount.
BAR_SHARE = 0.62  # Of a bar's column; the rest is the gap.

# Month, customers, revenue in cents.
EXAMPLE = (
    ("May", 212, 812_400),
    ("June", 236, 904_100),
    ("July", 251, 947_800),
    ("August", 249, 938_200),
    ("September", 287, 1_102_500),
    ("October", 318, 1_246_900),
)


@dataclass(frozen=True)
class Row:
    """One month, ready to print."""

    month: str
    customers: int
    revenue: str
    change: str


@dataclass(frozen=True)
class Bar:
    """One bar of the chart, in units of the picture."""

    label: str
    value: str
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Where the label stands."""
        return self.x + self.width / 2


@dataclass(frozen=True)
class Figure:
    """One number above the chart."""

    label: str
    value: str
    change: str


@dataclass(frozen=True)
class Report:
    """Everything that the page shows."""

    period: str
    figures: list[Figure]
    rows: list[Row]
    bars: list[Bar]
    chart_words: str
    chart_width: int = CHART_WIDTH
    chart_height: int = CHART_HEIGHT


def example_report() -> Report:
    """Return six months of made-up figures."""
    first, last = EXAMPLE[0], EXAMPLE[-1]
    return Report(
        period=f"{first[0]} to {last[0]}",
        figures=[
            Figure("Revenue", _dollars(sum(cents for _, _, cents in EXAMPLE)), "in six months"),
            Figure("Customers", str(last[1]), f"{last[1] - first[1]} more than in {first[0]}"),
            Figure("Per customer", _dollars(last[2] // last[1]), f"in {last[0]}"),
        ],
        rows=[_row(index) for index in range(len(EXAMPLE))][::-1],
        bars=[_bar(index) for index in range(len(EXAMPLE))],
        chart_words=f"Revenue by month: {_words(first)}, {_words(last)}.",
    )


def _row(index: int) -> Row:
    month, customers, cents = EXAMPLE[index]
    before = EXAMPLE[index - 1][2] if index else None
    change = "" if before is None else f"{(cents - before) / before:+.1%}".replace("-", "−")
    return Row(month, customers, _dollars(cents), change)


def _bar(index: int) -> Bar:
    month, _, cents = EXAMPLE[index]
    column = CHART_WIDTH / len(EXAMPLE)
    floor = CHART_HEIGHT - LABEL_SPACE
    height = round((floor - VALUE_SPACE) * cents / max(row[2] for row in EXAMPLE), 1)
    width = round(column * BAR_SHARE, 1)
    x = round(column * index + (column - width) / 2, 1)
    return Bar(month[:3], _dollars(cents), x, round(floor - height, 1), width, height)


def _words(month: tuple[str, int, int]) -> str:
    return f"{_dollars(month[2])} in {month[0]}"


def _dollars(cents: int) -> str:
    return format_money(round(cents / 100) * 100, "usd")
