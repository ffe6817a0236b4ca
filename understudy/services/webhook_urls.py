"""Checks of the URLs of webhooks, which prevent requests to private networks (server-side request forgery).

The form of a URL is checked when a webhook is created or changed. The addresses of its host are also checked
before each request, which is then sent to one of the checked addresses. Changing the addresses of a host
between the check and the request (DNS rebinding) therefore has no effect.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from understudy.errors import InvalidInput

Network = IPv4Network | IPv6Network

URL_LENGTH_MAX = 2048
# Maximum duration of a lookup when a webhook is created or changed.
CHECK_SECONDS_MAX = 3.0
# Number of threads for lookups. It exceeds the number of concurrent requests in a worker because a lookup
# that has timed out keeps its thread.
N_LOOKUPS = 16
DEFAULT_PORTS = {"http": 80, "https": 443}
VISIBLE_ASCII = re.compile(r"[!-~]+")
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
# The last label of a name is never a number. Resolvers read hosts such as `127.1`, `0x7f000001` and
# `2130706433` as IPv4 addresses (WHATWG URL standard, "ends in a number").
NAME = re.compile(rf"(?=.{{1,253}}$)(?:{LABEL}\.)*(?!(?:[0-9]+|0x[0-9a-f]*)$){LABEL}", re.IGNORECASE)

# Networks that are not reachable over the Internet, from the special-purpose registries of IANA (RFC 6890).
# They are listed here because the properties of `ipaddress` depend on the version of Python.
PRIVATE_V4 = tuple(
    IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
)
# All other IPv6 addresses are private, local, multicast or reserved, or contain an IPv4 address (NAT64,
# IPv4-mapped).
GLOBAL_V6 = IPv6Network("2000::/3")
# Special-purpose parts of the global network: protocol assignments (with Teredo), the first prefix for
# documentation, 6to4, and the second prefix for documentation.
PRIVATE_V6 = tuple(IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))


class UrlRules(Protocol):
    """The settings that determine which URLs are allowed."""

    @property
    def webhook_http(self) -> bool: ...
    @property
    def webhook_ports(self) -> Sequence[int]: ...
    @property
    def webhook_networks(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Target:
    """The parts of an allowed URL that a request needs."""

    scheme: str
    host: str
    port: int
    # The path with the query.
    path: str

    @property
    def host_header(self) -> str:
        """The value of the header `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def check_url(url: str, rules: UrlRules) -> None:
    """Check the form of a URL and the addresses of its host.

    Raises
    ------
    InvalidInput
        If the form is not allowed, the host has no address, or one of its addresses is not allowed. The
        message is the same for all hosts, so that it reveals nothing about private networks.
    """
    target = read_url(url, rules)
    if not find_addresses(target, rules, seconds=CHECK_SECONDS_MAX):
        raise _invalid(
            "The host of `url` has no public address. Use a host that can be reached from the Internet."
        )


def read_url(url: str, rules: UrlRules) -> Target:
    """Return the parts of a URL.

    Raises
    ------
    InvalidInput
        If the scheme, the host or the port is not allowed, or the URL contains a user name or a fragment.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _invalid("`url` is not a URL. Use a URL such as https://example.org/webhook.") from error
    if len(url) > URL_LENGTH_MAX or not VISIBLE_ASCII.fullmatch(url) or "\\" in url:
        raise _invalid(
            f"`url` must consist of at most {URL_LENGTH_MAX} visible ASCII characters other than "
            "backslashes. Write the host in Punycode, and percent-encode other characters in the path."
        )
    schemes = ("https", "http") if rules.webhook_http else ("https",)
    if parts.scheme not in schemes or not parts.hostname:
        raise _invalid(
            f"`url` must begin with {' or '.join(f'{name}://' for name in schemes)}, followed by a host."
        )
    if "@" in parts.netloc or "#" in url:
        raise _invalid("`url` must not contain a user name, a password or a fragment. Remove it.")
    target = Target(parts.scheme, _host_of(parts), port or DEFAULT_PORTS[parts.scheme], _path_of(parts))
    if port == 0 or (rules.webhook_ports and target.port not in rules.webhook_ports):
        listed = ", ".join(map(str, rules.webhook_ports))
        raise _invalid(
            f"The port of `url` is not allowed. Use one of {listed}." if listed else "Port 0 is invalid."
        )
    return target


def find_addresses(target: Target, rules: UrlRules, *, seconds: float) -> list[str]:
    """Return the addresses of a host, or an empty list if there are none or any address is not allowed.

    Parameters
    ----------
    seconds : float
        Time after which a lookup counts as failed.
    """
    try:
        addresses = _look_up(target, seconds)
    except OSError:
        return []
    allowed = [ip_network(text) for text in rules.webhook_networks]
    return addresses if all(_is_allowed(address, allowed) for address in addresses) else []


def _look_up(target: Target, seconds: float) -> list[str]:
    """Look up a host, or raise `OSError`. `getaddrinfo` has no time limit, so a thread calls it."""
    lookup = _lookups(os.getpid()).submit(
        socket.getaddrinfo, target.host, target.port, type=socket.SOCK_STREAM
    )
    try:
        found = lookup.result(seconds)
    finally:
        lookup.cancel()
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@cache
def _lookups(_process_id: int) -> ThreadPoolExecutor:
    """Return the threads for lookups. A forked process does not have the threads of its parent."""
    return ThreadPoolExecutor(N_LOOKUPS, "lookup")


def _is_allowed(text: str, allowed: Sequence[Network]) -> bool:
    if "%" in text:
        # Only link-local addresses have a zone.
        return False
    address = ip_address(text)
    if any(address in network for network in allowed):
        return True
    return _is_public(address)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in PRIVATE_V4)
    return address in GLOBAL_V6 and not any(address in network for network in PRIVATE_V6)


def _host_of(parts: SplitResult) -> str:
    host = parts.hostname or ""
    try:
        # `IPv6Address` also accepts a zone, which only link-local addresses have.
        if "[" in parts.netloc and "%" not in host:
            return str(IPv6Address(host))
        return host if NAME.fullmatch(host) else str(IPv4Address(host))
    except ValueError as error:
        raise _invalid(
            "The host of `url` must be a name such as example.org, an IPv4 address with four decimal"
            " numbers, or an IPv6 address in brackets."
        ) from error


def _path_of(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _invalid(detail: str) -> InvalidInput:
    return InvalidInput(detail, code="invalid_parameters", pointer="/url")
