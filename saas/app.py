"""The application factory: each step of putting the application together, in one visible list."""

from pathlib import Path

import click
from flask import Flask
from flask_login import user_logged_in
from sqlalchemy import event
from werkzeug.middleware.proxy_fix import ProxyFix

from saas import (
    accounts,
    assets,
    backoffice,
    billing,
    cli,
    dashboard,
    dev,
    errors,
    fixed_parts,
    jobs,
    mail,
    monitoring,
    page_cache,
    pages,
    security,
    seeds,
    templating,
    timetable,
    webhooks,
)
from saas.accounts import signals
from saas.accounts.models import User
from saas.billing import address_news, choice, claims, farewell, store
from saas.cli import in_words
from saas.config import ROOT, ConfigurationError, Settings, from_environment, load_env_file
from saas.extensions import csrf, db, limiter, login_manager, migrate
from saas.extensions import mail as mailman
from saas.kit import pool, postgresql, sqlite
from saas.kit.application import Application
from saas.observability import logs, metrics, requests, sentry

BLUEPRINTS = (
    pages.bp,
    accounts.bp,
    billing.bp,
    webhooks.bp,
    dashboard.bp,
    monitoring.bp,
)


def create_app(config: Settings | None = None) -> Flask:
    """Build the application from ``config``, or from the environment and ``.env``.

    Exits with one sentence for each reason when the settings are not safe to run with, except for
    ``flask`` commands that exist to mend them.
    """
    settings = config or _read_settings()
    app = Application(
        "saas",
        root_path=str(ROOT / "saas"),
        instance_path=str(ROOT / "instance"),
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
    )
    in_words.init_app(app)
    app.config.from_mapping(settings.flask_config())
    app.extensions["settings"] = settings
    _observe(app, settings)
    security.init_app(app, settings)
    app.register_blueprint(backoffice.bp)  # Before the check for CSRF, which no stranger meets.
    _bind_extensions(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    if not settings.is_production:
        app.register_blueprint(dev.bp)
    errors.init_app(app)
    templating.init_app(app)
    page_cache.init_app(app, settings)
    fixed_parts.init_app(app, settings)
    cli.init_app(app)
    seeds.init_app(app)
    _connect_signals()
    timetable.init_app()
    _wrap_wsgi(app, settings)
    return app


def _observe(app: Flask, settings: Settings) -> None:
    """Look first, so that what is refused later is seen as well."""
    sentry.init(settings)
    if settings.metrics_token:
        metrics.enable()
    requests.init_app(app, settings)


def _bind_extensions(app: Flask) -> None:
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        _make_instance_folder(app)  # Not elsewhere: a container may be read-only.
    db.init_app(app)
    with app.app_context():
        sqlite.configure(db.engine)
        postgresql.configure(db.engine)
        pool.ask_the_idle(db.engine)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"))
    login_manager.init_app(app)
    csrf.init_app(app)
    limiter.init_app(app)
    mailman.init_app(app)
    mail.init_app(app)
    jobs.init_app(app)
    assets.init_app(app)


def _make_instance_folder(app: Flask) -> None:
    try:
        Path(app.instance_path).mkdir(exist_ok=True)
    except OSError as error:
        reason = f"The folder {app.instance_path} cannot be made: {error.strerror}."
        click.secho(reason, fg="red", err=True)
        raise SystemExit(1) from None


def _connect_signals() -> None:
    """Say who listens to what. Accounts does not know billing; it only tells what happened."""
    event.listen(User, "after_insert", store.on_user_made)
    signals.email_confirmed.connect(claims.on_address_proven)
    user_logged_in.connect(claims.on_signed_in)
    user_logged_in.connect(choice.on_signed_in)
    signals.email_changed.connect(address_news.on_email_changed)
    signals.email_changed.connect(claims.on_address_proven)
    signals.user_deleting.connect(farewell.on_user_deleting)


def _wrap_wsgi(app: Flask, settings: Settings) -> None:
    app.wsgi_app = security.guard(app.wsgi_app, settings)  # type: ignore[assignment,method-assign]
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops
        )


def _read_settings() -> Settings:
    try:
        load_env_file()
        settings = from_environment()
        if cli.is_diagnosis():
            settings.require_buildable()
        else:
            settings.require_usable()
    except ConfigurationError as error:
        click.secho(str(error), fg="red", err=True)
        raise SystemExit(1) from None
    logs.configure(settings.log_format, settings.log_level)
    return settings
