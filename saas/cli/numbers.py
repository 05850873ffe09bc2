"""The numbers that commands take: nothing gets through that a database, or a date, cannot hold."""

import click

ROW = click.IntRange(1, 2**63 - 1)
COUNT = click.IntRange(1, 100_000)
