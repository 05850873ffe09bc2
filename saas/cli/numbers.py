"""The numbers that commands take: nothing gets through that a database, or a date, cannot hold."""

import click

ROW = click.IntRange(1, 2**31 - 1)  # As the column that it is compared with.
COUNT = click.IntRange(1, 100_000)
KEPT_DAYS = click.IntRange(0, 90)  # As long as Polar keeps deliveries.

# For a list.
newest = click.option(
    "--limit",
    type=COUNT,
    default=20,
    show_default=True,
    help="How many at most, the newest first.",
)
