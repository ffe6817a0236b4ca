"""MkDocs hooks, which add generated pages and redirect links out of `docs/` to copies in the site."""

from __future__ import annotations

import json
import os
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from tools.documentation.command_pages import options_page
from tools.documentation.decisions_page import decisions_page
from tools.documentation.error_pages import error_pages
from tools.documentation.http_pages import bodies_page, operations_page, report_page
from tools.documentation.settings_page import settings_page

ROOT = Path(__file__).parent.parent.parent
# Files outside `docs/` that are copied into the site, and their paths there.
COPIED_FILES = {
    "openapi.json": "openapi.json",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CODE_OF_CONDUCT.md": "code-of-conduct.md",
}
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?![a-z]+:|#|/)([^)\s#]+)(#[^)\s]*)?\)")
FENCED_BLOCK = re.compile(r"(^[ \t]*```.*?^[ \t]*```[ \t]*$)", re.DOTALL | re.MULTILINE)
# Tags that make a browser load a resource from the network. Links are allowed, because browsers do not load
# their targets.
REMOTE_RESOURCE = re.compile(
    r"<(?:(?:script|img|iframe|source)\b[^>]*\ssrc"
    r"|link\b(?![^>]*\brel=\"?(?:canonical|prev|next)\b)[^>]*\shref)=\"?(https?:[^\"\s>]*)"
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages and the copied files."""
    document = json.loads((ROOT / "openapi.json").read_text())
    report_schema = json.loads((ROOT / "docs" / "reference" / "report.schema.json").read_text())
    pages = {
        "reference/http-operations.md": operations_page(document, report_schema),
        "reference/http-bodies.md": bodies_page(document, report_schema),
        "reference/report-format.md": report_page(report_schema),
        "reference/cli-options.md": options_page(),
        "reference/settings.md": settings_page(),
        **error_pages((ROOT / "docs" / "reference" / "errors.md").read_text()),
        "decisions/index.md": decisions_page(ROOT / "docs" / "decisions"),
        **{place: (ROOT / name).read_text() for name, place in COPIED_FILES.items()},
    }
    for place, content in pages.items():
        files.append(File.generated(config, place, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Rewrite links to files outside `docs/`. Code blocks are not changed."""
    source = {place: name for name, place in COPIED_FILES.items()}.get(
        page.file.src_uri, f"docs/{page.file.src_uri}"
    )
    parts = FENCED_BLOCK.split(markdown)
    parts[::2] = [
        LINK.sub(lambda link: _site_link(link, source, page.file.src_uri), part) for part in parts[::2]
    ]
    return "".join(parts)


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Check that a page loads no resource from the network, because the site must also work offline."""
    if remote := REMOTE_RESOURCE.search(output):
        raise PluginError(
            f"{page.file.src_uri} loads {remote[1]} from the network. Add a copy of that file to the site "
            "and link to the copy."
        )
    return output


def _site_link(link: re.Match[str], source: str, place: str) -> str:
    """Return a link for use in the site, or only its text if the site does not contain the file."""
    text, target, fragment = link[1], link[2], link[3] or ""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    if path.startswith("docs/"):
        in_site = path.removeprefix("docs/")
    elif path in COPIED_FILES:
        in_site = COPIED_FILES[path]
    else:
        return text if (ROOT / path).exists() else link[0]
    return f"[{text}]({os.path.relpath(in_site, posixpath.dirname(place) or '.')}{fragment})"
