"""Tests that no API key and no project can occupy all slots."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.downloads import CHECK_LIMITS, CONVERSION_LIMITS
from app.slots import SlotLimits, Slots
from app.waiting import WAITING_LIMITS
from understudy.errors import TooManyRequests, Unavailable
from understudy.services.api_keys import Caller

LIMITS = SlotLimits("downloads", total=3, of_project=2, of_key=1)


def caller(project_id: UUID | None = None) -> Caller:
    return Caller(project_id or uuid4(), uuid4(), frozenset())


def hold(*callers: Caller, then: Caller) -> Coroutine[Any, Any, None]:
    async def run() -> None:
        slots = Slots(LIMITS)
        async with AsyncExitStack() as stack:
            for holder in callers:
                await stack.enter_async_context(slots.taken(holder))
            async with slots.taken(then):
                pass

    return run()


def test_key_cannot_exceed_its_slots():
    key = caller()
    with pytest.raises(TooManyRequests, match="This API key has 1 open downloads"):
        asyncio.run(hold(key, then=key))


def test_keys_of_one_project_cannot_exceed_the_slots_of_the_project():
    project = uuid4()
    with pytest.raises(TooManyRequests, match="This project has 2 open downloads"):
        asyncio.run(hold(caller(project), caller(project), then=caller(project)))


def test_other_project_gets_a_slot_while_one_project_occupies_all_of_its_slots():
    project = uuid4()
    asyncio.run(hold(caller(project), caller(project), then=caller()))


def test_process_cannot_exceed_its_slots():
    with pytest.raises(Unavailable, match="This server has 3 open downloads"):
        asyncio.run(hold(caller(), caller(), caller(), then=caller()))


def test_slots_are_released_at_the_end_of_their_block():
    async def run() -> None:
        slots, key = Slots(LIMITS), caller()
        for _ in range(3):
            async with slots.taken(key):
                pass

    asyncio.run(run())


def test_waiting_requests_get_slots_in_order_of_arrival_and_release_all_of_them():
    async def run() -> list[int]:
        slots, key, order = Slots(replace(LIMITS, wait_seconds=5)), caller(), []

        async def take(number: int) -> None:
            async with slots.taken(key):
                order.append(number)
                await asyncio.sleep(0)

        async with slots.taken(key):
            tasks = [asyncio.create_task(take(number)) for number in range(6)]
            await asyncio.sleep(0)
            tasks[2].cancel()
        tasks[3].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        async with slots.taken(key):
            return order

    assert asyncio.run(run()) == [0, 1, 4, 5]


def test_slot_that_is_handed_over_to_a_cancelled_request_is_released():
    async def run() -> None:
        slots, key = Slots(replace(LIMITS, wait_seconds=5)), caller()

        async def take() -> None:
            async with slots.taken(key):
                raise AssertionError

        async with slots.taken(key):
            task = asyncio.create_task(take())
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(1), slots.taken(key):
            pass

    asyncio.run(run())


@pytest.mark.parametrize("limits", [CONVERSION_LIMITS, CHECK_LIMITS, WAITING_LIMITS])
def test_two_keys_cannot_occupy_all_slots(limits):
    assert 2 * limits.of_key < limits.total
    assert limits.of_project < limits.total
