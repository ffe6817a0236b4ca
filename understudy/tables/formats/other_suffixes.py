"""Remedies for files in formats that are not supported, by suffix."""

from __future__ import annotations

_SAVED_AS_XLSX = "Open it in a spreadsheet program and save the sheet as .xlsx or .csv."
_EXPORTED = "Export the table as CSV or Parquet."

# For each suffix, the content of the file and a remedy.
_OTHER: dict[str, tuple[str, str]] = {
    ".xls": (
        "a workbook in the old Excel format",
        "Open it in a spreadsheet program and save the sheet as .xlsx or .csv, or rename it to .csv if it "
        "is text.",
    ),
    ".xlsb": ("a binary workbook", _SAVED_AS_XLSX),
    ".xlt": ("an Excel template", _SAVED_AS_XLSX),
    ".xltx": ("an Excel template", _SAVED_AS_XLSX),
    ".fods": ("an OpenDocument spreadsheet in plain XML", "Open it and save it as .ods, .xlsx or .csv."),
    ".ots": ("an OpenDocument template", _SAVED_AS_XLSX),
    ".numbers": ("a Numbers spreadsheet", "Export it from Numbers as .xlsx or .csv."),
    ".gsheet": ("a link to a Google spreadsheet", "Download the spreadsheet as .xlsx or .csv."),
    ".pdf": ("a PDF document", _EXPORTED),
    ".doc": ("a text document", _EXPORTED),
    ".docx": ("a text document", _EXPORTED),
    ".html": ("a web page", _EXPORTED),
    ".htm": ("a web page", _EXPORTED),
    ".xml": ("XML", _EXPORTED),
    ".sav": ("an SPSS file", _EXPORTED),
    ".dta": ("a Stata file", _EXPORTED),
    ".sas7bdat": ("a SAS file", _EXPORTED),
    ".xpt": ("a SAS transport file", _EXPORTED),
    ".rds": ("an R data file", _EXPORTED),
    ".rdata": ("an R data file", _EXPORTED),
    ".sql": ("SQL", "Load it into a database, and export the table as CSV."),
    ".sqlite": ("an SQLite database", _EXPORTED),
    ".db": ("a database", _EXPORTED),
    ".mdb": ("an Access database", _EXPORTED),
    ".accdb": ("an Access database", _EXPORTED),
    ".dbf": ("a dBASE file", "Open it in a spreadsheet program and save it as .xlsx or .csv."),
    ".orc": ("an ORC file", "Export the table as Parquet."),
    ".avro": ("an Avro file", "Export the table as Parquet."),
    ".pkl": ("a Python pickle", _EXPORTED),
    ".h5": ("an HDF5 file", _EXPORTED),
    ".log": ("a log", "If it is delimited text with a header line, rename it to .csv."),
    ".asc": ("text", "If it is delimited text with a header line, rename it to .csv."),
    ".psv": ("text", "If it is delimited text with a header line, rename it to .csv."),
    "": ("a file without a suffix", "If it is delimited text with a header line, rename it to .csv."),
}


def unknown_suffix(name: str, suffix: str) -> str | None:
    """Return the message about a file in a known format that is not supported, or None."""
    other = _OTHER.get(suffix)
    if other is None:
        return None
    kind, remedy = other
    return f"{name!r} is {kind}, which is not supported. {remedy}"
