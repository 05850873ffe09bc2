"""Pages for everybody, and the files that search engines, browsers and load balancers ask for."""

from flask import Response, jsonify, render_template, url_for

from saas import brand
from saas.billing import pricing
from saas.config import current
from saas.kit.urls import absolute
from saas.page_cache import same_for_visitors
from saas.pages import bp
from saas.security import may_be_kept

PUBLIC = ("pages.home", "billing.pricing", "pages.terms", "pages.privacy")
PRIVATE = ("/dashboard", "/settings/", "/checkout", "/confirm", "/reset-password/", "/webhooks/")
# A browser may go back to what it has, but asks before it shows it anew.
CHECKED_AGAIN = "private, no-cache"
FOR_AN_HOUR = "public, max-age=3600"
TEASER_CARDS = 3  # They fit beside each other; the pricing page shows the rest.


@bp.get("/")
@may_be_kept(CHECKED_AGAIN)
@same_for_visitors()
def home() -> str:
    """Show the landing page with the first few plans."""
    cards = [card for card in pricing.cards("month") if not card.is_one_time]
    return render_template("pages/home.html", cards=cards[:TEASER_CARDS])


@bp.get("/terms")
@may_be_kept(CHECKED_AGAIN)
@same_for_visitors()
def terms() -> str:
    """Show the terms of service."""
    return render_template("pages/terms.html")


@bp.get("/privacy")
@may_be_kept(CHECKED_AGAIN)
@same_for_visitors()
def privacy() -> str:
    """Show which data is kept, why and for how long."""
    message_days = max(current().webhook_retention_days, 90)  # Polar can repeat them until then.
    return render_template("pages/privacy.html", message_days=message_days)


@bp.get("/robots.txt")
@may_be_kept(FOR_AN_HOUR)
def robots() -> Response:
    """Ask search engines to leave out what needs a sign-in, and name the site map."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in PRIVATE)]
    lines.append(f"Sitemap: {_absolute('pages.sitemap')}")
    return Response("\n".join(lines) + "\n", mimetype="text/plain")


@bp.get("/sitemap.xml")
@may_be_kept(FOR_AN_HOUR)
def sitemap() -> Response:
    """List the public pages under the configured address."""
    addresses = [_absolute(endpoint) for endpoint in PUBLIC]
    return Response(
        render_template("pages/sitemap.xml", addresses=addresses), mimetype="application/xml"
    )


@bp.get("/site.webmanifest")
@may_be_kept(FOR_AN_HOUR)
def manifest() -> Response:
    """Describe the site for a phone that puts it on the home screen."""
    response = jsonify(
        name=brand.NAME,
        short_name=brand.NAME,
        description=brand.DESCRIPTION,
        start_url=url_for("dashboard.home"),
        display="minimal-ui",
        icons=[
            {"src": url_for("static", filename=f"img/icon-{size}.png"), "sizes": f"{size}x{size}"}
            for size in (192, 512)
        ],
    )
    response.mimetype = "application/manifest+json"
    return response


@bp.get("/healthz")
def health() -> Response:
    """Answer while the process runs; it asks nothing of the database or of Polar."""
    return jsonify(status="ok")


def _absolute(endpoint: str) -> str:
    return absolute(current().base_url, url_for(endpoint))
