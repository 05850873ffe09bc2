"""The invoice of a payment: asked for by POST, then a page that waits until it is there."""

from http import HTTPStatus

from flask import flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from saas.accounts.limits import limited_calls
from saas.accounts.sessions import login_required, require_user
from saas.billing import bp, invoices
from saas.billing.invoices import InvoiceRefused

INVOICE_LIMIT = "60 per minute"  # The waiting page asks every other second.
REFRESH_SECONDS = 2


@bp.post("/settings/billing/invoices/<order_id>", endpoint="invoice_request")
@login_required
@limited_calls(INVOICE_LIMIT)
def invoice_request(order_id: str) -> ResponseReturnValue:
    """Have the invoice made, unless there is one, and go to where it will be."""
    try:
        if invoices.address(require_user(), order_id) is None:
            invoices.ask(require_user(), order_id)
    except InvoiceRefused as error:
        flash(error.message, "warning")
        return redirect(url_for("billing.settings"), HTTPStatus.SEE_OTHER)
    return redirect(url_for("billing.invoice", order_id=order_id), HTTPStatus.SEE_OTHER)


@bp.get("/settings/billing/invoices/<order_id>")
@login_required
@limited_calls(INVOICE_LIMIT)
def invoice(order_id: str) -> ResponseReturnValue:
    """Show the way to the invoice; until it is there the page looks again by itself."""
    url = invoices.address(require_user(), order_id)
    response = make_response(render_template("billing/invoice.html", url=url))
    if url is None:
        response.headers["Refresh"] = str(REFRESH_SECONDS)  # Without JavaScript, too.
    return response
