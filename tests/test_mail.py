"""Mail: rendering, headers, delivery over a real SMTP conversation, and a server that is down."""

import logging
import smtplib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
import time_machine
from flask import Flask
from markupsafe import escape

from saas import brand, mail
from saas.jobs import records, running
from saas.kit.datetimes import utcnow
from tests.accounts.pages import EMAIL, fill, mails

CONTEXT = {"email": EMAIL, "url": "http://127.0.0.1:8000/confirm/token?a=1&b=2"}


class Conversation(socketserver.StreamRequestHandler):
    """The server's side of SMTP, as far as one plain message needs it."""

    def handle(self) -> None:
        self.say("220 ready")
        while line := self.rfile.readline().decode().strip():
            verb = line.upper()[:4]
            if verb == "DATA":
                self.say("354 go on")
                self.server.messages.append(self.read_message())
            if verb == "RCPT" and "refused" in line:
                self.say("550 no such user refused@example.com")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def read_message(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        return b"".join(lines)


@pytest.fixture
def smtp() -> Iterator[socketserver.TCPServer]:
    with socketserver.TCPServer(("127.0.0.1", 0), Conversation) as server:
        server.messages = []
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def smtp_app(clean: None, make_app: Callable[..., Flask], smtp: socketserver.TCPServer) -> Flask:
    port = smtp.server_address[1]
    return make_app(
        mail_backend="smtp", mail_server="127.0.0.1", mail_port=port, mail_use_tls=False
    )


def parse(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, _class=EmailMessage, policy=policy.default)


def test_a_message_over_smtp(smtp_app: Flask, smtp: socketserver.TCPServer) -> None:
    with smtp_app.app_context():
        mail.send("confirm_address", EMAIL, **CONTEXT)
    message = parse(smtp.messages[0])
    assert message["To"] == EMAIL
    assert parseaddr(message["From"]) == (brand.NAME, "hello@example.com")
    assert message["Subject"].strip() == f"Confirm your address for {brand.NAME}"
    assert message["Message-ID"].endswith("@127.0.0.1>")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/alternative"
    text, html = (part.get_content() for part in message.iter_parts())
    assert CONTEXT["url"] in text
    assert CONTEXT["url"].replace("&", "&amp;") in html
    assert escape(brand.NAME) in html


def test_the_name_of_the_sender_can_be_set(clean: None, make_app: Callable[..., Flask]) -> None:
    app = make_app(mail_from="The Team <team@example.com>")
    with app.app_context():
        mail.send("confirm_address", EMAIL, **CONTEXT)
    assert mails(app)[0].sender == "The Team <team@example.com>"


@pytest.mark.parametrize(
    "to",
    ["a@example.com\r\nBcc: eve@example.com", "a@example.com, eve@example.com", "nobody", ""],
)
def test_only_one_plain_address_is_written_to(app: Flask, to: str) -> None:
    with app.app_context(), pytest.raises(mail.MailRefused) as trouble:
        mail.send("confirm_address", to, **CONTEXT)
    assert mails(app) == []
    assert "eve@example.com" not in str(trouble.value)


def test_a_subject_is_one_line(
    clean: None, make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brand, "NAME", "Two\r\nBcc: eve@example.com")
    app = make_app(mail_from="Team <team@example.com>")
    with app.app_context():
        mail.send("confirm_address", EMAIL, **CONTEXT)
    assert mails(app)[0].subject == "Confirm your address for Two Bcc: eve@example.com"
    assert mails(app)[0].recipient == EMAIL


def test_text_is_not_escaped_and_html_is(app: Flask) -> None:
    with app.app_context():
        mail.send("confirm_address", EMAIL, email="<b>o'hara</b>", url="http://x/")
    sent = mails(app)[0]
    assert "<b>o'hara</b>" in sent.text
    assert "&lt;b&gt;o&#39;hara&lt;/b&gt;" in sent.html


def test_a_refused_recipient_is_given_up_and_not_named(
    smtp_app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    fill(smtp_app.test_client(), "/confirm", email="refused@example.com")
    with smtp_app.app_context():
        (job,) = records.jobs("failed")
    assert "SMTPRecipientsRefused" in caplog.text
    assert "SMTPRecipientsRefused" in str(job.error)
    assert "refused@example.com" not in caplog.text + str(job.error)


def test_a_code_of_the_server_is_logged() -> None:
    error = smtplib.SMTPAuthenticationError(535, b"bad user hello@example.com")
    assert mail._reason(error) == "SMTPAuthenticationError 535"


def test_a_server_that_is_down_loses_no_account(
    clean: None, make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # Bound but not listening: every connection is refused.
        app = make_app(
            mail_backend="smtp", mail_server="127.0.0.1", mail_port=taken.getsockname()[1]
        )
        answer = fill(app.test_client(), "/signup", email=EMAIL, password="engine of analysis")
    assert (answer.status_code, answer.location) == (303, "/signup/sent")
    assert "'confirm_address' was not sent: ConnectionRefusedError" in caplog.text
    assert EMAIL not in "".join(
        r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR
    )
    working = make_app()
    later = utcnow() + timedelta(minutes=1)
    with working.app_context(), time_machine.travel(later, tick=False):
        assert running.run_next()
    assert "Confirm your address" in mails(working)[0].subject


def test_links_without_a_request(app: Flask) -> None:
    with app.app_context():
        assert mail.link("accounts.login", next=None) == "http://127.0.0.1:8000/login"
        assert mail.link("accounts.login", next="/a?b") == "http://127.0.0.1:8000/login?next=/a?b"
