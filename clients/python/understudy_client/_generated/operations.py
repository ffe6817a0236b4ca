# Generated from openapi.json by `make clients`. Do not edit.
"""Requests of all operations of the service."""

from __future__ import annotations

from typing import Unpack

from understudy_client._generated import models, requests
from understudy_client.calls import Call, path_of


def list_datasets(**query: Unpack[requests.ListDatasetsQuery]) -> Call[models.DatasetPage]:
    """List datasets."""
    return Call("GET", "/v1/datasets", models.DatasetPage, query=query)


def get_dataset(dataset_id: str) -> Call[models.Dataset]:
    """Get a dataset."""
    return Call("GET", f"/v1/datasets/{path_of(dataset_id)}", models.Dataset)


def update_dataset(
    dataset_id: str, body: requests.UpdateDataset, *, if_match: str | None = None
) -> Call[models.Dataset]:
    """Update a dataset."""
    return Call(
        "PATCH",
        f"/v1/datasets/{path_of(dataset_id)}",
        models.Dataset,
        body=body,
        headers={"If-Match": if_match},
    )


def delete_dataset(
    dataset_id: str, *, if_match: str | None = None, **query: Unpack[requests.DeleteDatasetQuery]
) -> Call[None]:
    """Delete a dataset."""
    return Call(
        "DELETE", f"/v1/datasets/{path_of(dataset_id)}", None, query=query, headers={"If-Match": if_match}
    )


def download_dataset(dataset_id: str, **query: Unpack[requests.DownloadDatasetQuery]) -> Call[bytes]:
    """Download a dataset."""
    return Call("GET", f"/v1/datasets/{path_of(dataset_id)}/content", bytes, query=query)


def release_dataset(dataset_id: str, body: requests.ReleaseDataset) -> Call[models.Dataset]:
    """Release a sample from quarantine."""
    return Call("POST", f"/v1/datasets/{path_of(dataset_id)}/release", models.Dataset, body=body)


def get_schema(dataset_id: str, **query: Unpack[requests.GetSchemaQuery]) -> Call[models.TableSchema]:
    """Get the schema of a dataset."""
    return Call("GET", f"/v1/datasets/{path_of(dataset_id)}/schema", models.TableSchema, query=query)


def update_schema(
    dataset_id: str,
    body: requests.SchemaChange,
    *,
    if_match: str | None = None,
    **query: Unpack[requests.UpdateSchemaQuery],
) -> Call[models.TableSchema]:
    """Change the schema of a dataset."""
    return Call(
        "PATCH",
        f"/v1/datasets/{path_of(dataset_id)}/schema",
        models.TableSchema,
        query=query,
        body=body,
        headers={"If-Match": if_match},
    )


def get_sdv_metadata(dataset_id: str) -> Call[models.SdvMetadata]:
    """Get the schema of a dataset as SDV metadata."""
    return Call("GET", f"/v1/datasets/{path_of(dataset_id)}/schema/sdv", models.SdvMetadata)


def apply_sdv_metadata(
    dataset_id: str,
    body: requests.SdvMetadata,
    *,
    if_match: str | None = None,
    **query: Unpack[requests.ApplySdvMetadataQuery],
) -> Call[models.AppliedSdvMetadata]:
    """Apply SDV metadata to the schema of a dataset."""
    return Call(
        "PUT",
        f"/v1/datasets/{path_of(dataset_id)}/schema/sdv",
        models.AppliedSdvMetadata,
        query=query,
        body=body,
        headers={"If-Match": if_match},
    )


def get_profile(dataset_id: str, **query: Unpack[requests.GetProfileQuery]) -> Call[models.DatasetProfile]:
    """Get the profile of a dataset."""
    return Call("GET", f"/v1/datasets/{path_of(dataset_id)}/profile", models.DatasetProfile, query=query)


def download_rejects(dataset_id: str, **query: Unpack[requests.DownloadRejectsQuery]) -> Call[bytes]:
    """Download the list of skipped rows."""
    return Call("GET", f"/v1/datasets/{path_of(dataset_id)}/rejects", bytes, query=query)


def create_upload(body: requests.CreateUpload) -> Call[models.Upload]:
    """Start an upload in parts."""
    return Call("POST", "/v1/uploads", models.Upload, body=body)


def list_uploads(**query: Unpack[requests.ListUploadsQuery]) -> Call[models.UploadPage]:
    """List uploads."""
    return Call("GET", "/v1/uploads", models.UploadPage, query=query)


def get_upload(upload_id: str) -> Call[models.Upload]:
    """Get an upload."""
    return Call("GET", f"/v1/uploads/{path_of(upload_id)}", models.Upload)


