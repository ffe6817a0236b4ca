"""Record this version's SQL statements, for tests that run them on the next version's schema.

Run this command in a clone of the version, before the next migration is added:
``python -m tests.upgrades.record``. It runs the tests that use the database.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from understudy.db.revision import required_revision

FOLDER = Path(__file__).parent / "statements"
TESTS = ("tests/unit/db", "tests/unit/services", "tests/api")
# Expanded lists, such as `IN (%(id_1_1)s, %(id_1_2)s)`, differ only in their length.
LIST = re.compile(r"\((%\(\w+\)s(?:::[A-Z ]+)?)(?:, %\(\w+\)s(?:::[A-Z ]+)?)+\)(?=\s|$|\))")
MULTIPLE_ROWS = re.compile(
    r"(VALUES \([^()]*(?:\([^()]*\)[^()]*)*\)), \(.*?\)(?= RETURNING| ON|$)", re.DOTALL
)


class Recorder:
    """A pytest plugin that collects the statements that SQLAlchemy compiles."""

    def __init__(self) -> None:
        self.statements: set[str] = set()

    def listen(self) -> None:
        """Collect the statements of all engines, except literal SQL, which only tests use."""
        event.listen(Engine, "before_cursor_execute", self._record)

    def _record(
        self, _connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: Any
    ) -> None:
        if context is not None and context.compiled is not None and not context.isddl:
            is_text = type(context.compiled.statement).__name__ == "TextClause"
            if not is_text and "SAVEPOINT" not in statement:
                self.statements.add(normalised(statement))


def normalised(statement: str) -> str:
    """Shorten each list and each series of rows in a statement to one element."""
    statement = LIST.sub(r"(\1)", statement) if " IN (" in statement else statement
    return MULTIPLE_ROWS.sub(r"\1", " ".join(statement.split()))


def main() -> int:
    """Run the tests and write the file of the current revision."""
    recorder = Recorder()
    recorder.listen()
    status = pytest.main(["-q", "-p", "no:cacheprovider", *TESTS])
    FOLDER.mkdir(exist_ok=True)
    target = FOLDER / f"{required_revision()}.json"
    target.write_text(json.dumps(sorted(recorder.statements), indent=0) + "\n")
    sys.stdout.write(f"{len(recorder.statements)} statements in {target}\n")
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
