"""IP addresses and URLs. New values are in ranges that are reserved for private use or documentation.

These ranges are private IPv4 addresses (RFC 1918), the IPv6 documentation prefix (RFC 3849) and example
domains (RFC 2606).
"""

from __future__ import annotations

from string import ascii_lowercase, digits

from understudy.tables.identifier_formats.base import IdentifierFormat, Part

_OCTET: Part = tuple(str(number) for number in range(100, 256))
_GROUP: Part = tuple("123456789abcdef")
_HEX: Part = tuple(digits + "abcdef")
_ALNUM: Part = tuple(digits + ascii_lowercase)
_BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"

_EXAMPLES: Part = ("example.com/", "example.net/", "example.org/")

_GROUPS = tuple(part for _ in range(6) for part in ((":",), _GROUP, _HEX, _HEX, _HEX))
IP_ADDRESSES = (
    # The ranges of private networks precede the general format. Each range therefore keeps its share in
    # samples.
    IdentifierFormat(
        "ipv4_192_168",
        "private IPv4 addresses that begin with 192.168",
        rf"192\.168(?:\.{_BYTE}){{2}}",
        (("192.168.",), _OCTET, (".",), _OCTET),
    ),
    IdentifierFormat(
        "ipv4_172_16",
        "private IPv4 addresses that begin with 172.16 to 172.31",
        rf"172\.(?:1[6-9]|2\d|3[01])(?:\.{_BYTE}){{2}}",
        (("172.",), tuple(str(number) for number in range(16, 32)), (".",), _OCTET, (".",), _OCTET),
    ),
    IdentifierFormat(
        "ipv4",
        "IPv4 addresses",
        rf"{_BYTE}(?:\.{_BYTE}){{3}}",
        (("10.",), _OCTET, (".",), _OCTET, (".",), _OCTET),
    ),
    # An approximate pattern is sufficient, because inference validates addresses with the standard library.
    IdentifierFormat("ipv6", "IPv6 addresses", r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*", (("2001:db8",), *_GROUPS)),
)
URLS = (
    IdentifierFormat(
        "url",
        "web addresses",
        r"(?:(?:https?|ftp|s3)://|www\.)[^\s/]+\.?[^\s]*",
        (tuple(f"https://{example}" for example in _EXAMPLES), *(_ALNUM,) * 10),
    ),
    IdentifierFormat(
        "web_domain",
        "web addresses without a scheme",
        r"(?:[a-zA-Z0-9-]+\.)+[a-zA-Z]{2,}(?:/\S*)?",
        (_EXAMPLES, *(_ALNUM,) * 10),
    ),
)