def delete_upload(upload_id: str, *, if_match: str | None = None) -> Call[None]:
    """Delete an upload."""
    return Call("DELETE", f"/v1/uploads/{path_of(upload_id)}", None, headers={"If-Match": if_match})


def complete_upload(upload_id: str) -> Call[models.UploadedDataset]:
    """Complete an upload."""
    return Call("POST", f"/v1/uploads/{path_of(upload_id)}/complete", models.UploadedDataset)


def create_job(body: requests.JobRequest, *, prefer: str | None = None) -> Call[models.Job]:
    """Create a job."""
    return Call("POST", "/v1/jobs", models.Job, body=body, headers={"Prefer": prefer})


def list_jobs(**query: Unpack[requests.ListJobsQuery]) -> Call[models.JobPage]:
    """List jobs."""
    return Call("GET", "/v1/jobs", models.JobPage, query=query)


def validate_job(body: requests.JobRequest) -> Call[models.ValidatedJob]:
    """Validate a job."""
    return Call("POST", "/v1/jobs/validate", models.ValidatedJob, body=body)


def get_job(job_id: str, *, prefer: str | None = None) -> Call[models.Job]:
    """Get a job."""
    return Call("GET", f"/v1/jobs/{path_of(job_id)}", models.Job, headers={"Prefer": prefer})


def update_job(job_id: str, body: requests.UpdateLabels, *, if_match: str | None = None) -> Call[models.Job]:
    """Update a job."""
    return Call("PATCH", f"/v1/jobs/{path_of(job_id)}", models.Job, body=body, headers={"If-Match": if_match})


def delete_job(job_id: str, *, if_match: str | None = None) -> Call[None]:
    """Erase a job."""
    return Call("DELETE", f"/v1/jobs/{path_of(job_id)}", None, headers={"If-Match": if_match})


def cancel_job(job_id: str) -> Call[models.Job]:
    """Cancel a job."""
    return Call("POST", f"/v1/jobs/{path_of(job_id)}/cancel", models.Job)


def retry_job(job_id: str, *, prefer: str | None = None) -> Call[models.Job]:
    """Retry a job."""
    return Call("POST", f"/v1/jobs/{path_of(job_id)}/retry", models.Job, headers={"Prefer": prefer})


def list_job_events(job_id: str, **query: Unpack[requests.ListJobEventsQuery]) -> Call[models.JobEventPage]:
    """List the events of a job."""
    return Call("GET", f"/v1/jobs/{path_of(job_id)}/events", models.JobEventPage, query=query)


def stream_job_events(job_id: str) -> Call[bytes]:
    """Stream the events of a job."""
    return Call("GET", f"/v1/jobs/{path_of(job_id)}/events/stream", bytes)


def list_models(**query: Unpack[requests.ListModelsQuery]) -> Call[models.TrainedModelPage]:
    """List models."""
    return Call("GET", "/v1/models", models.TrainedModelPage, query=query)


def get_model(model_id: str) -> Call[models.TrainedModel]:
    """Get a model."""
    return Call("GET", f"/v1/models/{path_of(model_id)}", models.TrainedModel)


def update_model(
    model_id: str, body: requests.UpdateModel, *, if_match: str | None = None
) -> Call[models.TrainedModel]:
    """Update a model."""
    return Call(
        "PATCH",
        f"/v1/models/{path_of(model_id)}",
        models.TrainedModel,
        body=body,
        headers={"If-Match": if_match},
    )


def delete_model(model_id: str, *, if_match: str | None = None) -> Call[None]:
    """Delete a model."""
    return Call("DELETE", f"/v1/models/{path_of(model_id)}", None, headers={"If-Match": if_match})


def download_model(model_id: str) -> Call[bytes]:
    """Download the file of a model."""
    return Call("GET", f"/v1/models/{path_of(model_id)}/file", bytes)


def sample_rows(model_id: str, **query: Unpack[requests.SampleRowsQuery]) -> Call[bytes]:
    """Sample live rows."""
    return Call("GET", f"/v1/models/{path_of(model_id)}/rows", bytes, query=query)


def list_reports(**query: Unpack[requests.ListReportsQuery]) -> Call[models.ReportPage]:
    """List reports."""
    return Call("GET", "/v1/reports", models.ReportPage, query=query)


def get_report(report_id: str) -> Call[models.EvaluationReport]:
    """Get a report."""
    return Call("GET", f"/v1/reports/{path_of(report_id)}", models.EvaluationReport)


def update_report(
    report_id: str, body: requests.UpdateLabels, *, if_match: str | None = None
) -> Call[models.EvaluationReport]:
    """Update a report."""
    return Call(
        "PATCH",
        f"/v1/reports/{path_of(report_id)}",
        models.EvaluationReport,
        body=body,
        headers={"If-Match": if_match},
    )


