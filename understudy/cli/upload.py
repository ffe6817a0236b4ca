"""The command `upload`: files to a running service, in parts, however large they are."""

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
    files: Annotated[list[Path], typer.Argument(help="Tables; several are the tables of one dataset.")],
    url: Annotated[str, typer.Option(help="Address of the service.")] = "http://127.0.0.1:8000",
    name: Annotated[
        str | None, typer.Option(help="Of the dataset; the first file's, without its suffix, if not given.")
    ] = None,
    format: Annotated[  # noqa: A002 - the glossary's word, and the option's name
        str | None, typer.Option(help="Of all files; by their suffixes if not given.")
    ] = None,
    part_size: Annotated[
        int | None, typer.Option(min=1, max=512, help="MiB of a part; smaller for a bad line.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for machines.")] = False,
) -> None:
    """Upload tables to a service, and wait until they are read. The key is read from UNDERSTUDY_API_KEY.

    What breaks off is gone on with: by itself, for some minutes, or when the same command is run again.
    """
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key:
        raise Unavailable(f"{KEY_VARIABLE} is not set; it holds the API key.", code="configuration")
    if find_spec("httpx2") is None:
        raise Unavailable(
            "The client is not installed: pip install 'understudy[client]'.", code="configuration"
        )
    # Needs httpx2, which only the extra `client` installs.
    from understudy.client.api import Client
    from understudy.client.uploads import Pauses, Sender

    def tell(seconds: float) -> None:
        notices().print(
            f"{url} does not answer. Trying again for up to {seconds / 60:.0f} minutes; Ctrl-C stops it.",
            soft_wrap=True,
            markup=False,
        )

    part_bytes = None if part_size is None else part_size * MEBIBYTE
    paths = [existing_file(path) for path in files]
    with Client(url, key) as client, progress_bar("Uploading") as progress:
        sender = Sender(client, name=name, format=format, part_bytes=part_bytes, pauses=Pauses(on_first=tell))
        dataset = sender.send(paths, progress)
    if as_json:
        write_json(dataset)
    else:
        # By itself on stdout, so that `$(…)` takes the id alone.
        sys.stdout.write(f"{dataset['id']}\n")
