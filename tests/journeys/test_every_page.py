"""Every page there is, light and dark, on a phone and on a big screen: nothing shuts anybody out, nothing
sticks out, and public pages weigh little."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from saas.seeds import DEMO_EMAIL, DEMO_PASSWORD
from tests.journeys.conftest import ARTEFACTS, Site, axe_of

pytestmark = pytest.mark.browser

LOOKS = [("light", 1280), ("light", 360), ("dark", 1280), ("dark", 360)]
NO_PAGES = (
    "/healthz",
    "/readyz",
    "/metrics",
    "/robots.txt",
    "/sitemap.xml",
    "/site.webmanifest",
    "/checkout/returned",
    "/settings/billing/returned",
)
PUBLIC = (
    "/",
    "/pricing",
    "/login",
    "/signup",
    "/forgot-password",
    "/confirm",
    "/terms",
    "/privacy",
)
MAX_REQUESTS, MAX_BYTES = 6, 60_000


@pytest.fixture(scope="module")
def pages(site: Site) -> list[str]:
    """The addresses of all routes that take GET and no arguments, as the application lists them."""
    found = []
    for line in site.flask("routes").splitlines()[2:]:
        rule = line.split()[-1]
        if "GET" in line and "<" not in rule and not rule.startswith(NO_PAGES):
            found.append(rule)
    assert set(PUBLIC) <= set(found)
    return found


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def window(browser: Any, site: Site, request: pytest.FixtureRequest) -> Iterator[Any]:
    scheme, width = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 800}, base_url=site.url, color_scheme=scheme
    )
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def test_a_visitor_can_use_every_page(
    window: Any, pages: list[str], look: Callable[[Any, str], None]
) -> None:
    for path in [*pages, "/nothing-here", "/reset-password/broken", "/confirm/broken"]:
        look(window, path)


def test_a_customer_can_use_every_page(
    window: Any, site: Site, pages: list[str], look: Callable[[Any, str], None]
) -> None:
    enter(window)
    subscribe(window, site)
    for path in [*pages, "/dashboard", "/settings/billing/plan?product_id=0"]:
        look(window, path)


@pytest.mark.parametrize("path", PUBLIC)
def test_a_public_page_weighs_little(browser: Any, site: Site, path: str) -> None:
    context = browser.new_context(base_url=site.url)
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    weights: list[float] = []
    wire.on("Network.loadingFinished", lambda event: weights.append(event["encodedDataLength"]))
    page.goto(path, wait_until="networkidle")
    blocking = page.evaluate(
        "performance.getEntriesByType('resource')"
        ".filter(entry => entry.renderBlockingStatus === 'blocking').map(entry => entry.name)"
    )
    context.close()
    assert len(weights) <= MAX_REQUESTS
    assert 0 < sum(weights) < MAX_BYTES
    assert [urlsplit(name).path.rpartition(".")[2] for name in blocking] == ["css"]


@pytest.fixture
def look(request: pytest.FixtureRequest) -> Iterator[Callable[[Any, str], None]]:
    """Open a page, save a picture, and note what axe finds and whether it is wider than the window."""
    folder = ARTEFACTS / re.sub(r"\W+", "-", request.node.name).strip("-")
    folder.mkdir(parents=True, exist_ok=True)
    troubles: list[str] = []
    seen: set[str] = set()

    def judge(page: Any, path: str) -> None:
        page.goto(path)
        where = page.url.partition("?next=")[
            0
        ]  # A visitor is sent to the sign-in page again and again.
        if where in seen:
            return
        seen.add(where)
        name = re.sub(r"\W+", "-", path).strip("-") or "home"
        page.screenshot(path=folder / f"{name}.png", full_page=True)
        found = axe_of(page)
        if found.violations_count:
            troubles.append(f"{path}\n{found.generate_report()}")
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if overflow > 0:
            troubles.append(f"{path} is {overflow} pixels too wide")

    yield judge
    assert not troubles, "\n".join(troubles)


def enter(page: Any) -> None:
    page.goto("/login")
    page.get_by_label("E-mail").fill(DEMO_EMAIL)
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")


def subscribe(page: Any, site: Site) -> None:
    """Give the demo account a plan, unless it has one."""
    page.goto("/pricing")
    button = page.get_by_test_id("choose-pro-monthly")
    if not button.count():
        return
    button.click()
    page.wait_for_url(f"{site.polar.url}/**")
    secret = urlsplit(page.url).path.rpartition("/")[2]
    assert site.polar.complete_checkout(secret).status_code == 200
    site.polar.wait_idle()
