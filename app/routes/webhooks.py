"""Routes for webhooks and their deliveries. All of them require the scope `admin`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Body, Query, Response

from app import paging
from app.bodies.webhooks import (
    CreateWebhook,
    DeliveryState,
    NewWebhook,
    RotateWebhookSecret,
    UpdateWebhook,
    Webhook,
    WebhookDelivery,
    WebhookDeliveryPage,
    WebhookPage,
)
from app.conditions import Precondition, PreconditionDep, etag_of
from app.dependencies import AdministratorDep, PageDep, ResourcesDep
from app.document import merge_patch_body, problems
from app.idempotency import IdempotentRoute
from understudy import ids
from understudy.db import webhook_deliveries, webhooks
from understudy.services import webhooks as webhook_services
from understudy.services.webhooks import WebhookRequest

if TYPE_CHECKING:
    from understudy.db import orm_events
    from understudy.services.checks import Check

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], route_class=IdempotentRoute)


@router.post(
    "",
    status_code=201,
    response_model_exclude_none=True,
    summary="Create a webhook",
    responses=problems(413, 422),
)
def create_webhook(
    new: CreateWebhook, resources: ResourcesDep, caller: AdministratorDep, response: Response
) -> NewWebhook:
    """Send the events of the project to a URL. Only this response contains the secret.

    Requires the scope `admin`.
    """
    request = WebhookRequest(new.url, new.name or "", new.event_types)
    row, secret = webhook_services.create_webhook(resources, caller.project_id, request)
    body = NewWebhook.with_secret(row, secret)
    response.headers["Location"] = f"/v1/webhooks/{body.id}"
    return body


@router.get("", response_model_exclude_none=True, summary="List webhooks", responses=problems(422))
def list_webhooks(resources: ResourcesDep, caller: AdministratorDep, page: PageDep) -> WebhookPage:
    """Return the webhooks of the project, newest first. Requires the scope `admin`."""
    after = paging.read_id_cursor("webhook", page.after)
    with resources.sessions() as session:
        stored = webhooks.page(session, caller.project_id, after=after, limit=page.limit)
    return WebhookPage(
        data=[Webhook.of(row) for row in stored.rows],
        has_more=stored.next is not None,
        next=paging.write_id_cursor("webhook", stored.next),
    )


@router.get(
    "/{webhook_id}", response_model_exclude_none=True, summary="Get a webhook", responses=problems(404)
)
def get_webhook(webhook_id: str, resources: ResourcesDep, caller: AdministratorDep) -> Webhook:
    """Return a webhook without its secret. Requires the scope `admin`."""
    with resources.sessions() as session:
        return Webhook.of(webhooks.get(session, caller.project_id, ids.from_text("webhook", webhook_id)))


@router.patch(
    "/{webhook_id}",
    response_model_exclude_none=True,
    summary="Change a webhook",
    openapi_extra=merge_patch_body("UpdateWebhook"),
    responses=problems(404, 412, 413, 415, 422),
)
def update_webhook(
    webhook_id: str,
    change: UpdateWebhook,
    resources: ResourcesDep,
    caller: AdministratorDep,
    precondition: PreconditionDep,
) -> Webhook:
    """Change, disable or enable a webhook. Requires the scope `admin`.

    No events are delivered to a disabled webhook, and its pending deliveries fail. `GET /v1/events` lists the
    events that were not delivered.
    """
    row = webhook_services.change_webhook(
        resources,
        caller.project_id,
        ids.from_text("webhook", webhook_id),
        change.model_dump(exclude_unset=True),
        check=_check(precondition),
    )
    return Webhook.of(row)


@router.delete("/{webhook_id}", status_code=204, summary="Delete a webhook", responses=problems(404, 412))
def delete_webhook(
    webhook_id: str, resources: ResourcesDep, caller: AdministratorDep, precondition: PreconditionDep
) -> Response:
    """Delete a webhook and its deliveries. Requires the scope `admin`."""
    key = ids.from_text("webhook", webhook_id)
    webhook_services.delete_webhook(resources, caller.project_id, key, check=_check(precondition))
    return Response(status_code=204)


@router.post(
    "/{webhook_id}/rotate-secret",
    response_model_exclude_none=True,
    summary="Rotate the secret of a webhook",
    responses=problems(404, 413, 422),
)
def rotate_webhook_secret(
    webhook_id: str,
    resources: ResourcesDep,
    caller: AdministratorDep,
    rotation: Annotated[RotateWebhookSecret | None, Body()] = None,
) -> NewWebhook:
    """Create a new secret. Until `grace_seconds` have passed, requests are signed with both secrets.

    Requires the scope `admin`.
    """
    chosen = rotation or RotateWebhookSecret()
    row, secret = webhook_services.rotate_secret(
        resources,
        caller.project_id,
        ids.from_text("webhook", webhook_id),
        grace=timedelta(seconds=chosen.grace_seconds),
    )
    return NewWebhook.with_secret(row, secret)


@router.post(
    "/{webhook_id}/test",
    response_model_exclude_none=True,
    summary="Send a test event to a webhook",
    responses=problems(404, 409, 422),
)
def test_webhook(webhook_id: str, resources: ResourcesDep, caller: AdministratorDep) -> WebhookDelivery:
    """Send a `webhook.ping` event, and return its pending delivery.

    Requires the scope `admin`.
    """
    key = ids.from_text("webhook", webhook_id)
    return WebhookDelivery.of(webhook_services.test_webhook(resources, caller.project_id, key))


@router.get(
    "/{webhook_id}/deliveries",
    response_model_exclude_none=True,
    summary="List the deliveries of a webhook",
    responses=problems(404, 422),
)
def list_webhook_deliveries(
    webhook_id: str,
    resources: ResourcesDep,
    caller: AdministratorDep,
    page: PageDep,
    state: Annotated[DeliveryState | None, Query(description="Return only deliveries in this state.")] = None,
) -> WebhookDeliveryPage:
    """Return the deliveries of a webhook with their attempts, newest first. Requires the scope `admin`."""
    key = ids.from_text("webhook", webhook_id)
    after = paging.read_id_cursor("delivery", page.after)
    with resources.sessions() as session:
        webhook = webhooks.get(session, caller.project_id, key)
        stored = webhook_deliveries.page(session, webhook, state=state, after=after, limit=page.limit)
    return WebhookDeliveryPage(
        data=[WebhookDelivery.of(row) for row in stored.rows],
        has_more=stored.next is not None,
        next=paging.write_id_cursor("delivery", stored.next),
    )


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/redeliver",
    response_model_exclude_none=True,
    summary="Repeat a delivery",
    responses=problems(404, 409, 422),
)
def redeliver_event(
    webhook_id: str, delivery_id: str, resources: ResourcesDep, caller: AdministratorDep
) -> WebhookDelivery:
    """Send the event of a past delivery again, with the same `webhook-id`.

    Requires the scope `admin`.
    """
    row = webhook_services.redeliver(
        resources,
        caller.project_id,
        ids.from_text("webhook", webhook_id),
        ids.from_text("delivery", delivery_id),
    )
    return WebhookDelivery.of(row)


def _check(precondition: Precondition) -> Check[orm_events.Webhook]:
    return lambda _, row: precondition.check(lambda: etag_of(Webhook.of(row)))
