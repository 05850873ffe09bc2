"""The front of the stack: deploy/nginx.conf with other addresses, and the local Polar under the real name.

In production the application speaks to Polar over https only, and never to this machine. The rehearsal
changes nothing about that: the application gets a proxy (HTTPS_PROXY), which leads the real name to the
local Polar, and a certificate authority of its own (SSL_CERT_FILE), which vouches for it.
"""

import asyncio
import os
import re
import shutil
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

from stack_parts import Process, StackError, free_port

POLAR_NAME = "sandbox-api.polar.sh"
NAMES = f"subjectAltName=DNS:localhost,DNS:{POLAR_NAME},IP:127.0.0.1"
DRAIN_SECONDS = 40.0
KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]

AROUND = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/app.conf;

    # The local Polar trusts public authorities only, so its deliveries come in without TLS.
    server {{
        listen 127.0.0.1:{plain};
        access_log {folder}/app.log app;
        location = /webhooks/polar {{
            proxy_set_header Connection close;
            proxy_set_header Host localhost;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto https;
            proxy_next_upstream error timeout http_502 http_503 http_504 non_idempotent;
            proxy_pass http://app;
        }}
    }}
    server {{
        listen 127.0.0.1:{polar} ssl;
        ssl_certificate {folder}/site.pem;
        ssl_certificate_key {folder}/site.key;
        access_log off;
        location / {{
            proxy_pass {polar_url};
        }}
    }}
}}
"""


class Front:
    """nginx before the instances. ``backends`` are their ports, ``plain`` is that for deliveries."""

    def __init__(
        self, source: Path, folder: Path, backends: list[int], plain: int, polar_url: str
    ) -> None:
        self.folder, self.backends, self.plain = folder, backends, plain
        self.port, self.redirecting, self.polar = free_port(), free_port(), free_port()
        self._source = source.read_text(encoding="utf-8")
        self._out: set[int] = set()
        make_certificates(folder)
        around = AROUND.format(
            folder=folder, plain=self.plain, polar=self.polar, polar_url=polar_url,
            user="user root;" if os.geteuid() == 0 else "",
        )  # fmt: skip
        (folder / "nginx.conf").write_text(around)
        command = [str(find_nginx()), "-p", str(folder), "-c", str(folder / "nginx.conf")]
        self.process = Process("nginx", command, folder, {}, folder / "nginx.log")
        self._check = [*command, "-t", "-q"]

    @property
    def url(self) -> str:
        """The address for visitors, and the application's BASE_URL."""
        return f"https://localhost:{self.port}"

    def start(self) -> None:
        """Write the configuration, let nginx check it, start."""
        self._write()
        done = subprocess.run(self._check, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StackError(f"nginx refuses deploy/nginx.conf:\n{done.stderr}")
        self.process.start()
        self.process.wait_until((self.folder / "nginx.pid").exists)

    def take_out(self, backend: int) -> None:
        """Send nothing new to an instance, from the return of this function on."""
        self._out.add(backend)
        self._reload()

    def put_back(self, backend: int) -> None:
        """Send requests to it again."""
        self._out.discard(backend)
        self._reload()

    def _reload(self) -> None:
        """Let nginx read its configuration, and wait until what works by the old one has ended."""
        before = self._workers()
        self._write()
        subprocess.run([*self._check[:5], "-s", "reload"], capture_output=True, check=True)
        deadline = time.monotonic() + DRAIN_SECONDS
        while before & self._workers() and time.monotonic() < deadline:
            time.sleep(0.05)

    def _workers(self) -> set[int]:
        master = (self.folder / "nginx.pid").read_text().strip()
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", master], capture_output=True, text=True, check=False
        )
        return {int(word) for word in listed.stdout.split()}

    def _write(self) -> None:
        (self.folder / "app.conf").write_text(self.configuration())

    def configuration(self) -> str:
        """deploy/nginx.conf with the addresses of this rehearsal."""
        servers = "\n".join(
            f"    server 127.0.0.1:{port} max_fails=1 fail_timeout=2s"
            + (" down;" if port in self._out else ";")
            for port in self.backends
        )
        text = re.sub(r"(    server 10\.\S+ .*;\n?)+", lambda _: servers + "\n", self._source)
        for old, new in {
            "listen 80;": f"listen 127.0.0.1:{self.redirecting};",
            "listen 443 ssl;": f"listen 127.0.0.1:{self.port} ssl;",
            "app.example.com;": "localhost;",
            "https://app.example.com$": f"{self.url}$",
            "/etc/letsencrypt/live/app.example.com/fullchain.pem": f"{self.folder}/site.pem",
            "/etc/letsencrypt/live/app.example.com/privkey.pem": f"{self.folder}/site.key",
            "/var/log/nginx/app.log": f"{self.folder}/app.log",
        }.items():
            if old not in text:
                raise StackError(f"deploy/nginx.conf does not say {old!r} any more.")
            text = text.replace(old, new)
        return text


class Tunnel:
    """A proxy for https that leads the name of Polar to nginx here, and refuses every other name."""

    def __init__(self, polar_port: int) -> None:
        self.port, self._polar_port = free_port(), polar_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Tunnel":
        self._thread.start()
        serving = asyncio.start_server(self._serve, "127.0.0.1", self.port)
        asyncio.run_coroutine_threadsafe(serving, self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _end(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.split()[:2] != [b"CONNECT", f"{POLAR_NAME}:443".encode()]:
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._polar_port)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with suppress(asyncio.CancelledError):  # It is the end of everything, and no error.
            await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    target.close()


def make_certificates(folder: Path) -> None:
    """Make an authority (``ca.pem``) and a certificate of it (``site.pem``) for a day."""
    signer = ["-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key"]
    for arguments in (
        ["-keyout", f"{folder}/ca.key", "-out", f"{folder}/ca.pem", "-subj", "/CN=A rehearsal",
         "-addext", "keyUsage=critical,keyCertSign"],
        ["-keyout", f"{folder}/site.key", "-out", f"{folder}/site.pem", "-subj", "/CN=localhost",
         *signer, "-addext", NAMES, "-addext", "basicConstraints=critical,CA:FALSE"],
    ):  # fmt: skip
        command = ["openssl", "req", "-x509", *KEY, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StackError(f"openssl made no certificate: {done.stderr[-500:]}")


def find_nginx() -> Path | None:
    """Return the path of nginx, which Debian keeps out of the PATH of users."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    return Path(found) if found else None
