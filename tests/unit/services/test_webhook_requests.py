"""Tests for requests to webhooks: certificates, pinned addresses, deadlines and hostile responses."""

from __future__ import annotations

import datetime
import errno
import socket
import ssl
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.receivers import HOST, LOOPBACK, Receiver, drip, endless_headers, receiving, redirect
from understudy.services.webhook_requests import Deadline, Message, Outcome, post
from understudy.services.webhook_signatures import new_secret, sign, signed_headers
from understudy.services.webhook_urls import Target

MESSAGE = Message({"Content-Type": "application/json", "webhook-id": "evt_1"}, b'{"a":1}')


def send(receiver: Receiver, *, seconds: float = 30, scheme: str = "http", host: str = HOST) -> Outcome:
    """Send the message to a receiver under a host name that no resolver can look up."""
    target = Target(scheme, host, receiver.port, "/path?x=1")
    context = ssl.create_default_context()
    return post(target, [LOOPBACK], MESSAGE, deadline=Deadline(seconds), context=context)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Create a certificate for `HOST` that clients trust, and return the context of its server."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_request_arrives_at_the_given_address_with_the_host_of_the_url() -> None:
    with receiving(Receiver()) as receiver:
        outcome = send(receiver)
    assert (outcome.status, outcome.error_code) == (204, None)
    (request,) = receiver.requests
    assert (request.path, request.body) == ("/path?x=1", MESSAGE.body)
    assert request.headers["host"] == f"{HOST}:{receiver.port}"
    assert request.headers["webhook-id"] == "evt_1"


def test_certificate_must_be_valid_for_the_host_of_the_url(certificate: ssl.SSLContext) -> None:
    with receiving(Receiver(), certificate) as receiver:
        assert send(receiver, scheme="https").status == 204
        assert send(receiver, scheme="https", host="other.example.org").error_code == "tls_failed"
    assert len(receiver.requests) == 1


def test_unencrypted_response_to_a_tls_request_fails() -> None:
    with receiving(Receiver()) as receiver:
        assert send(receiver, scheme="https", seconds=1).error_code in ("tls_failed", "timeout")
    assert receiver.requests == []


@pytest.mark.parametrize("status", [301, 400, 404, 410, 429, 500, 503])
def test_status_other_than_2xx_is_a_failure(status: int) -> None:
    with receiving(Receiver(status)) as receiver:
        outcome = send(receiver)
    assert (outcome.status, outcome.error_code) == (status, "rejected")


def test_redirect_is_not_followed() -> None:
    with receiving(Receiver(respond=redirect)) as receiver:
        assert send(receiver).status == 302
    assert len(receiver.requests) == 1


def close(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without a response."""
    handler.connection.shutdown(socket.SHUT_RDWR)


def garbage(handler: BaseHTTPRequestHandler) -> None:
    """Send a response that is not HTTP."""
    handler.wfile.write(b"220 smtp.example.org ESMTP\r\n\r\n")


@pytest.mark.parametrize("respond", [close, garbage, endless_headers], ids=lambda respond: respond.__name__)
def test_invalid_response_is_a_failure(respond: Callable[[BaseHTTPRequestHandler], None]) -> None:
    with receiving(Receiver(respond=respond)) as receiver:
        outcome = send(receiver)
    assert (outcome.status, outcome.error_code) == (None, "invalid_response")


@pytest.mark.parametrize("respond", [drip, lambda handler: time.sleep(2)], ids=["drip", "silence"])
def test_slow_response_ends_at_the_deadline(respond: Callable[[BaseHTTPRequestHandler], None]) -> None:
    with receiving(Receiver(respond=respond)) as receiver:
        outcome = send(receiver, seconds=0.3)
    assert outcome.error_code == "timeout"
    assert outcome.duration_seconds is not None
    assert outcome.duration_seconds >= 0.25


def test_large_response_body_is_not_read() -> None:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n")
        handler.wfile.write(b"x" * 100_000)

    with receiving(Receiver(respond=respond)) as receiver:
        assert send(receiver).status == 200


def test_host_without_an_allowed_address_is_reported_like_a_closed_port() -> None:
    with receiving(Receiver()) as receiver:
        pass
    target = Target("http", HOST, receiver.port, "/")
    context = ssl.create_default_context()
    for addresses in ([], [LOOPBACK]):
        outcome = post(target, addresses, MESSAGE, deadline=Deadline(30), context=context)
        assert outcome == Outcome(error_code="unreachable")


def test_address_that_does_not_respond_leaves_time_for_the_other_addresses() -> None:
    """The first address accepts no connection, because the queue of its listener is full."""
    with receiving(Receiver()) as receiver, socket.socket() as listener:
        listener.bind(("127.0.0.2", receiver.port))
        listener.listen(0)
        with socket.socket() as first:
            first.connect(("127.0.0.2", receiver.port))
            target = Target("http", HOST, receiver.port, "/")
            addresses, context = ["127.0.0.2", LOOPBACK], ssl.create_default_context()
            outcome = post(target, addresses, MESSAGE, deadline=Deadline(2), context=context)
    assert outcome.status == 204


def test_address_for_which_no_socket_can_be_created_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without IPv6 raises the error when the socket is created."""

    class SocketV4(socket.socket):
        def __init__(self, family: int = socket.AF_INET, *args: int, **options: int) -> None:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, "no IPv6")
            super().__init__(family, *args, **options)

    with receiving(Receiver()) as receiver:
        monkeypatch.setattr(socket, "socket", SocketV4)
        target = Target("http", HOST, receiver.port, "/")
        addresses, context = ["::1", LOOPBACK], ssl.create_default_context()
        outcome = post(target, addresses, MESSAGE, deadline=Deadline(30), context=context)
    assert outcome.status == 204


def test_signature_equals_the_example_of_the_specification() -> None:
    """Compare with the example of the Standard Webhooks specification, "Signature scheme"."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_message_has_one_signature_for_each_secret() -> None:
    live = [new_secret(), new_secret()]
    headers = signed_headers(live, "evt_1", 1, b"body")
    assert headers["webhook-signature"].split() == [sign(secret, "evt_1", 1, b"body") for secret in live]
    assert len(set(headers["webhook-signature"].split())) == 2
