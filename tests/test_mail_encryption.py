"""Mail goes only to a server that proves its name: by TLS from the start and by STARTTLS, both real."""

import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from flask import Flask

from saas import mail
from tests.accounts.pages import EMAIL
from tests.scripts.running import free_ports

NAME = "localhost"
FROM_THE_START = {"mail_use_ssl": True, "mail_use_tls": False}
STARTTLS = {"mail_use_ssl": False, "mail_use_tls": True}
BOTH = pytest.mark.parametrize(
    "how", [FROM_THE_START, STARTTLS], ids=["from the start", "STARTTLS"]
)


@dataclass
class MailServer:
    """What it was sent, and with whose certificate it may be trusted."""

    certificate: Path
    port: int = 0
    messages: list[bytes] = field(default_factory=list)

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:  # noqa: N802
        """Take a message; aiosmtpd calls this."""
        self.messages.append(envelope.content)
        return "250 OK"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for one name that nobody else has signed, and its key beside it."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("certificate")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += [
        "-nodes",
        "-days",
        "2",
        "-subj",
        f"/CN={NAME}",
        "-addext",
        f"subjectAltName=DNS:{NAME}",
    ]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "certificate.pem"


@pytest.fixture
def server(certificate: Path, how: dict[str, bool]) -> Iterator[MailServer]:
    (port,) = free_ports(1)
    server = MailServer(certificate, port)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, certificate.with_name("key.pem"))
    options = {"ssl_context": tls} if how["mail_use_ssl"] else {"tls_context": tls}
    if not how["mail_use_ssl"]:
        options["require_starttls"] = True
    controller = Controller(server, hostname="127.0.0.1", port=port, **options)
    controller.start()
    yield server
    controller.stop()


@pytest.fixture
def send_to(
    clean: None, make_app: Callable[..., Flask], server: MailServer, how: dict[str, bool]
) -> Callable[[str], None]:
    """Send a mail to the server under one of its names."""

    def send(name: str) -> None:
        app = make_app(mail_backend="smtp", mail_server=name, mail_port=server.port, **how)
        with app.app_context():
            mail.send("confirm_address", EMAIL, email=EMAIL, url="http://x/")

    return send


@BOTH
def test_a_certificate_that_nobody_vouches_for_is_refused(
    server: MailServer, send_to: Callable[[str], None]
) -> None:
    with pytest.raises(mail.MailNotSent, match="SSLCertVerificationError"):
        send_to(NAME)
    assert server.messages == []


@BOTH
def test_a_certificate_of_another_name_is_refused(
    server: MailServer, send_to: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    with pytest.raises(mail.MailNotSent, match="SSLCertVerificationError"):
        send_to("127.0.0.1")
    assert server.messages == []


@BOTH
def test_who_proves_its_name_gets_the_mail(
    server: MailServer, send_to: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    send_to(NAME)
    assert len(server.messages) == 1
