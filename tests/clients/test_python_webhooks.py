"""Tests of the verification of webhooks. The first vector is from the reference implementation."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from understudy_client import InvalidWebhook, verify_webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_" + base64.b64encode(b"another secret of the webhook").decode()
NOW = 1_614_265_330
BODY = '{"test": 2432232314}'
HEADERS = {
    "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": str(NOW),
    "WEBHOOK-SIGNATURE": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def signed(body: bytes, secret: str, timestamp: object = NOW) -> dict[str, str]:
    """Return the headers of a message."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"msg_1.{timestamp}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(mac).decode()}"
    return {"webhook-id": "msg_1", "webhook-timestamp": str(timestamp), "webhook-signature": signature}


@pytest.mark.parametrize("body", [BODY, BODY.encode()], ids=["text", "bytes"])
def test_vector_of_the_reference_implementation_is_valid(body: str | bytes) -> None:
    assert verify_webhook(HEADERS, body, SECRET, now_seconds=NOW) == {"test": 2432232314}


@pytest.mark.parametrize("offset", [-300, 300])
def test_message_within_the_tolerance_is_valid(offset: int) -> None:
    assert verify_webhook(HEADERS, BODY, SECRET, now_seconds=NOW + offset)


@pytest.mark.parametrize(("offset", "word"), [(-301, "future"), (301, "too old")])
def test_message_outside_the_tolerance_is_refused(offset: int, word: str) -> None:
    with pytest.raises(InvalidWebhook, match=word):
        verify_webhook(HEADERS, BODY, SECRET, now_seconds=NOW + offset)


def test_message_with_one_valid_signature_among_several_is_valid() -> None:
    signatures = f"v1a,abc v1,AAAA {HEADERS['WEBHOOK-SIGNATURE']}"
    headers = {**HEADERS, "WEBHOOK-SIGNATURE": signatures}
    assert verify_webhook(headers, BODY, SECRET, now_seconds=NOW)


def test_message_is_valid_if_one_of_several_secrets_matches() -> None:
    assert verify_webhook(HEADERS, BODY, [OTHER_SECRET, SECRET], now_seconds=NOW)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (HEADERS, BODY + " "),
        ({**HEADERS, "Webhook-Id": "msg_other"}, BODY),
        ({**HEADERS, "webhook-timestamp": str(NOW + 1)}, BODY),
        (signed(BODY.encode(), OTHER_SECRET), BODY),
        ({**HEADERS, "WEBHOOK-SIGNATURE": HEADERS["WEBHOOK-SIGNATURE"].replace("v1,", "v2,")}, BODY),
        ({**HEADERS, "WEBHOOK-SIGNATURE": "v1,é"}, BODY),
    ],
    ids=["body", "id", "timestamp", "secret", "version", "not ASCII"],
)
def test_altered_message_is_refused(headers: dict[str, str], body: str) -> None:
    with pytest.raises(InvalidWebhook, match="No signature"):
        verify_webhook(headers, body, SECRET, now_seconds=NOW)


@pytest.mark.parametrize("name", list(HEADERS), ids=str.lower)
def test_message_without_a_required_header_is_refused(name: str) -> None:
    headers = {key: value for key, value in HEADERS.items() if key != name}
    with pytest.raises(InvalidWebhook, match=f"`{name.lower()}` is missing"):
        verify_webhook(headers, BODY, SECRET, now_seconds=NOW)


@pytest.mark.parametrize(
    "timestamp", ["1e9", "-1", "²", "9" * 400], ids=["float", "negative", "digit", "long"]
)
def test_timestamp_that_is_not_a_time_is_refused(timestamp: str) -> None:
    with pytest.raises(InvalidWebhook, match="webhook-timestamp"):
        verify_webhook({**HEADERS, "webhook-timestamp": timestamp}, BODY, SECRET, now_seconds=NOW)


@pytest.mark.parametrize("body", [b"no JSON", b"[1]"], ids=["text", "list"])
def test_signed_body_that_is_not_an_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidWebhook, match="not"):
        verify_webhook(signed(body, SECRET), body, SECRET, now_seconds=NOW)


@pytest.mark.parametrize("secret", ["", "whsec_"], ids=["nothing", "prefix"])
def test_signature_with_an_empty_secret_is_not_valid(secret: str) -> None:
    headers = signed(BODY.encode(), secret)
    with pytest.raises(ValueError, match="The secret is empty"):
        verify_webhook(headers, BODY, [OTHER_SECRET, secret], now_seconds=NOW)


def test_secret_that_is_not_base64_raises_a_value_error() -> None:
    with pytest.raises(ValueError, match="not Base64"):
        verify_webhook(HEADERS, BODY, "whsec_???", now_seconds=NOW)
