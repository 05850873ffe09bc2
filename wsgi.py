"""The WSGI entry point: ``gunicorn wsgi:app`` and ``flask`` both find the application here."""

from saas.kit.loading import without_garbage_collection

with without_garbage_collection():
    from sqlalchemy.orm import configure_mappers

    from saas.app import create_app

    app = create_app()
    configure_mappers()  # Before the workers are forked, so that no first visitor waits for it.
