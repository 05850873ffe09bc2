"""People in a hurry: they look around, sign up, buy, sign out and in, and note every answer they get."""

import itertools
import random
import re
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
from stack_parts import MailServer

PASSWORD = "correct horse battery staple"
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
STYLE_SHEET = re.compile(r'href="(/static/css/[^"]+)"')
PATIENCE_SECONDS = 75.0  # What a killed worker had in hand is taken up after half a minute.
PAGES = ("/", "/pricing", "/login", "/healthz", "/terms")
addresses = (f"127.0.{a}.{b}" for a in range(1, 250) for b in range(1, 250))


class VisitBrokenOff(Exception):
    """A request of a visit failed, so the visit ends; the ledger has it."""


@dataclass(frozen=True)
class Asked:
    """A request, from when to when, and what came of it (0: no answer)."""

    began: float
    ended: float
    method: str
    path: str
    status: int
    note: str = ""


@dataclass
class Ledger:
    """Everything that visitors saw."""

    asked: list[Asked] = field(default_factory=list)
    signed_up: list[str] = field(default_factory=list)
    bought: list[str] = field(default_factory=list)
    broken_off: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def failures(self) -> list[Asked]:
        """What got no answer, or not the one it should have."""
        return [one for one in self.asked if one.note]


class Visitor:
    """A browser with an address of its own, cookies, and a new connection for each request."""

    def __init__(self, base_url: str, trust: ssl.SSLContext, ledger: Ledger) -> None:
        self._base, self._ledger = base_url, ledger
        transport = httpx.HTTPTransport(
            verify=trust,
            local_address=next(addresses),
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        self._client = httpx.Client(base_url=base_url, transport=transport, timeout=40)

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def get(self, path: str) -> httpx.Response:
        """Ask for a page."""
        return self._ask("GET", path, {200, 303})

    def submit(self, path: str, *, form_at: str = "", **fields: str) -> httpx.Response:
        """Send a form with the token of the page it is on."""
        page = self.get(form_at or path)
        if found := TOKEN.search(page.text):
            fields["csrf_token"] = found[1]
        headers = {"Referer": self._base + (form_at or path), "Origin": self._base}
        return self._ask("POST", path, {302, 303}, data=fields, headers=headers)

    def _ask(self, method: str, path: str, wanted: set[int], **options: Any) -> httpx.Response:
        began, note, status = time.monotonic(), "", 0
        try:
            response = self._client.request(method, path, **options)
            status = response.status_code
            if status not in wanted:
                note = f"{status} {' '.join(re.sub('<[^>]+>', ' ', response.text).split())[:80]}"
        except httpx.HTTPError as error:
            note = f"{type(error).__name__}: {error}"
        asked = Asked(began, time.monotonic(), method, urlsplit(path).path, status, note)
        with self._ledger.lock:
            self._ledger.asked.append(asked)
        if note:
            raise VisitBrokenOff(note)
        return response


class Crowd:
    """Visitors in threads, until they are asked to stop."""

    def __init__(
        self, base_url: str, trust: ssl.SSLContext, mails: MailServer, polar: Any, product: str
    ) -> None:
        self.ledger = Ledger()
        self._base, self._trust, self._mails = base_url, trust, mails
        self._polar, self._product = polar, product
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._numbers = itertools.count(1)

    def start(self, readers: int, buyers: int) -> None:
        """Let them in."""
        for work in [self._read] * readers + [self._buy] * buyers:
            thread = threading.Thread(target=self._repeat, args=(work,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Let everybody finish what they are at."""
        self._over.set()
        for thread in self._threads:
            thread.join(2 * PATIENCE_SECONDS)

    def _repeat(self, work: Callable[[Visitor], None]) -> None:
        while not self._over.is_set():
            visitor = Visitor(self._base, self._trust, self.ledger)
            try:
                work(visitor)
            except VisitBrokenOff as error:
                with self.ledger.lock:
                    self.ledger.broken_off.append(str(error))
            finally:
                visitor.close()

    def _read(self, visitor: Visitor) -> None:
        for path in PAGES:
            page = visitor.get(path)
            for sheet in STYLE_SHEET.findall(page.text):  # Of another release, it may be.
                visitor.get(sheet)
            time.sleep(random.uniform(0.02, 0.1))

    def _buy(self, visitor: Visitor) -> None:
        email = f"visitor{next(self._numbers)}@example.com"
        visitor.submit("/signup", email=email, password=PASSWORD)
        self._note(self.ledger.signed_up, email)
        link = self._wait(lambda: self._link_for(email), f"no mail for {email}")
        visitor.submit(link)
        chosen = visitor.submit("/checkout", form_at="/pricing", product_id=self._product)
        secret = urlsplit(chosen.headers["location"]).path.rpartition("/")[2]
        paid = self._polar.complete_checkout(secret)
        if paid.status_code != 200:
            raise VisitBrokenOff(f"the checkout was refused: {paid.text[:200]}")
        back = urlsplit(paid.json()["success_url"])
        visitor.get(f"{back.path}?{back.query}")
        self._wait(lambda: self._may_read(visitor), f"{email} has no plan")
        self._note(self.ledger.bought, email)
        visitor.submit("/logout", form_at="/settings/account")
        visitor.submit("/login", email=email, password=PASSWORD)
        visitor.get("/dashboard")

    def _may_read(self, visitor: Visitor) -> bool:
        """What is for customers of the plan Pro sends others to the prices."""
        return visitor.get("/dashboard/reports").status_code == 200

    def _link_for(self, email: str) -> str:
        for mail in self._mails.to(email):
            if found := re.search(r"https://\S+(/confirm/\S+)", mail.text):
                return found[1]
        return ""

    def _wait(self, found: Callable[[], Any], otherwise: str) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (value := found()):
            if time.monotonic() > deadline:
                raise VisitBrokenOff(otherwise)
            time.sleep(0.1)
        return value

    def _note(self, names: list[str], email: str) -> None:
        with self.ledger.lock:
            names.append(email)
