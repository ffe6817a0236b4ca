"""Tests for the URLs of webhooks: which forms and which addresses are allowed."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from tests.receivers import HOST, Resolver, rules
from understudy.errors import InvalidInput
from understudy.services.webhook_urls import check_url, find_addresses, read_url

URL = f"https://{HOST}/x"
REFUSED_URLS = [
    *(f"http://{HOST}/", f"ftp://{HOST}/", f"//{HOST}/", "https://", "https:///x", "hooks", ""),
    *("file:///etc/passwd", "gopher://hooks.example.org/", "javascript:alert(1)"),
    *(f"https://user@{HOST}/", f"https://user:secret@{HOST}/", f"https://{HOST}@10.0.0.1/"),
    *(f"https://{HOST}/#part", f"https://{HOST}#", f"https://{HOST}\\@10.0.0.1/", f"https://{HOST}/a b"),
    *("https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://017700000001/"),
    *("https://127.1/", "https://0177.0.0.1/", "https://127.0.0.1./", "https://256.1.1.1/", "https://1.2.3/"),
    *("https://a.1/", "https://a.0x1/", "https://a.0x/", f"https://{HOST}./", "https://-a.org/"),
    *("https://[fe80::1%25eth0]/", "https://[::1/", "https://[1.2.3.4]/", "https://éxample.org/"),
    *(f"https://{HOST}:22/", f"https://{HOST}:80/", f"https://{HOST}:0/", f"https://{HOST}:99999/"),
    *(f"https://{HOST}:x/", f"https://{HOST}/\n", f"https://{HOST}/\x00", f"https://{HOST}/{'x' * 2048}"),
    *("https://a..org/", f"https://{'a' * 64}.org/", f"https://{'a.' * 127}org/", "https://exa%6dple.org/"),
]
PRIVATE = [
    *("0.0.0.1", "10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255"),
    *("192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
    *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808"),
    *("64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::", "3fff::1"),
    *("fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%1", "fec0::1", "ff02::1", "4000::1"),
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """Install a resolver that can look up only the host of these tests."""
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    return resolver


@pytest.mark.parametrize("number", range(len(REFUSED_URLS)))
def test_malformed_url_is_refused_without_looking_up_its_host(resolver: Resolver, number: int) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_url(REFUSED_URLS[number], rules())
    assert (caught.value.code, caught.value.pointer) == ("invalid_parameters", "/url")
    assert resolver.n_calls == 0


@pytest.mark.parametrize("address", PRIVATE)
def test_host_with_a_private_address_is_refused(resolver: Resolver, address: str) -> None:
    resolver.addresses[HOST] = [address]
    with pytest.raises(InvalidInput, match="no public address"):
        check_url(URL, rules())


@pytest.mark.parametrize("address", PUBLIC)
def test_host_with_a_public_address_is_accepted(resolver: Resolver, address: str) -> None:
    resolver.addresses[HOST] = [address]
    check_url(URL, rules())
    assert find_addresses(read_url(URL, rules()), rules(), seconds=30) == [address]


@pytest.mark.parametrize("addresses", [["8.8.8.8", "10.0.0.1"], ["10.0.0.1", "8.8.8.8"], ["8.8.8.8", "::1"]])
def test_host_with_public_and_private_addresses_is_refused(resolver: Resolver, addresses: list[str]) -> None:
    resolver.addresses[HOST] = addresses
    assert find_addresses(read_url(URL, rules()), rules(), seconds=30) == []


def test_lookup_that_hangs_ends_at_its_time_limit(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, target = threading.Event(), read_url(URL, rules())

    def hang(*_: object, **__: object) -> list[object]:
        released.wait(30)
        return []

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", hang)
        began = time.monotonic()
        assert find_addresses(target, rules(), seconds=0.1) == []
        assert time.monotonic() - began < 10
    resolver.addresses[HOST] = ["8.8.8.8"]
    # The thread of the first lookup is still blocked.
    assert find_addresses(target, rules(), seconds=30) == ["8.8.8.8"]
    released.set()


@pytest.mark.parametrize("url", ["https://10.0.0.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/"])
def test_private_address_in_the_url_is_refused(resolver: Resolver, url: str) -> None:
    with pytest.raises(InvalidInput, match="no public address"):
        check_url(url, rules())


def test_error_message_is_the_same_for_private_and_unknown_hosts(resolver: Resolver) -> None:
    def message(url: str) -> str:
        with pytest.raises(InvalidInput) as caught:
            check_url(url, rules())
        return caught.value.detail

    resolver.addresses[HOST] = ["10.0.0.1"]
    assert message(URL) == message("https://unknown.example.org/")


def test_settings_can_allow_networks_ports_and_http(resolver: Resolver) -> None:
    resolver.addresses[HOST] = ["10.1.2.3"]
    inner = rules(webhook_networks=("10.1.0.0/16", "fd00::/8"))
    check_url(URL, inner)
    resolver.addresses[HOST] = ["10.2.0.1"]
    with pytest.raises(InvalidInput, match="no public address"):
        check_url(URL, inner)
    resolver.addresses[HOST] = ["8.8.8.8"]
    check_url(f"http://{HOST}:8080/", rules(webhook_http=True, webhook_ports=()))
    check_url(f"https://{HOST}:8443/", rules())


def test_url_is_divided_into_the_parts_of_the_request(resolver: Resolver) -> None:
    target = read_url(f"https://{HOST.upper()}:8443/a/b?c=d", rules())
    assert (target.host, target.port, target.path) == (HOST, 8443, "/a/b?c=d")
    assert target.host_header == f"{HOST}:8443"
    assert read_url(f"https://{HOST}", rules()).path == "/"
    assert read_url("https://[2606:4700::1111]/", rules()).host_header == "[2606:4700::1111]"
