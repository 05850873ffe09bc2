from pathlib import Path

import links


def test_broken_links_and_headings_are_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# A Heading, with words\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md) [b](other.md#a-heading-with-words) [c](https://example.com/x) [d](#here)\n"
        "[e](missing.md) [f](other.md#missing) ![g](missing.png)\n\n## Here\n"
        "```\n[h](in-code.md)\n```\n"
    )
    assert links.broken_links(page) == ["missing.md", "other.md#missing", "missing.png"]
