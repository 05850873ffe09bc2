"""What every template can use beside its own context."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, cast

from babel.dates import format_date
from flask import Flask
from markupsafe import Markup

from saas import brand
from saas.config import Settings
from saas.kit import markdown
from saas.kit.datetimes import utcnow

LOCALE = "en_GB"  # Day before month: "20 December 2026" is read the same everywhere.


def init_app(app: Flask) -> None:
    """Register the globals and filters of the templates."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["day"] = day
    app.jinja_env.filters["markdown"] = markdown.to_html
    app.jinja_env.globals["icon"] = _icons(app)

    settings: Settings = app.extensions["settings"]
    always = {
        "brand": brand,
        "uses_local_polar": settings.uses_local_polar,
        "is_development": not settings.is_production,
    }

    @app.context_processor
    def common() -> dict[str, Any]:
        return always | {"current_year": utcnow().year}


def _icons(app: Flask) -> Callable[..., Markup]:
    """Return the function ``icon`` of the templates: made in Python, since a page shows twenty of them."""

    names = app.jinja_env.globals

    def icon(name: str, more_classes: str = "") -> Markup:
        file = cast(Callable[[str], str], names["asset"])("img/icons.svg")
        return _svg(file, name, f"icon {more_classes}".rstrip())

    return icon


@cache
def _svg(file: str, name: str, classes: str) -> Markup:
    use = Markup('<use href="{}#{}"/>').format(file, name)
    return Markup('<svg class="{}" aria-hidden="true">{}</svg>').format(classes, use)


def day(moment: datetime | None) -> str:
    """Write a date in words, in UTC: "20 December 2026"; empty for ``None``."""
    return "" if moment is None else format_date(moment, "d MMMM y", locale=LOCALE)
