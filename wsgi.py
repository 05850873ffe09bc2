"""The WSGI entry point: ``gunicorn wsgi:app`` and ``flask`` both find the application here."""

from sqlalchemy.orm import configure_mappers

from saas.app import create_app

app = create_app()
configure_mappers()  # Before the workers are forked, so that no first visitor waits for it.
