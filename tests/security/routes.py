"""Every address of the application, read from its URL map."""

from collections.abc import Iterator

from flask import Flask
from werkzeug.routing import Rule

PUBLIC_ID = "6f1c0f6a-1111-4222-8333-444455556666"
MACHINES = {"webhooks.polar"}  # Doors with a proof of their own instead of a CSRF token.
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


def rules(app: Flask) -> Iterator[Rule]:
    """Yield the rules of our own views; static files are served before them."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static":
            yield rule


def address(app: Flask, rule: Rule) -> str:
    """Return an address of a rule, with something plausible in each gap."""
    gaps = {
        name: 1 if "Integer" in type(rule._converters[name]).__name__ else PUBLIC_ID
        for name in rule.arguments
    }
    return str(app.url_map.bind("").build(rule.endpoint, gaps, method=None))


def addresses(app: Flask, method: str | None = None) -> list[str]:
    """Return an address of each rule that takes the method, or of all."""
    return [
        address(app, rule)
        for rule in rules(app)
        if method is None or method in (rule.methods or ())
    ]


def doors(app: Flask) -> list[tuple[str, str]]:
    """Return method and address of everything that may change something."""
    return [
        (method, address(app, rule))
        for rule in rules(app)
        for method in sorted(UNSAFE & (rule.methods or set()))
        if rule.endpoint not in MACHINES
    ]
