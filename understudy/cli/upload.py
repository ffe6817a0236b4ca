"""The command `upload`, which sends files of any size to a running service in parts."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.inputs import existing_file
from understudy.cli.terminal import notices, progress_bar, write_json
from understudy.errors import Unavailable

KEY_VARIABLE = "UNDERSTUDY_API_KEY"
MEBIBYTE = 1 << 20


def upload(
    files: Annotated[
        list[Path], typer.Argument(help="Table files. Several files become the tables of one dataset.")
    ],
    url: Annotated[str, typer.Option(help="Address of the service.")] = "http://127.0.0.1:8000",
    name: Annotated[
        str | None, typer.Option(help="Name of the dataset. Default: the first file name without its suffix.")
    ] = None,
    format: Annotated[  # noqa: A002 - the glossary's word, and the option's name
        str | None, typer.Option(help="Format of all files. Default: derived from the suffix of each file.")
    ] = None,
    part_size: Annotated[
        int | None,
        typer.Option(
            min=1, max=512, help="Size of a part in MiB; choose a smaller size for an unreliable connection."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the dataset as one JSON object.")] = False,
) -> None:
    """Upload tables to a service and wait until they are ingested. Set UNDERSTUDY_API_KEY to your key.

    If the connection breaks, the upload is retried for about four minutes.
    Run the same command again to resume it.
    """
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key:
        raise Unavailable(f"{KEY_VARIABLE} is not set. Set it to your API key.", code="configuration")
    if find_spec("httpx2") is None:
        raise Unavailable(
            "The HTTP client is not installed. Run: pip install 'understudy[client]'.", code="configuration"
        )
    # Imported here because this module needs httpx2, which only the extra `client` installs.
    from understudy.client.api import Client
    from understudy.client.uploads import Pauses, Sender

    def announce_retries(seconds: float) -> None:
        notices().print(
            f"{url} does not respond. Retrying for up to {seconds / 60:.0f} minutes; press Ctrl-C to stop.",
            soft_wrap=True,
            markup=False,
        )

    part_bytes = None if part_size is None else part_size * MEBIBYTE
    paths = [existing_file(path) for path in files]
    with Client(url, key) as client, progress_bar("Uploading") as progress:
        pauses = Pauses(on_first=announce_retries)
        sender = Sender(client, name=name, format=format, part_bytes=part_bytes, pauses=pauses)
        dataset = sender.send(paths, progress)
    if as_json:
        write_json(dataset)
    else:
        # Only the ID goes to stdout, so that `$(…)` captures only the ID.
        sys.stdout.write(f"{dataset['id']}\n")
