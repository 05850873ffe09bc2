"""The style sheet: complete, small, one place for colours, and readable in both themes."""

import gzip
import re
from itertools import product

import pytest

from saas.config import ROOT

CSS = ROOT / "static" / "css"
ORDER = (CSS / "order.txt").read_text(encoding="utf-8").split()
TOKENS = (CSS / "tokens.css").read_text(encoding="utf-8")
SHEET = "\n".join((CSS / name).read_text(encoding="utf-8") for name in ORDER)
ICONS = (ROOT / "static" / "img" / "icons.svg").read_text(encoding="utf-8")
ROLES = dict(re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}, #[0-9a-f]{6})\);", TOKENS))
MAX_GZIP = 15 * 1024

BACKGROUNDS = ("page", "sunken", "surface", "raised")
TONES = ("positive", "warning", "critical", "neutral")
TEXT = [  # AA for text: 4.5 to 1
    *product(("text", "text-quiet", "accent", "accent-strong"), BACKGROUNDS),
    *product(("critical", "warning"), BACKGROUNDS),
    *((tone, f"{tone}-soft") for tone in TONES),
    *product(("accent", "accent-strong"), ("accent-soft",)),
    *product(("text", "text-quiet"), ("neutral-soft", "accent-soft")),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("page", "text"),
]
EDGES = list(product(("line-strong", "focus"), BACKGROUNDS))  # AA for controls: 3 to 1
PAIRS = [(*pair, 4.5) for pair in TEXT] + [(*pair, 3.0) for pair in EDGES]


def test_every_part_is_in_the_order_once() -> None:
    assert sorted(ORDER) == sorted(path.name for path in CSS.glob("*.css"))


def test_the_sheet_is_small() -> None:
    assert len(gzip.compress(SHEET.encode())) < MAX_GZIP


def test_colours_stand_in_the_tokens_only() -> None:
    for name in ORDER:
        if name != "tokens.css":
            text = (CSS / name).read_text(encoding="utf-8")
            assert not re.findall(r"#[0-9a-f]{3,8}\b(?=[;, ])", text), name


def test_the_sheet_fetches_nothing() -> None:
    assert "url(" not in SHEET
    assert "@import" not in SHEET


def test_every_property_that_is_used_is_defined() -> None:
    used = set(re.findall(r"var\((--[a-z0-9-]+)", SHEET))
    defined = set(re.findall(r"(--[a-z0-9-]+):", TOKENS))
    assert used <= defined


def test_every_icon_that_a_template_names_is_drawn() -> None:
    drawn = set(re.findall(r'id="([a-z-]+)"', ICONS))
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        named = set(re.findall(r'\bicon\("([a-z-]+)"', text)) | set(
            re.findall(r"icons.svg'\) }}#([a-z-]+)", text)
        )
        assert named <= drawn, path


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_contrast(front: str, back: str, least: float, theme: str) -> None:
    found = contrast(colour(front, theme), colour(back, theme))
    assert found >= least, f"{front} on {back}, {theme}: {found:.2f}"


def colour(role: str, theme: str) -> str:
    return ROLES[role].split(", ")[theme == "dark"]


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    channels = (int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5))
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
