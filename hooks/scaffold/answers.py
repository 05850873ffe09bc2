"""Which answers make a working project, and the sentence for each that does not."""

import re
import unicodedata
from pathlib import Path

LONGEST = {"name": 60, "slug": 50, "description": 200, "author": 100, "domain": 253, "email": 254}
SHAPES = {
    "slug": (
        r"[a-z0-9]+([-_][a-z0-9]+)*",
        "must be small letters, digits and single hyphens, such as my-saas",
    ),
    "domain": (
        r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])",
        "must be a domain without https:// and path, such as example.com",
    ),
    "email": (
        r"[A-Za-z0-9.!#$%&'*+/=?^_`|~-]+@([A-Za-z0-9-]+\.)+[A-Za-z0-9-]{2,}",
        "must be an e-mail address, such as hello@example.com",
    ),
}
LOCK = Path(__file__).resolve().parents[2] / "uv.lock"


def problem_with(kind: str, answer: str) -> "str | None":
    """Return one sentence about what is wrong with an answer, or ``None``.

    ``kind`` is name, slug, description, author, domain or email.
    """
    answer = answer.strip()
    if not answer:
        return f"The {kind} must not be empty."
    if len(answer) > LONGEST[kind]:
        return f"The {kind} must not be longer than {LONGEST[kind]} characters."
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in answer):
        return f"The {kind} must be one line without control characters."
    shape, rule = SHAPES.get(kind, (".*", ""))
    if not re.fullmatch(shape, answer):
        return f"The {kind} {answer!r} does not fit: it {rule}."
    if kind == "slug" and normal(answer) in locked_names():
        return (
            f"The slug {answer!r} is the name of a package that the project uses: choose another."
        )
    return None


def normal(name: str) -> str:
    """Return a package name in its normal form: ``My_App`` and ``my-app`` are the same."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked_names() -> "set[str]":
    """Return the names in ``uv.lock``: a project that is named like one of them cannot install it."""
    return set(re.findall(r'^name = "(.+)"$', LOCK.read_text(encoding="utf-8"), re.MULTILINE))
