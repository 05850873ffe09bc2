"""The signed-in pages. Put your product here; the two that exist show the pattern."""

from flask import render_template

from saas.accounts.sessions import login_required
from saas.billing.gating import requires
from saas.dashboard import bp
from saas.dashboard.reports import example_report


@bp.get("", strict_slashes=False)
@login_required
def home() -> str:
    """Show where the user stands and what their plan includes."""
    return render_template("dashboard/home.html")


@bp.get("/reports")
@requires("reports")
def reports() -> str:
    """Show a report, for plans that include the feature."""
    return render_template("dashboard/reports.html", report=example_report())
