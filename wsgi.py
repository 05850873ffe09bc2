"""The WSGI entry point: ``gunicorn wsgi:app`` and ``flask`` both find the application here."""

from saas.app import create_app

app = create_app()
