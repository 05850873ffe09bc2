"""The table of OWASP's requirements is whole, and points at tests and headings that exist."""

import re

import pytest

from saas.config import ROOT

TEXT = (ROOT / "docs/asvs.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("| V")
]
# The requirements of level 1 in ASVS 5.0.0, by section.
LEVEL_1 = {
    "1.2": range(1, 6),
    "1.3": (1, 2),
    "1.5": (1,),
    "2.1": (1,),
    "2.2": (1, 2),
    "2.3": (1,),
    "3.2": (1, 2),
    "3.3": (1,),
    "3.4": (1, 2),
    "3.5": (1, 2, 3),
    "4.1": (1,),
    "4.4": (1,),
    "5.2": (1, 2),
    "5.3": (1, 2),
    "6.1": (1,),
    "6.2": range(1, 9),
    "6.3": (1, 2),
    "6.4": (1, 2),
    "7.2": range(1, 5),
    "7.4": (1, 2),
    "8.1": (1,),
    "8.2": (1, 2),
    "8.3": (1,),
    "9.1": (1, 2, 3),
    "9.2": (1,),
    "10.4": range(1, 6),
    "11.3": (1, 2),
    "11.4": (1,),
    "12.1": (1,),
    "12.2": (1, 2),
    "13.4": (1,),
    "14.2": (1,),
    "14.3": (1,),
    "15.1": (1,),
    "15.2": (1,),
    "15.3": (1,),
}
NOT_OURS = ("Does not apply: ", "The proxy's part: ")


def test_every_requirement_is_there_once_and_in_order() -> None:
    wanted = [f"V{section}.{number}" for section, numbers in LEVEL_1.items() for number in numbers]
    assert len(wanted) == 70
    assert [row[0] for row in ROWS] == wanted


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_has_a_place_and_a_proof_that_exist(row: list[str]) -> None:
    _, asks, where, proof = row
    assert asks
    assert where
    assert proof or where.startswith(NOT_OURS)
    named = re.findall(r"`((?:saas|tests|docs)/[^`]+)`", where + proof)
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_links_lead_to_headings() -> None:
    for name, anchor in re.findall(r"\]\(([a-z-]+\.md)(?:#([a-z-]+))?\)", TEXT):
        page = (ROOT / "docs" / name).read_text(encoding="utf-8")
        headings = {
            re.sub(r"[^a-z ]", "", line.lstrip("# ").lower()).replace(" ", "-")
            for line in page.splitlines()
            if line.startswith("#")
        }
        assert not anchor or anchor in headings


def test_the_numbers_in_the_text_are_those_in_the_code() -> None:
    from saas.accounts import limits, sign_ins
    from saas.billing import api, decision_views, invoice_views, views

    text = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    for limit in (limits.PER_ACCOUNT, limits.PER_NETWORK, limits.CALLS_PER_NETWORK):
        assert limit.replace(" per ", " a ").replace("a hour", "an hour").replace(";", ",") in text
    for limit in (
        api.API_LIMIT,
        invoice_views.INVOICE_LIMIT,
        views.CHECKOUT_LIMIT,
        decision_views.CHANGE_LIMIT,
    ):
        assert f"| {limit.replace(' per ', ' a ')} |" in text
    ordinary, remembered = sign_ins.ORDINARY, sign_ins.REMEMBERED
    hours = ordinary.unused.total_seconds() / 3600
    assert f"after {hours:.0f} hours without use, and after {ordinary.at_most.days} days" in text
    assert f"after {remembered.unused.days} and {remembered.at_most.days} days" in text
