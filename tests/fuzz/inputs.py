"""Input that nobody would send by mistake: each kind of request made by hypothesis."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from tests.browsing import PASSWORD

UUID = "6f1c0f6a-1111-4222-8333-444455556666"
NASTY = [
    "",
    "0",
    "-1",
    "1e400",
    "NaN",
    "9" * 40,
    "null",
    "true",
    "\x00",
    "a\x00b",
    "\ud800",
    "\u202e\u0000",
    "İıſK",
    "../../../etc/passwd",
    "..%2f..%2f",
    "/..;/",
    "\\\\host\\share",
    "//evil.example",
    "https://evil.example/",
    "javascript:alert(1)",
    "{{7*7}}",
    "{% raw %}",
    "%s%n%d",
    "<script>alert(1)</script>",
    "' OR 1=1 --",
    '"; DROP TABLE users; --',
    "$(id)",
    "a\r\nSet-Cookie: x=1",
    "x" * 300,
    "x" * 5000,
    "é" * 200,
    UUID,
    UUID.upper(),
    "ada@example.com",
    "a@" + "b" * 250 + ".com",
    "a@b.c\r\nBcc: x@y.z",
    "month",
    "year",
    PASSWORD,
]
FIELDS = [
    "email",
    "password",
    "current_password",
    "remember",
    "next",
    "product_id",
    "interval",
    "checkout_id",
    "subscription",
    "subscription_id",
    "behavior",
    "fingerprint",
    "reason",
    "comment",
    "months",
    "metadata",
    "csrf_token",
    "page",
    "theme",
    "customer_session_token",
]
METHODS = [
    "GET",
    "HEAD",
    "POST",
    "POST",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "BREW",
]
TYPES = [
    "application/x-www-form-urlencoded",
    "application/json",
    "application/problem+json",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "text/plain; charset=nonsense",
    "application/x-www-form-urlencoded; charset=utf-16",
    "/",
    "",
]
HEADERS = {
    "Accept": ["application/json", "text/html", "*/*;q=x", ",,,", "a/b;q=1e400", "text/*"],
    "Accept-Language": ["de", "x" * 300, ";q=9"],
    "Accept-Encoding": ["gzip;q=nan", "br", "identity;q=0"],
    "Authorization": ["Basic !!!!", "Basic OjpuOg==", "Bearer x", "Digest a=b"],
    "Content-Length": ["-1", "x", "99999999999", "0"],
    "Cookie": ["session=x", "__Host-session=.eJw", "remember=|", "a=b; a=c; =;", "\xff=\xff"],
    "If-Modified-Since": [
        "yesterday",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Mon, 99 Foo 99999 00:00:00",
    ],
    "If-None-Match": ["*", '"x"', 'W/"', "\xff"],
    "Range": ["bytes=0-0", "bytes=-1", "bytes=9-1", "bytes=" + "0-," * 200, "x=y"],
    "Referer": ["http://[", "https://evil.example/", "\xff"],
    "Origin": ["null", "https://evil.example"],
    "User-Agent": ["", "x" * 2000, "\x01\xff"],
    "X-CSRFToken": ["x", "\xff", "a.b.c"],
    "X-Forwarded-For": ["x", "1.2.3.4, ::1", "'", "\xff"],
    "X-Forwarded-Host": ["evil.example", "[", "\xff"],
    "X-Forwarded-Proto": ["https", "x", ""],
    "X-HTTP-Method-Override": ["DELETE"],
    "X-Request-ID": ["\xff", "a b", "x" * 500],
    "Host": ["127.0.0.1:8000", "evil.example", "[", "localhost", "\xff", "127.0.0.1:x"],
    "Transfer-Encoding": ["chunked", "gzip"],
    "Expect": ["100-continue", "x"],
    "Upgrade": ["websocket"],
}
ALIAS = "localhost:8000"  # Leads to the name in BASE_URL.

words = st.one_of(st.sampled_from(NASTY), st.text(max_size=30))
names = st.one_of(st.sampled_from(FIELDS), st.text(max_size=8))
pairs = st.lists(st.tuples(names, words), max_size=6)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    words,
    st.just(10**400),
    st.just(-(2**63) - 1),
)
json_values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
    max_leaves=12,
)


@dataclass
class Request:
    """One request, ready to be sent."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""
    signed_in: bool = False
    with_token: bool = False
    fields: list[tuple[str, str]] = field(default_factory=list)


def encoded(text: str, safe: str = "") -> str:
    """Percent-encode text, halves of UTF-16 pairs included."""
    return quote(text.encode("utf-8", "surrogatepass"), safe=safe)


@st.composite
def requests(draw: st.DrawFn, template: str, gaps: list[str]) -> Request:
    """Draw a request to an address, given as format and names of the gaps."""
    values = {gap: draw(st.one_of(st.just(UUID), st.just("1"), words)) for gap in gaps}
    path = template.format(**{gap: encoded(value) for gap, value in values.items()})
    if draw(st.integers(0, 19)) == 0:
        path += draw(
            st.sampled_from(["/", "//", "/.", "%00", "%ff", "?", ";x", "%2e%2e/", "%0d%0aX:y"])
        )
    request = Request(draw(st.sampled_from(METHODS)), path, _urlencoded(draw(pairs)), {})
    request.signed_in, request.with_token = draw(st.booleans()), draw(st.booleans())
    for name in draw(st.lists(st.sampled_from(sorted(HEADERS)), max_size=3, unique=True)):
        if name == "Host" and draw(st.integers(0, 3)):
            continue  # Most would end at the door.
        request.headers[name] = draw(st.sampled_from(HEADERS[name]))
    if draw(st.integers(0, 9)) == 0:
        request.headers["Host"] = ALIAS
    _add_body(draw, request)
    return request


def _add_body(draw: st.DrawFn, request: Request) -> None:
    kind = draw(st.sampled_from(["none", "form", "form", "json", "multipart", "raw"]))
    if kind == "none":
        return
    if kind == "form":
        request.fields = draw(pairs)
        request.headers["Content-Type"] = TYPES[0]
        request.body = _urlencoded(request.fields).encode()
    elif kind == "json":
        request.headers["Content-Type"] = TYPES[1]
        request.body = dumps(draw(json_values))
    elif kind == "multipart":
        request.headers["Content-Type"] = "multipart/form-data; boundary=x"
        request.body = _multipart(draw(pairs), draw(st.booleans()))
    else:
        request.headers["Content-Type"] = draw(st.sampled_from(TYPES))
        request.body = draw(st.binary(max_size=60))


def dumps(value: Any) -> bytes:
    """Write JSON, or nearly: NaN and lone surrogates as Python writes them."""
    return json.dumps(value).encode()


def _urlencoded(items: list[tuple[str, str]]) -> str:
    return urlencode([(_bytes(name), _bytes(value)) for name, value in items])


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _multipart(items: list[tuple[str, str]], ends: bool) -> bytes:
    parts = b""
    for name, value in items:
        disposition = f'form-data; name="{name}"' + ('; filename="../x"' if "/" in value else "")
        parts += f"--x\r\nContent-Disposition: {disposition}\r\n\r\n{value}\r\n".encode(
            "utf-8", "surrogatepass"
        )
    return parts + (b"--x--\r\n" if ends else b"")
