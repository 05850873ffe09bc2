"""The pages for everybody, and what machines ask for."""

from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient

from saas import brand
from tests.billing.catalogue_data import product, put

PUBLIC = ["/", "/pricing", "/terms", "/privacy", "/login", "/signup", "/forgot-password", "/nope"]


def page(client: FlaskClient, url: str) -> BeautifulSoup:
    return BeautifulSoup(client.get(url).text, "html.parser")


def one(soup: BeautifulSoup, selector: str) -> Tag:
    found = soup.select(selector)
    assert len(found) == 1, f"{len(found)} of {selector}"
    return found[0]


def is_there(client: FlaskClient, url: str) -> bool:
    with client.get(url) as response:  # Closes the file that is sent.
        return response.status_code == 200


@pytest.mark.parametrize("url", PUBLIC)
def test_every_page_has_its_landmarks_and_a_title(client: FlaskClient, url: str) -> None:
    soup = page(client, url)
    assert brand.NAME in one(soup, "title").text
    assert one(soup, "h1").get_text(strip=True)
    one(soup, "main#main")
    assert one(soup, "a.skip-link")["href"] == "#main"
    assert one(soup, "html")["lang"] == "en"
    assert one(soup, "meta[name=description]")["content"]
    labels = [nav.get("aria-label") for nav in soup.select("nav")]
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize("url", PUBLIC)
def test_no_page_needs_what_the_policy_forbids(client: FlaskClient, url: str) -> None:
    soup = page(client, url)
    assert not soup.select("script, style, [style], iframe")
    assert not [tag.name for tag in soup.find_all() if any(name[:2] == "on" for name in tag.attrs)]
    for tag in soup.select("[src], link[href], use[href]"):
        address = str(tag.get("src") or tag.get("href"))
        assert address.startswith("/"), f"{address} is not ours"
    assert len(soup.select("link[rel=stylesheet]")) == 1


@pytest.mark.parametrize("url", PUBLIC)
def test_every_file_that_a_page_names_is_there(client: FlaskClient, url: str) -> None:
    soup = page(client, url)
    named = {
        str(tag.get("src") or tag.get("href"))
        for tag in soup.select("[src], link[href], use[href]")
    }
    for address in {name.partition("#")[0] for name in named}:
        assert is_there(client, address), address


def test_home_leads_to_sign_up_and_prices(client: FlaskClient) -> None:
    soup = page(client, "/")
    assert one(soup, "h1").get_text(strip=True) == brand.TAGLINE
    links = {str(link["href"]) for link in soup.select("main a[href]")}
    assert {"/signup", "/pricing"} <= links


def test_home_shows_three_plans_and_no_one_time_purchase(app: Flask, client: FlaskClient) -> None:
    assert not page(client, "/").select(".price-card")
    with app.app_context():
        put(
            *(product(f"Plan {n}", 100 * n) for n in range(1, 5)),
            product("Once", 50, interval=None),
        )
    cards = page(client, "/").select(".price-card .price-name")
    assert [card.get_text(strip=True) for card in cards] == ["Plan 1", "Plan 2", "Plan 3"]


@pytest.mark.parametrize("url", ["/terms", "/privacy"])
def test_legal_pages_name_who_answers(client: FlaskClient, url: str) -> None:
    text = one(page(client, url), "main").get_text(" ", strip=True)
    assert brand.AUTHOR in text
    assert brand.EMAIL in text
    assert "lawyer" in text


def test_privacy_says_how_long_messages_of_polar_stay(client: FlaskClient) -> None:
    assert "90 days, also when you delete the account" in page(client, "/privacy").get_text()


def test_robots_keeps_the_private_part_out(client: FlaskClient) -> None:
    response = client.get("/robots.txt")
    assert response.mimetype == "text/plain"
    assert "Disallow: /settings/" in response.text
    assert "Sitemap: http://127.0.0.1:8000/sitemap.xml" in response.text


def test_sitemap_trusts_the_settings_and_not_the_headers(client: FlaskClient) -> None:
    response = client.get("/sitemap.xml", headers={"X-Forwarded-Host": "evil.example"})
    addresses = [node.text for node in ElementTree.fromstring(response.text).iter() if node.text]
    listed = [address for address in addresses if address.strip()]
    assert "http://127.0.0.1:8000/pricing" in listed
    assert all(address.startswith("http://127.0.0.1:8000/") for address in listed)


def test_every_address_of_the_sitemap_is_a_page(client: FlaskClient) -> None:
    for node in ElementTree.fromstring(client.get("/sitemap.xml").text).iter():
        if node.tag.endswith("loc"):
            path = str(node.text).removeprefix("http://127.0.0.1:8000")
            assert client.get(path).status_code == 200, path


def test_manifest_names_the_product_and_icons_that_exist(client: FlaskClient) -> None:
    response = client.get("/site.webmanifest")
    assert response.mimetype == "application/manifest+json"
    manifest = response.get_json(force=True)
    assert manifest["name"] == brand.NAME
    for icon in manifest["icons"]:
        assert is_there(client, icon["src"])


def test_health_answers_without_a_database(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}