def delete_report(report_id: str, *, if_match: str | None = None) -> Call[None]:
    """Delete a report."""
    return Call("DELETE", f"/v1/reports/{path_of(report_id)}", None, headers={"If-Match": if_match})


def download_report(report_id: str) -> Call[bytes]:
    """Get a report as an HTML page."""
    return Call("GET", f"/v1/reports/{path_of(report_id)}/html", bytes)


def download_evidence(report_id: str) -> Call[bytes]:
    """Download the evidence pack of a report."""
    return Call("GET", f"/v1/reports/{path_of(report_id)}/evidence", bytes)


def list_policies() -> Call[models.PolicyCatalogue]:
    """List predefined policies."""
    return Call("GET", "/v1/policies", models.PolicyCatalogue)


def get_project() -> Call[models.Project]:
    """Get your project."""
    return Call("GET", "/v1/project", models.Project)


def update_project(body: requests.UpdateProject, *, if_match: str | None = None) -> Call[models.Project]:
    """Update your project."""
    return Call("PATCH", "/v1/project", models.Project, body=body, headers={"If-Match": if_match})


def delete_project(
    *, if_match: str | None = None, **query: Unpack[requests.DeleteProjectQuery]
) -> Call[None]:
    """Delete your project."""
    return Call("DELETE", "/v1/project", None, query=query, headers={"If-Match": if_match})


def create_api_key(body: requests.CreateApiKey) -> Call[models.NewApiKey]:
    """Create an API key."""
    return Call("POST", "/v1/api-keys", models.NewApiKey, body=body)


def list_api_keys(**query: Unpack[requests.ListApiKeysQuery]) -> Call[models.ApiKeyPage]:
    """List API keys."""
    return Call("GET", "/v1/api-keys", models.ApiKeyPage, query=query)


def get_api_key(api_key_id: str) -> Call[models.ApiKey]:
    """Get an API key."""
    return Call("GET", f"/v1/api-keys/{path_of(api_key_id)}", models.ApiKey)


def update_api_key(
    api_key_id: str, body: requests.UpdateApiKey, *, if_match: str | None = None
) -> Call[models.ApiKey]:
    """Change an API key."""
    return Call(
        "PATCH",
        f"/v1/api-keys/{path_of(api_key_id)}",
        models.ApiKey,
        body=body,
        headers={"If-Match": if_match},
    )


def revoke_api_key(api_key_id: str, *, if_match: str | None = None) -> Call[None]:
    """Revoke an API key."""
    return Call("DELETE", f"/v1/api-keys/{path_of(api_key_id)}", None, headers={"If-Match": if_match})


def rotate_api_key(api_key_id: str, body: requests.RotateApiKey | None = None) -> Call[models.NewApiKey]:
    """Rotate an API key."""
    return Call("POST", f"/v1/api-keys/{path_of(api_key_id)}/rotate", models.NewApiKey, body=body)


def create_project(body: requests.CreateProject) -> Call[models.ManagedProject]:
    """Create a project."""
    return Call("POST", "/v1/projects", models.ManagedProject, body=body)


def list_projects(**query: Unpack[requests.ListProjectsQuery]) -> Call[models.ManagedProjectPage]:
    """List projects."""
    return Call("GET", "/v1/projects", models.ManagedProjectPage, query=query)


def get_managed_project(project_id: str) -> Call[models.ManagedProject]:
    """Get a project."""
    return Call("GET", f"/v1/projects/{path_of(project_id)}", models.ManagedProject)


def update_managed_project(
    project_id: str, body: requests.UpdateManagedProject, *, if_match: str | None = None
) -> Call[models.ManagedProject]:
    """Change a project."""
    return Call(
        "PATCH",
        f"/v1/projects/{path_of(project_id)}",
        models.ManagedProject,
        body=body,
        headers={"If-Match": if_match},
    )


def delete_managed_project(
    project_id: str, *, if_match: str | None = None, **query: Unpack[requests.DeleteManagedProjectQuery]
) -> Call[None]:
    """Delete a project."""
    return Call(
        "DELETE", f"/v1/projects/{path_of(project_id)}", None, query=query, headers={"If-Match": if_match}
    )


def create_project_api_key(project_id: str, body: requests.CreateApiKey) -> Call[models.NewApiKey]:
    """Create an API key for a project."""
    return Call("POST", f"/v1/projects/{path_of(project_id)}/api-keys", models.NewApiKey, body=body)


def list_events(**query: Unpack[requests.ListEventsQuery]) -> Call[models.EventPage]:
    """List events."""
    return Call("GET", "/v1/events", models.EventPage, query=query)


def create_webhook(body: requests.CreateWebhook) -> Call[models.NewWebhook]:
    """Create a webhook."""
    return Call("POST", "/v1/webhooks", models.NewWebhook, body=body)


