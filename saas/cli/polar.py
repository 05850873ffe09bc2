"""``flask polar …``: set up the real Polar, and find out what is wrong with it."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from flask.cli import AppGroup

from saas.billing.gateway import PolarError
from saas.config import ROOT, current
from saas.errors import AppError
from saas.polar_setup import doctor, setup, showcase

polar = AppGroup("polar", help="Set up Polar, and find out what is wrong with it.")


@polar.command("setup")
@click.option("--products", is_flag=True, help="Create the products of the demo catalogue, too.")
@click.option("--webhook-url", default="", help="Where Polar delivers; BASE_URL says it otherwise.")
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=ROOT / ".env",
    help="The file that the secret is written to.",
)
def run_setup(products: bool, webhook_url: str, env_file: Path) -> None:
    """Create what is missing in the organisation; repeat it as often as you like."""
    click.echo(f"At {current().polar_url}:")
    count = 0
    with _told_in_words():
        for line in setup.run(env_file, webhook_url, products=products):
            click.echo(f"- {line}")
            count += 1
    click.echo("Everything is set up." if count else "Everything was set up already.")


@polar.command("doctor")
@click.option("--webhook-url", default="", help="Where Polar delivers; BASE_URL says it otherwise.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def run_doctor(webhook_url: str, as_json: bool) -> None:
    """Look at token, endpoint and deliveries; ends with 1 when something has to be mended."""
    with _told_in_words(), _quiet_gateway():
        findings = doctor.examine(webhook_url or setup.own_address())
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            mark, colour = ("ok", "green") if finding.is_good else ("!!", "red")
            click.echo(f"{click.style(mark, fg=colour)}  {finding.name:12} {finding.words}")
            if finding.cure:
                click.echo(f"{'':17}{finding.cure}")
    if not all(finding.is_good for finding in findings):
        raise SystemExit(1)


@polar.command("products")
def show_products() -> None:
    """Show what the pricing page will show, and why it does not show the rest."""
    with _told_in_words():
        found = showcase.products()
    for product in found:
        state = f"hidden: {product.hidden_because}" if product.hidden_because else "shown"
        click.echo(f"{product.name} ({product.plan}), {product.price}: {state}")
        if product.features:
            click.echo(f"    allows: {', '.join(product.features)}")
        for words in product.advice:
            click.echo(f"    note: {words}")
    if not any(not product.hidden_because for product in found):
        raise click.ClickException("No product is shown. Create some: flask polar setup --products")


@contextmanager
def _quiet_gateway() -> Iterator[None]:
    """The findings say it better than the log, and some calls are made to be refused."""
    log = logging.getLogger("saas.billing.gateway")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)


@contextmanager
def _told_in_words() -> Iterator[None]:
    try:
        yield
    except PolarError as error:
        cure = "Run: flask polar doctor"
        raise click.ClickException(
            f"Polar refused or did not answer. {error.explained}\n{cure}"
        ) from None
    except AppError as error:
        raise click.ClickException(error.message) from None
