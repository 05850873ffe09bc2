"""Marketing and legal pages, and what machines ask for: robots, sitemap, health."""

from flask import Blueprint

bp = Blueprint("pages", __name__)

from saas.pages import views  # noqa: E402, F401
