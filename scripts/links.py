"""Check that each relative link of the Markdown files leads to a file, and to a heading in it."""

import re
import sys
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\]\(([^)\s]+)\)|<img[^>]+src=\"([^\"]+)\"")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
SKIPPED = {"hooks", ".venv", ".tools", ".git", "node_modules", "artifacts", "instance"}


def main() -> int:
    """Print each broken link; return how many there are."""
    pages = [p for p in sorted(ROOT.rglob("*.md")) if not SKIPPED & set(p.relative_to(ROOT).parts)]
    broken = [f"{page.relative_to(ROOT)}: {link}" for page in pages for link in broken_links(page)]
    print("\n".join(broken) if broken else f"{len(pages)} pages, every link leads somewhere.")
    return len(broken)


def broken_links(page: Path) -> list[str]:
    """Return the links of ``page`` that lead nowhere. Addresses on the web are not asked."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    links = (first or second for first, second in LINK.findall(text))
    return [link for link in links if ":" not in link and not _leads_somewhere(page, link)]


def _leads_somewhere(page: Path, link: str) -> bool:
    path, _, heading = link.partition("#")
    target = page.parent / unquote(path) if path else page
    if not target.exists():
        return False
    return not heading or target.suffix != ".md" or heading in anchors(target)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes from the headings of a page."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


if __name__ == "__main__":
    sys.exit(main())
