"""Mail: one function that renders a message from its templates and hands it to the server."""

import logging
import smtplib
import ssl
from email.headerregistry import Address
from email.utils import formataddr, make_msgid, parseaddr
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app, render_template
from flask_mailman import EmailMultiAlternatives
from flask_mailman.backends.smtp import EmailBackend

from saas import brand
from saas.config import current
from saas.kit.urls import absolute

log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Let mail leave as configured, but over SMTP only to a server that proves its name."""
    mailman = app.extensions["mailman"]
    if mailman.backend == "smtp":
        mailman.backend = VerifyingBackend


def send(name: str, to: str, **context: Any) -> bool:
    """Render ``templates/emails/<name>/`` with ``context`` and send it to one address.

    Returns whether the message was handed over. Trouble on the way is logged without personal data
    and never raised: what the mail tells about is already done, and the person can ask again.
    """
    folder = f"emails/{name}"
    subject = " ".join(render_template(f"{folder}/subject.txt", **context).split())
    text = render_template(f"{folder}/body.txt", **context).strip() + "\n"
    html = render_template(f"{folder}/body.html", subject=subject, **context)
    try:
        _deliver(to, subject, text, html)
    except Exception as error:
        log.error("mail %r was not sent: %s", name, _reason(error))
        return False
    return True


def link(endpoint: str, **values: Any) -> str:
    """Return the absolute address of a page, from the configured base and never from the request.

    Works outside of a request, too. Values that are ``None`` are left out.
    """
    adapter = current_app.url_map.bind("")
    given = {name: value for name, value in values.items() if value is not None}
    return absolute(current().base_url, adapter.build(endpoint, given))


class VerifyingBackend(EmailBackend):  # type: ignore[misc]
    """SMTP where STARTTLS checks the server's certificate, which flask-mailman leaves out."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """Return the class of the connection."""
        return smtplib.SMTP_SSL if self.use_ssl else _VerifyingSMTP


class _VerifyingSMTP(smtplib.SMTP):
    def starttls(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        # Without a context smtplib takes any certificate.
        kwargs["context"] = kwargs.get("context") or ssl.create_default_context()
        return super().starttls(*args, **kwargs)


def _deliver(to: str, subject: str, text: str, html: str) -> None:
    Address(addr_spec=to)  # Raises for anything but one plain address.
    host = urlsplit(current().base_url).hostname or "localhost"
    with current_app.extensions["mailman"].get_connection() as connection:
        message = EmailMultiAlternatives(
            subject=subject,
            body=text,
            from_email=_sender(),
            to=[to],
            connection=connection,
            # Named after the site: the machine's own name is private, and looking it up is slow.
            headers={"Message-ID": make_msgid(domain=host), "Auto-Submitted": "auto-generated"},
        )
        message.attach_alternative(html, "text/html")
        message.send()


def _sender() -> str:
    name, address = parseaddr(current().mail_from)
    return formataddr((name or brand.NAME, address))


def _reason(error: Exception) -> str:
    """Describe ``error`` without its text, which may hold an address or a user name."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__} {error.smtp_code}"
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}, {error.strerror}"
    return type(error).__name__
