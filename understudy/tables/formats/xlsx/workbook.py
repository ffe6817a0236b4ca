"""Select the sheet to read, and find its parts and the date system of the workbook."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from understudy.errors import InvalidInput
from understudy.tables.formats.scan import MEBIBYTE
from understudy.tables.formats.xlsx.archive import Archive, unreadable
from understudy.tables.formats.xlsx.markup import Elements, attribute, parse

_PART_BYTES_MAX = 4 * MEBIBYTE
_SHEETS_MAX = 10_000
_LINKS_MAX = 20_000
_SHOWN_NAMES = 10


@dataclass(frozen=True)
class Link:
    """A relationship to another part. The target is None if the part is outside the workbook."""

    kind: str
    target: str | None


@dataclass(frozen=True)
class Sheet:
    """A sheet in the sheet list of the workbook."""

    name: str
    link: str
    is_hidden: bool


@dataclass(frozen=True)
class Workbook:
    """The parts of a workbook that are needed to read a sheet.

    Parameters
    ----------
    sheet_part, strings_part, styles_part : str
        Names of parts, or None if the workbook does not contain the part.
    is_1904 : bool
        Whether days are counted from 1 January 1904.
    """

    sheet_part: str
    strings_part: str | None
    styles_part: str | None
    is_1904: bool
    warnings: list[str]


def read_workbook(archive: Archive, wanted: str | None) -> Workbook:
    """Select the sheet with the given name, or the first visible sheet, and return its parts.

    Raises
    ------
    InvalidInput
        If the workbook cannot be read (code unreadable_file) or does not have the sheet (code
        invalid_parameters).
    """
    part = _workbook_part(archive)
    listing = _Listing()
    parse(archive.chunks(part, bytes_max=_PART_BYTES_MAX), listing)
    if not listing.is_workbook:
        raise unreadable(
            "The file is an Office document but not a workbook. Copy the table into a workbook "
            "and save it as .xlsx."
        )
    links = _links(archive, part)
    sheets = [sheet for sheet in listing.sheets if _kind(links, sheet) == "worksheet"]
    if not sheets:
        raise unreadable("The workbook has no sheet with cells. Copy the table to a worksheet.")
    sheet = select_sheet(sheets, wanted)
    target = links[sheet.link].target
    if target is None:
        raise unreadable("The selected sheet is stored outside the file. Copy the sheet into the workbook.")
    return Workbook(
        target,
        _part_of_kind(archive, links, "sharedStrings"),
        _part_of_kind(archive, links, "styles"),
        listing.is_1904,
        sheet_warnings(sheets, sheet, wanted),
    )


class _Listing(Elements):
    """The sheets of a workbook, in order."""

    def __init__(self) -> None:
        self.sheets: list[Sheet] = []
        self.is_1904 = False
        self.is_workbook: bool | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Handle an element that declares a sheet or the date system."""
        if self.is_workbook is None:
            self.is_workbook = name == "workbook"
        if name == "sheet":
            title = attributes.get("name", "")
            is_hidden = attributes.get("state", "visible") != "visible"
            self.sheets.append(Sheet(title, attribute(attributes, "id") or "", is_hidden))
            if len(self.sheets) > _SHEETS_MAX:
                raise unreadable(
                    f"The workbook has more than {_SHEETS_MAX:,} sheets. Copy the table to a new workbook."
                )
        elif name == "workbookPr":
            self.is_1904 = attributes.get("date1904", "0") in ("1", "true", "on")


class _Links(Elements):
    """The relationships of a part."""

    def __init__(self, folder: str) -> None:
        self.links: dict[str, Link] = {}
        self._folder = folder

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Handle a relationship."""
        if name != "Relationship":
            return
        kind = attributes.get("Type", "").rpartition("/")[2]
        is_outside = attributes.get("TargetMode") == "External"
        target = None if is_outside else self._resolved(attributes.get("Target", ""))
        self.links[attributes.get("Id", "")] = Link(kind, target)
        if len(self.links) > _LINKS_MAX:
            raise unreadable(
                f"The workbook has more than {_LINKS_MAX:,} relationships. Copy the table to a new workbook."
            )

    def _resolved(self, target: str) -> str:
        # Any result is safe, because it is used only to look up parts of the archive.
        return posixpath.normpath(posixpath.join("/", self._folder, target)).lstrip("/")


def _links(archive: Archive, part: str) -> dict[str, Link]:
    folder, _, name = part.rpartition("/")
    handler = _Links(folder)
    links_part = posixpath.join(folder, "_rels", f"{name}.rels")
    parse(archive.chunks(links_part, bytes_max=_PART_BYTES_MAX), handler)
    return handler.links


def _workbook_part(archive: Archive) -> str:
    if "_rels/.rels" not in archive:
        raise unreadable("The file is a ZIP archive but not a workbook. Upload a workbook in .xlsx format.")
    links = _links(archive, "")
    part = next((link.target for link in links.values() if link.kind == "officeDocument"), None)
    if part is None or part not in archive:
        raise unreadable("The file is a ZIP archive without a workbook. Upload a workbook in .xlsx format.")
    if part.lower().endswith(".bin"):
        raise unreadable(
            "The file is a binary workbook (.xlsb). Open it in a spreadsheet program and save it as .xlsx."
        )
    return part


def _kind(links: dict[str, Link], sheet: Sheet) -> str | None:
    return links[sheet.link].kind if sheet.link in links else None


def _part_of_kind(archive: Archive, links: dict[str, Link], kind: str) -> str | None:
    part = next((link.target for link in links.values() if link.kind == kind), None)
    return part if part is not None and part in archive else None


def select_sheet(sheets: list[Sheet], wanted: str | None) -> Sheet:
    """Return the sheet with the given name, or the first visible sheet."""
    if wanted is None:
        return next((sheet for sheet in sheets if not sheet.is_hidden), sheets[0])
    for sheet in sheets:
        if sheet.name == wanted:
            return sheet
    shown = ", ".join(repr(sheet.name[:100]) for sheet in sheets[:_SHOWN_NAMES])
    more = f" and {len(sheets) - _SHOWN_NAMES:,} more" if len(sheets) > _SHOWN_NAMES else ""
    raise InvalidInput(
        f"The workbook has no sheet with the name in the option `sheet`. "
        f"Use one of its sheets: {shown}{more}.",
        code="invalid_parameters",
    )


def merged_warning(n: int) -> str:
    """Return a warning about merged areas below the header."""
    return (
        f"The sheet has {n:,} merged area{'s' if n > 1 else ''}. Only the first cell of each area has a "
        "value, and the other cells are read as missing."
    )


def sheet_warnings(sheets: list[Sheet], sheet: Sheet, wanted: str | None) -> list[str]:
    """Return the messages about sheets that were not read."""
    warnings = []
    if wanted is None and len(sheets) > 1:
        which = "first" if sheet.is_hidden else "first visible"
        warnings.append(
            f"The workbook has {len(sheets):,} sheets, and the {which} sheet was read. "
            "Set the option `sheet` to read another sheet."
        )
    if sheet.is_hidden:
        warnings.append("The sheet that was read is hidden in the workbook.")
    elif wanted is None and (n_hidden := sum(other.is_hidden for other in sheets)):
        warnings.append(f"Hidden sheets that were not read: {n_hidden:,}.")
    return warnings
