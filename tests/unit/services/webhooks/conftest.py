"""Fixtures for the tests of webhooks: a receiver on this machine, and a sender."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator

import pytest

from tests.receivers import Receiver, Resolver, receiving
from understudy.resources import Resources
from understudy.services.webhook_deliveries import (
    Sender,
)
from understudy.settings import Settings


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Return settings that allow webhooks on this machine."""
    allowed = {"webhook_http": True, "webhook_ports": (), "webhook_networks": ("127.0.0.1/32",)}
    return settings.model_copy(update={**allowed, "webhook_timeout_seconds": 30.0, "webhooks_max": 3})


@pytest.fixture(autouse=True)
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """Install a resolver that can look up only the host of these tests."""
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    return resolver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Start a receiver."""
    with receiving(Receiver()) as receiver:
        yield receiver


@pytest.fixture
def sender(resources: Resources) -> Sender:
    """Return a sender with a fixed seed."""
    return Sender(resources, random.Random(7))  # noqa: S311 - jitter is not a secret
