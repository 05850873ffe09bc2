"""The outbox: mails that were written instead of sent, with links that can be clicked."""

from flask import Response, abort, make_response, render_template

from saas.dev import bp, outbox

# The HTML of a mail carries its styles inline, and is shown as a document of its own that may do
# nothing: no script, no form, no address of ours.
MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"


@bp.get("/outbox", endpoint="outbox")
def outbox_page() -> str:
    """List the mails, the newest first."""
    return render_template("dev/outbox.html", mails=outbox.newest())


@bp.get("/outbox/<name>")
def outbox_message(name: str) -> str:
    """Show one mail as text."""
    return render_template("dev/outbox_message.html", mail=outbox.find(name) or abort(404))


@bp.get("/outbox/<name>/html")
def outbox_html(name: str) -> Response:
    """Show the HTML of a mail as a mail program would."""
    mail = outbox.find(name) or abort(404)
    response = make_response(mail.html)
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    return response
