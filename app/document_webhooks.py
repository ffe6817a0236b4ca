"""The section `webhooks` of the OpenAPI document: the request that the service sends for each event."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_HEADERS = {
    "webhook-id": (
        "ID of the event. It is the same in all attempts and all redeliveries.",
        "evt_01kaz7n3r7g5x9a3b1d6e8f0hj",
    ),
    "webhook-timestamp": ("Time of the attempt in seconds since 1970.", "1769860800"),
    "webhook-signature": (
        "Signatures separated by spaces, one for each secret in use. A signature is `v1,` followed by the"
        " HMAC-SHA256, in Base64, of the ID, the timestamp and the body, joined by periods.",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
}
WEBHOOKS: Json = {
    "event": {
        "post": {
            "operationId": "receive_event",
            "tags": ["webhooks"],
            "summary": "Receive an event",
            "description": "The service sends this request to the URL of each enabled webhook, at least once"
            " and in no particular order (Standard Webhooks).",
            "security": [],
            "parameters": [
                {
                    "name": name,
                    "in": "header",
                    "required": True,
                    "description": description,
                    "schema": {"type": "string"},
                    "example": example,
                }
                for name, (description, example) in _HEADERS.items()
            ],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Event"}}},
            },
            "responses": {
                "2XX": {"description": "The event was accepted. The body is ignored."},
                "410": {"description": "The receiver no longer exists, so the webhook is disabled."},
                "default": {"description": "The event was not accepted. The service sends it again later."},
            },
        }
    }
}
