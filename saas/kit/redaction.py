"""Take out of a text what must not be kept in logs: addresses of people, tokens, secrets, hashes."""

import re

RULES = (
    # The part after these paths opens an account.
    (re.compile(r"(/(?:reset-password|confirm|confirm-address)/)[^\s/?#\"'<>]+"), r"\1[token]"),
    (re.compile(r"\b(?:polar_[a-z]+_|whsec_)[\w+/=-]+"), "[secret]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 [secret]"),
    (re.compile(r"\$argon2\w*\$[^\s'\"]+"), "[hash]"),
    (
        re.compile(r"(?<=//)[^\s/@:'\"]*:[^\s/@'\"]*@"),
        "[credentials]@",
    ),  # In an address of a server.
    (
        re.compile(r"[^\s<>()\[\]{},;:\"'=/?&|\\]+@[^\s<>()\[\]{},;:\"'=/?&|\\]+\.[\w-]+"),
        "[e-mail]",
    ),
    (re.compile(r"[\w.+-]+(?:%40)[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
    (re.compile(r"(?<=[?&])([\w.-]+)=[^\s&#\"'<>]+"), r"\1=[left out]"),
)


def redact(text: str) -> str:
    """Return ``text`` with a word in brackets for each thing that was taken out."""
    for pattern, instead in RULES:
        text = pattern.sub(instead, text)
    return text