def list_webhooks(**query: Unpack[requests.ListWebhooksQuery]) -> Call[models.WebhookPage]:
    """List webhooks."""
    return Call("GET", "/v1/webhooks", models.WebhookPage, query=query)


def get_webhook(webhook_id: str) -> Call[models.Webhook]:
    """Get a webhook."""
    return Call("GET", f"/v1/webhooks/{path_of(webhook_id)}", models.Webhook)


def update_webhook(
    webhook_id: str, body: requests.UpdateWebhook, *, if_match: str | None = None
) -> Call[models.Webhook]:
    """Change a webhook."""
    return Call(
        "PATCH",
        f"/v1/webhooks/{path_of(webhook_id)}",
        models.Webhook,
        body=body,
        headers={"If-Match": if_match},
    )


def delete_webhook(webhook_id: str, *, if_match: str | None = None) -> Call[None]:
    """Delete a webhook."""
    return Call("DELETE", f"/v1/webhooks/{path_of(webhook_id)}", None, headers={"If-Match": if_match})


def rotate_webhook_secret(
    webhook_id: str, body: requests.RotateWebhookSecret | None = None
) -> Call[models.NewWebhook]:
    """Rotate the secret of a webhook."""
    return Call("POST", f"/v1/webhooks/{path_of(webhook_id)}/rotate-secret", models.NewWebhook, body=body)


def test_webhook(webhook_id: str) -> Call[models.WebhookDelivery]:
    """Send a test event to a webhook."""
    return Call("POST", f"/v1/webhooks/{path_of(webhook_id)}/test", models.WebhookDelivery)


def list_webhook_deliveries(
    webhook_id: str, **query: Unpack[requests.ListWebhookDeliveriesQuery]
) -> Call[models.WebhookDeliveryPage]:
    """List the deliveries of a webhook."""
    return Call(
        "GET", f"/v1/webhooks/{path_of(webhook_id)}/deliveries", models.WebhookDeliveryPage, query=query
    )


def redeliver_event(webhook_id: str, delivery_id: str) -> Call[models.WebhookDelivery]:
    """Repeat a delivery."""
    return Call(
        "POST",
        f"/v1/webhooks/{path_of(webhook_id)}/deliveries/{path_of(delivery_id)}/redeliver",
        models.WebhookDelivery,
    )


def list_synthesizers() -> Call[models.SynthesizerCatalogue]:
    """List synthesizers."""
    return Call("GET", "/v1/synthesizers", models.SynthesizerCatalogue)


def list_metrics() -> Call[models.MetricCatalogue]:
    """List metrics."""
    return Call("GET", "/v1/metrics", models.MetricCatalogue)


def healthz() -> Call[models.ServiceHealth]:
    """Check that the process is alive."""
    return Call("GET", "/healthz", models.ServiceHealth)


def readyz() -> Call[models.ServiceReadiness]:
    """Check that the service can run jobs."""
    return Call("GET", "/readyz", models.ServiceReadiness)


def create_pipeline(body: requests.CreatePipeline) -> Call[models.Pipeline]:
    """Create a pipeline."""
    return Call("POST", "/v1/pipelines", models.Pipeline, body=body)


def list_pipelines(**query: Unpack[requests.ListPipelinesQuery]) -> Call[models.PipelinePage]:
    """List pipelines."""
    return Call("GET", "/v1/pipelines", models.PipelinePage, query=query)


def validate_pipeline(body: requests.CreatePipeline) -> Call[models.ValidatedPipeline]:
    """Validate a pipeline."""
    return Call("POST", "/v1/pipelines/validate", models.ValidatedPipeline, body=body)


def get_pipeline(pipeline_id: str, *, prefer: str | None = None) -> Call[models.Pipeline]:
    """Get a pipeline."""
    return Call("GET", f"/v1/pipelines/{path_of(pipeline_id)}", models.Pipeline, headers={"Prefer": prefer})


def update_pipeline(
    pipeline_id: str, body: requests.UpdateLabels, *, if_match: str | None = None
) -> Call[models.Pipeline]:
    """Update a pipeline."""
    return Call(
        "PATCH",
        f"/v1/pipelines/{path_of(pipeline_id)}",
        models.Pipeline,
        body=body,
        headers={"If-Match": if_match},
    )


def cancel_pipeline(pipeline_id: str) -> Call[models.Pipeline]:
    """Cancel a pipeline."""
    return Call("POST", f"/v1/pipelines/{path_of(pipeline_id)}/cancel", models.Pipeline)


def get_usage(**query: Unpack[requests.GetUsageQuery]) -> Call[models.ProjectUsage]:
    """Get the usage of your project."""
    return Call("GET", "/v1/usage", models.ProjectUsage, query=query)
