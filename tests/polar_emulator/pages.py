"""Reading and sending pages as a browser without JavaScript does."""

from urllib.parse import urljoin

import httpx
from bs4 import BeautifulSoup, Tag

CARD = {"card_number": "4242 4242 4242 4242", "card_expiry": "12 / 34", "card_cvc": "123"}
BUYER = {"email": "jane@example.com", "name": "Jane Doe", "country": "US"}


def parse(response: httpx.Response) -> BeautifulSoup:
    """The page of an answer."""
    return BeautifulSoup(response.text, "html.parser")


def find(response: httpx.Response, testid: str) -> Tag:
    """The one element with a test id."""
    found = parse(response).select(f'[data-testid="{testid}"]')
    assert len(found) == 1, f"{len(found)} elements are {testid}"
    return found[0]


def has(response: httpx.Response, testid: str) -> bool:
    """Whether there is an element with a test id."""
    return bool(parse(response).select(f'[data-testid="{testid}"]'))


def text(response: httpx.Response, testid: str) -> str:
    """The text of the one element with a test id."""
    return " ".join(find(response, testid).get_text(" ").split())


def press(browser: httpx.Client, page: httpx.Response, testid: str, **typed: str) -> httpx.Response:
    """Send the form that a button is in, with what it holds and what was typed."""
    button = find(page, testid)
    form = button.find_parent("form")
    assert form is not None
    data = {
        str(field["name"]): str(field.get("value", ""))
        for field in form.select("input[name]:not([type=radio], [type=checkbox])")
    }
    if button.get("name"):
        data[str(button["name"])] = str(button["value"])
    target = urljoin(str(page.url), str(form.get("action") or page.url))
    return browser.post(target, data={**data, **typed})
