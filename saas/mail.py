"""Mail: one function that renders a message from its templates and hands it to the server.

It waits for the mail server, so it is called by jobs, which try again when it fails."""

import hashlib
import logging
import smtplib
import ssl
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.utils import formataddr, make_msgid, parseaddr
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app, render_template
from flask_mailman import EmailMultiAlternatives
from flask_mailman.backends.smtp import EmailBackend

from saas import brand
from saas.config import current
from saas.errors import AppError
from saas.jobs import GiveUp
from saas.kit.urls import absolute
from saas.observability import context

log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Let mail leave as configured, but over SMTP only to a server that proves its name."""
    mailman = app.extensions["mailman"]
    if mailman.backend == "smtp":
        mailman.backend = VerifyingBackend


class MailNotSent(AppError):
    """The mail server did not take a message. Its words are left out, since they may hold an address."""

    message = "The mail could not be sent."


class MailRefused(MailNotSent, GiveUp):
    """The server will never take this message: there is no such mailbox, or the address is none."""


def send(name: str, to: str, **values: Any) -> None:
    """Render ``templates/emails/<name>/`` with ``values`` and send it to one address.

    Raises ``MailNotSent`` or ``MailRefused``, without personal data in their text.
    """
    folder = f"emails/{name}"
    subject = " ".join(render_template(f"{folder}/subject.txt", **values).split())
    text = render_template(f"{folder}/body.txt", **values).strip() + "\n"
    html = render_template(f"{folder}/body.html", subject=subject, **values)
    try:
        _deliver(to, subject, text, html, _message_id(name, to))
    except Exception as error:
        trouble = MailRefused if _is_for_ever(error) else MailNotSent
        raise trouble(f"Mail {name!r} was not sent: {_reason(error)}.") from None


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


def _deliver(to: str, subject: str, text: str, html: str, message_id: str) -> None:
    Address(addr_spec=to)  # Raises for anything but one plain address.
    with current_app.extensions["mailman"].get_connection() as connection:
        message = EmailMultiAlternatives(
            subject=subject,
            body=text,
            from_email=_sender(),
            to=[to],
            connection=connection,
            headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated"},
        )
        message.attach_alternative(html, "text/html")
        message.send()


def _message_id(name: str, to: str) -> str:
    """Return the id of a message: the same when a job that died after handing it over is done again.

    Mailboxes show one message of one id. It is named after the site: the machine's own name is private, and
    looking it up is slow.
    """
    host = urlsplit(current().base_url).hostname or "localhost"
    if not (job_id := context.job_id.get()):
        return make_msgid(domain=host)
    key = "|".join((current().secret_key, job_id, name, to))
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{host}>"


def _sender() -> str:
    name, address = parseaddr(current().mail_from)
    return formataddr((name or brand.NAME, address))


def _is_for_ever(error: Exception) -> bool:
    """True for a refusal of this address, not for one of the sender or of the whole server."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 550 for code, _ in error.recipients.values())
    return isinstance(error, ValueError | IndexError | HeaderParseError)


def _reason(error: Exception) -> str:
    """Describe ``error`` without its text, which may hold an address or a user name."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__} {error.smtp_code}"
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}, {error.strerror}"
    return type(error).__name__
