# Generated from understudy_client/_async/datasets.py by `make clients`. Do not edit.
"""Datasets of the synchronous client."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from understudy_client._generated import models, operations, requests
from understudy_client._sync.backend import in_thread
from understudy_client._sync.jobs import Jobs
from understudy_client._sync.transport import Transport
from understudy_client._sync.uploads import Uploads
from understudy_client.calls import Call
from understudy_client.formats import REJECTS_FORMATS, download_format
from understudy_client.frames import read_arrow, read_pandas
from understudy_client.parts import UploadArguments, UploadOptions
from understudy_client.sources import PathName, Source
from understudy_client.waiting import OnProgress

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class Datasets:
    """Datasets of the project."""

    def __init__(self, transport: Transport, jobs: Jobs) -> None:
        self._transport = transport
        self._jobs = jobs

    def upload(
        self,
        source: Source | Iterable[bytes] | Mapping[str, Source],
        *,
        filename: str | None = None,
        wait: bool = True,
        on_progress: OnProgress | None = None,
        **options: Unpack[UploadArguments],
    ) -> models.Dataset:
        """Upload one or more tables as one dataset.

        The files are sent in parts. After a lost connection, only the missing parts are sent. If the process
        ends, the next upload of the same files continues where this one stopped, unless the files fit into
        one part.

        Parameters
        ----------
        source : path, bytes, binary file, iterable of bytes, table, or mapping
            Content to upload. A table is a pandas or polars DataFrame, a pyarrow table, or another object
            with the Arrow PyCapsule interface. A mapping contains a source for each table name.
        filename : str, optional
            Name of the file. Its suffix determines the format. Required for bytes and streams.
        wait : bool
            Whether to wait until the service has read the files. If false, the returned dataset is pending.
        on_progress : callable, optional
            Function that is called with the progress of the transfer and of the job that reads the files.
        **options : UploadArguments
            The optional arguments `name`, `format`, `labels`, `read_options` and `part_bytes`.

        Raises
        ------
        JobFailed
            If the files cannot be read as tables.
        """

        def report(fraction: float) -> None:
            if on_progress is not None:
                on_progress(models.JobProgress(phase="sending", fraction=fraction))

        uploads = Uploads(self._transport, UploadOptions(**options), report)
        uploaded = uploads.send(source, filename)
        if not wait:
            return uploaded.dataset
        self._jobs.handle(uploaded.job).wait(on_progress=on_progress)
        return self.get(uploaded.dataset.id)

    def get(self, dataset_id: str) -> models.Dataset:
        """Return a dataset."""
        return self._transport.send(operations.get_dataset(dataset_id))

    def list(self, **filters: Unpack[requests.ListDatasetsQuery]) -> Iterator[models.Dataset]:
        """Iterate over datasets, newest first."""
        return self._transport.items(operations.list_datasets(**filters))

    def update(
        self, dataset_id: str, *, if_match: str | None = None, **changes: Unpack[requests.UpdateDataset]
    ) -> models.Dataset:
        """Change the name or the labels of a dataset. A label with the value None is removed."""
        call = operations.update_dataset(dataset_id, changes, if_match=if_match)
        return self._transport.send(call)

    def delete(
        self, dataset_id: str, *, if_match: str | None = None, **query: Unpack[requests.DeleteDatasetQuery]
    ) -> None:
        """Delete a dataset. With `cascade`, also delete everything that was derived from it."""
        self._transport.send(operations.delete_dataset(dataset_id, if_match=if_match, **query))

    def download(
        self, dataset_id: str, path: PathName, **query: Unpack[requests.DownloadDatasetQuery]
    ) -> Path:
        """Download a table to a file. By default, the suffix of the path determines the format.

        The file gets its name only when it is complete. After a lost connection, the download continues.

        Raises
        ------
        ValueError
            If `format` is missing and the suffix is not the name of a format.
        """
        target = Path(path)
        named: Any = {} if "format" in query else {"format": download_format(target)}
        self._transport.save(operations.download_dataset(dataset_id, **{**named, **query}), target)
        return target

    def stream(self, dataset_id: str, **query: Unpack[requests.DownloadDatasetQuery]) -> Iterator[bytes]:
        """Iterate over the bytes of a table. After a lost connection, the download continues."""
        return self._transport.chunks(operations.download_dataset(dataset_id, **query))

    def to_arrow(self, dataset_id: str, *, table: str | None = None) -> pa.Table:
        """Download a table as a pyarrow table. This method needs the extra `arrow`."""
        with tempfile.TemporaryDirectory(prefix="understudy-") as folder:
            path = self._save_parquet(dataset_id, table, Path(folder))
            return in_thread(lambda: read_arrow(path))

    def to_pandas(self, dataset_id: str, *, table: str | None = None) -> pd.DataFrame:
        """Download a table as a pandas DataFrame. This method needs the extra `pandas`."""
        with tempfile.TemporaryDirectory(prefix="understudy-") as folder:
            path = self._save_parquet(dataset_id, table, Path(folder))
            return in_thread(lambda: read_pandas(path))

    def rejects(
        self, dataset_id: str, path: PathName, **query: Unpack[requests.DownloadRejectsQuery]
    ) -> Path:
        """Download the list of the rows that were skipped because they could not be read.

        By default, the suffix of the path determines the format.

        Raises
        ------
        ValueError
            If `format` is missing and the suffix is not the name of a format.
        """
        target = Path(path)
        named: Any = {} if "format" in query else {"format": download_format(target, REJECTS_FORMATS)}
        self._transport.save(operations.download_rejects(dataset_id, **{**named, **query}), target)
        return target

    def release(self, dataset_id: str, body: requests.ReleaseDataset) -> models.Dataset:
        """Release a sample from quarantine (scope `admin`)."""
        return self._transport.send(operations.release_dataset(dataset_id, body))

    def schema(self, dataset_id: str, *, table: str | None = None) -> models.TableSchema:
        """Return the schema of a table."""
        return self._transport.send(operations.get_schema(dataset_id, **_table(table)))

    def update_schema(
        self,
        dataset_id: str,
        change: requests.SchemaChange,
        *,
        if_match: str | None = None,
        **query: Unpack[requests.UpdateSchemaQuery],
    ) -> models.TableSchema:
        """Change the schema of a table with a merge patch."""
        call = operations.update_schema(dataset_id, change, if_match=if_match, **query)
        return self._transport.send(call)

    def sdv_metadata(self, dataset_id: str) -> models.SdvMetadata:
        """Return the schema of all tables as SDV metadata."""
        return self._transport.send(operations.get_sdv_metadata(dataset_id))

    def apply_sdv_metadata(
        self,
        dataset_id: str,
        metadata: requests.SdvMetadata,
        *,
        table: str | None = None,
        if_match: str | None = None,
    ) -> models.AppliedSdvMetadata:
        """Apply SDV metadata to the schema of a table."""
        call = operations.apply_sdv_metadata(dataset_id, metadata, if_match=if_match, **_table(table))
        return self._transport.send(call)

    def profile(self, dataset_id: str, **query: Unpack[requests.GetProfileQuery]) -> models.DatasetProfile:
        """Return statistics of the columns of a dataset."""
        return self._transport.send(operations.get_profile(dataset_id, **query))

    def _save_parquet(self, dataset_id: str, table: str | None, folder: Path) -> Path:
        call: Call[bytes] = operations.download_dataset(dataset_id, format="parquet", **_table(table))
        path = folder / "table.parquet"
        self._transport.save(call, path)
        return path


# `Any`, because several typed dicts have the field `table`.
def _table(name: str | None) -> Any:
    return {} if name is None else {"table": name}
