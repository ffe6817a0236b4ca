"""Tests for the code that finds and runs the code blocks on the pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documentation.blocks import blocks_of, matches
from tests.documentation.sessions import PageError, PythonSession, ShellSession
from tests.documentation.test_snippets import shell_environment

PAGE = """\
```python
print("a  b")
```

```text
a b
```

<!-- not run: needs Docker -->
```sh
docker compose up
```

<!-- not run -->

```bash
true
```

```text
not the output of that block
```
"""


def test_output_belongs_to_the_preceding_block():
    first, stated, *_ = blocks_of("page.md", PAGE)
    assert first.output == "a b\n"
    assert stated.output is None


def test_the_comment_before_a_block_contains_the_reason():
    reasons = {block.language: block.reason for block in blocks_of("page.md", PAGE)}
    assert reasons == {"python": None, "text": None, "sh": "needs Docker", "bash": ""}


def test_text_block_after_intervening_prose_is_not_the_expected_output():
    (block, _) = blocks_of("page.md", "```sh\ntrue\n```\n\nSome prose.\n\n```text\nx\n```\n")
    assert block.output is None


def test_a_console_block_contains_commands_and_output():
    (block,) = blocks_of("page.md", "```console\n$ echo 1\n1\n$ echo 2\n2\n```\n")
    assert block.source.split("\n") == ["echo 1", "", "echo 2", "", ""]
    assert block.output == "1\n2\n"


@pytest.mark.parametrize(
    ("shown", "output", "is_same"),
    [
        ("a b", "a\n  b\n", True),
        ("id ds_…", "id ds_1 x", True),
        ("id ds_…", "id mdl_1", False),
        ("a", "a b", False),
    ],
)
def test_output_comparison_ignores_white_space_and_expands_ellipses(shown: str, output: str, is_same: bool):
    assert matches(shown, output) == is_same


def run_shell(page: str, tmp_path: Path) -> None:
    """Run the blocks of a page in one shell."""
    shell = ShellSession(tmp_path, tmp_path / "session", shell_environment(tmp_path, tmp_path))
    try:
        for block in blocks_of("page.md", page):
            if block.is_code:
                shell.run(block, block.source)
    finally:
        shell.close()


def test_shell_blocks_share_one_session(tmp_path: Path):
    run_shell("```sh\nx=1\ncd /\n```\n\n```sh\necho $x $PWD\n```\n\n```text\n1 /\n```\n", tmp_path)


def test_error_names_the_failing_command_and_its_line(tmp_path: Path):
    with pytest.raises(PageError, match=r"page\.md:4: .*\n    false \| cat") as caught:
        run_shell("Text.\n\n```sh\nfalse | cat\n```\n", tmp_path)
    assert "stdout" in str(caught.value)


def test_a_command_with_an_unset_variable_fails(tmp_path: Path):
    with pytest.raises(PageError, match="URL: unbound variable"):
        run_shell("```sh\necho $URL\n```\n", tmp_path)


def test_error_names_the_failing_line_of_python():
    (block,) = blocks_of("page.md", "Text.\n\n```python\na = 1\nb = a / 0\n```\n")
    with pytest.raises(PageError, match=r"page\.md:5: .*\n    b = a / 0\nZeroDivisionError"):
        PythonSession().run(block)


def test_a_block_whose_output_differs_from_the_page_fails():
    block, _ = blocks_of("page.md", "```python\nprint(1)\n```\n\n```text\n2\n```\n")
    with pytest.raises(PageError, match="differs from the page"):
        PythonSession().run(block)
