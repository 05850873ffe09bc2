"""Take out of a text what must not be kept in logs: addresses of people, tokens, secrets, hashes."""

import re

NAMES = r"[\w-]{0,40}(?:password|passwd|secret|token|api_?key)[\w-]{0,40}"
VALUE = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|(?!\[)[^\s,;&#'"<>(){}\]]+)"""
LEFT_OUT = "[left out]"

RULES = (
    # What gunicorn quotes of a request that is no HTTP may be any line of it.
    (
        re.compile(r"(?s)(Invalid request from ip=\S{0,64} [^'\"]{0,99}?)b?['\"].*"),
        rf"\1{LEFT_OUT}",
    ),
    # What PostgreSQL adds to an error quotes the row, up to the statement or the traceback after it.
    (
        re.compile(
            r"(?s)\b(DETAIL|CONTEXT):  .*?(?=\n\[SQL: |\n\(Background|\n\nThe above|\nTraceback|\Z)"
        ),
        rf"\1: {LEFT_OUT}",
    ),
    (
        re.compile(r"(invalid input (?:syntax|value) for [^:\n]{1,99}: )\"[^\n]*\""),
        rf"\1{LEFT_OUT}",
    ),
    (re.compile(r"(?i)\b(cookie['\"]?\s*[:=]\s*['\"]?)[^\r\n'\"]+"), rf"\1{LEFT_OUT}"),
    (re.compile(r"(__Host-\w+|\bsession|\bremember)=[^\s;,'\"]+"), rf"\1={LEFT_OUT}"),
    # The part after these paths opens an account.
    (re.compile(r"(/(?:reset-password|confirm|confirm-address)/)[^\s/?#\"'<>]+"), r"\1[token]"),
    (re.compile(r"\b(?:polar_[a-z]+_|whsec_)[\w+/=-]+"), "[secret]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 [secret]"),
    (re.compile(r"\$argon2\w*\$[^\s'\"]+"), "[hash]"),
    # In an address of a server; a number before a slash is its port.
    (re.compile(r"(?<=//)[^\s/@:'\"]{0,99}:(?!\d+/)[^\s@'\"]{0,300}@"), "[credentials]@"),
    (re.compile(rf"(?i)\b({NAMES}['\"]?\s*[=:]\s*){VALUE}"), rf"\1{LEFT_OUT}"),
    (re.compile(r"(?<=[?&])([\w.-]+)=(?!\[)[^\s&#\"'<>]+"), rf"\1={LEFT_OUT}"),
    (
        re.compile(
            r"[^\s<>()\[\]{},;:\"'=/?&|\\@][^\s<>()\[\]{},;:\"=/?&|\\@]{0,63}"
            r"@[^\s<>()\[\]{},;:\"'=/?&|\\@]*\w"
        ),
        "[e-mail]",
    ),
    (re.compile(r"[\w.+-]{1,64}%40[\w-]+(?:\.[\w-]+)*"), "[e-mail]"),
)


def redact(text: str) -> str:
    """Return ``text`` with a word in brackets for each thing that was taken out."""
    for pattern, instead in RULES:
        text = pattern.sub(instead, text)
    return text
