"""Check the project's prose against the word list, list the prose, or sample it for a reader.

    python -m tests.prose check                           # what `make check` runs
    python -m tests.prose sample --seed 1 -n 60           # sentences from everywhere, for a reader to judge
    python -m tests.prose sample --kinds error,openapi    # only error texts and OpenAPI descriptions
    python -m tests.prose list understudy/tables          # all prose of a folder

Prose is docstrings, comments, string literals that read like text, and names of tests in `*.py`; paragraphs
and table cells in `*.md`; text in `*.html`; summaries and descriptions in `openapi.json`.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import random
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
KINDS = ("docstring", "comment", "text", "error", "test", "markdown", "html", "openapi")
PATTERNS = ("*.py", "*.md", "*.html", "openapi.json")

# The pattern matches the beginning of a description without a main clause. Questions are exempt.
FRAGMENT = re.compile(r"^(?:Of|What|Who|Whose)\b(?=[^?]*$)")

# A string literal is text if it has at least this number of words. Shorter literals are names, formats or
# keys.
N_WORDS_MIN = 4

# The tests for this module contain faulty prose on purpose.
EXCLUDED = ("tests/test_prose.py",)


@dataclass(frozen=True)
class Passage:
    """A piece of prose and its location."""

    path: str
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} [{self.kind}] {self.text}"


def banned_words() -> re.Pattern[str]:
    """Return a pattern that matches any entry of the word list."""
    lines = (ROOT / "tests" / "banned_words.txt").read_text().splitlines()
    return re.compile("|".join(line for line in lines if line and not line.startswith("#")), re.IGNORECASE)


def tracked_files(folders: Iterable[str] = ()) -> list[Path]:
    """Return the files under version control that contain prose, restricted to `folders` if given."""
    listed = subprocess.run(
        ["git", "ls-files", "--", *PATTERNS], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    prefixes = tuple(folder.rstrip("/") for folder in folders)
    return [
        ROOT / name
        for name in listed
        if name not in EXCLUDED
        and (not prefixes or any(name == prefix or name.startswith(prefix + "/") for prefix in prefixes))
        and (ROOT / name).exists()
    ]


def passages(path: Path) -> Iterator[Passage]:
    """Return the prose of one file."""
    name = path.relative_to(ROOT).as_posix()
    readers = {".py": python_prose, ".md": markdown_prose, ".html": html_prose, ".json": openapi_prose}
    for line, kind, text in readers[path.suffix](path.read_text()):
        text = " ".join(text.split())
        if text:
            yield Passage(name, line, kind, text)


def python_prose(source: str) -> Iterator[tuple[int, str, str]]:
    """Return docstrings, comments, text literals, error texts and names of tests."""
    yield from _comments(source)
    tree = ast.parse(source)
    docstrings = set()
    errors = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise) and node.exc is not None
        for part in ast.walk(node.exc)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                docstrings.add(id(first.value))
                if isinstance(first.value.value, str):
                    yield from _docstring(first.value.lineno, first.value.value)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.lineno, "test", node.name.removeprefix("test_").replace("_", " ")
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if id(node) in docstrings or id(node) in inside:
            continue
        text = _literal(node)
        if (
            text is not None
            and len(re.findall(r"[A-Za-z]{2,}\b", text)) >= N_WORDS_MIN
            and " " in text.strip()
        ):
            yield node.lineno, "error" if id(node) in errors else "text", text  # type: ignore[attr-defined]


def _literal(node: ast.AST) -> str | None:
    """Return the text of a literal, with `{…}` in place of each expression in an f-string."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{…}" for part in node.values)
    return None


def _docstring(line: int, text: str) -> Iterator[tuple[int, str, str]]:
    """Return the paragraphs of a docstring, without doctests and indented blocks."""
    for paragraph in _paragraphs(text):
        if ">>>" in paragraph or set(paragraph) & set("├└│"):
            continue
        if re.search(r"^ *-{3,}$", paragraph, re.MULTILINE):
            yield from ((line, "docstring", entry) for entry in _section_entries(paragraph))
        else:
            yield line, "docstring", paragraph


def _section_entries(section: str) -> list[str]:
    """Return the descriptions in a section of a numpy docstring, without the names and types above them."""
    lines = section.splitlines()
    rule = next(index for index, line in enumerate(lines) if re.fullmatch(r" *-{3,}", line))
    margin = len(lines[rule]) - len(lines[rule].lstrip())
    entries: list[list[str]] = []
    for line in lines[rule + 1 :]:
        if len(line) - len(line.lstrip()) <= margin:
            entries.append([])
        elif entries:
            entries[-1].append(line)
    return ["\n".join(entry) for entry in entries if entry]


def _paragraphs(text: str) -> list[str]:
    return [part for part in re.split(r"\n\s*\n", text) if part.strip()]


def _comments(source: str) -> Iterator[tuple[int, str, str]]:
    """Return comments, with those on consecutive lines joined into one."""
    block: list[str] = []
    start = last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        text = token.string.lstrip("#! ").strip()
        if not re.search(r"[A-Za-z]{2}", text) or text.startswith(("noqa", "type: ignore", "pragma")):
            continue
        text = re.sub(r"^noqa: [A-Z0-9, ]+ - ", "", text)
        own_line = not token.line[: token.start[1]].strip()
        if block and own_line and token.start[0] == last + 1:
            block.append(text)
        else:
            if block:
                yield start, "comment", " ".join(block)
            block, start = [text], token.start[0]
        last = token.start[0]
    if block:
        yield start, "comment", " ".join(block)


def markdown_prose(source: str) -> Iterator[tuple[int, str, str]]:
    """Return paragraphs, list items and table cells outside of code blocks. Inline code becomes `…`."""
    fenced = False
    block: list[str] = []
    start = 0
    for number, line in enumerate([*source.splitlines(), ""], 1):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
            line = ""
        elif fenced or line.startswith("<!--"):
            line = ""
        is_item = bool(re.match(r"\s*([-*+]|\d+\.|#+|\|)\s", line))
        if block and (not line.strip() or is_item):
            yield start, "markdown", " ".join(block)
            block = []
        if line.lstrip().startswith("|"):
            for cell in re.split(r"(?<!\\)\|", line.strip().strip("|")):
                if re.search(r"[A-Za-z]{2}", cell):
                    yield number, "markdown", cell
        elif line.strip():
            start = start if block else number
            block.append(re.sub(r"^\s*([-*+]|\d+\.|#+)\s+", "", line))


def html_prose(source: str) -> Iterator[tuple[int, str, str]]:
    """Return the text between tags of a Jinja2 template, without styles and scripts."""
    blank = lambda match: re.sub(r"[^\n]", " ", match[0])  # noqa: E731 - keeps the line numbers
    source = re.sub(r"(?s)<(style|script)\b.*?</\1>|\{#.*?#\}|\{%.*?%\}", blank, source)
    source = re.sub(r"(?s)\{\{.*?\}\}", "{…}", source)
    for match in re.finditer(r"(?s)>([^<>]+)<|(?:title|alt|aria-label|content)=\"([^\"]+)\"", f">{source}<"):
        text = match[1] or match[2]
        if re.search(r"[A-Za-z]{2}", text):
            yield source.count("\n", 0, match.start()) + 1, "html", text


def openapi_prose(source: str) -> Iterator[tuple[int, str, str]]:
    """Return every summary and description of the document, with its JSON pointer."""
    for pointer, text in openapi_texts(json.loads(source)):
        yield 0, "openapi", f"{pointer}: {text}"


def openapi_texts(node: object, pointer: str = "#") -> Iterator[tuple[str, str]]:
    """Return pointers and texts of all summaries and descriptions in an OpenAPI document."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from openapi_texts(item, f"{pointer}/{index}")
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("summary", "description") and isinstance(value, str):
                yield f"{pointer}/{key}", value
            else:
                yield from openapi_texts(value, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")


def sentences(passage: Passage) -> list[Passage]:
    """Return the sentences of a passage."""
    parts = re.split(r"(?<=[.!?:;])\s+(?=[A-Z`'\"({*])", passage.text)
    return [
        Passage(passage.path, passage.line, passage.kind, part) for part in parts if len(part.split()) >= 3
    ]


def check(folders: Iterable[str] = ()) -> list[str]:
    """Return each passage that contains a listed word or begins like a fragment, together with its fault."""
    pattern = banned_words()
    return [
        f"{passage} ← {fault!r}"
        for path in tracked_files(folders)
        for passage in passages(path)
        for fault in faults(passage, pattern)
    ]


def faults(passage: Passage, pattern: re.Pattern[str]) -> list[str]:
    """Return the words of a passage that match the word list, and the word that begins a fragment."""
    text = re.sub(r"`[^`]*`", "`…`", passage.text)
    words = [match[0] for match in pattern.finditer(text)]
    if passage.kind in ("docstring", "openapi"):
        words += [match[0] for match in FRAGMENT.finditer(re.sub(r"^#\S+: ", "", text))]
    return words


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.prose", description="Read the project's prose.")
    parser.add_argument("command", choices=("check", "sample", "list"))
    parser.add_argument("folders", nargs="*", help="files and folders to read (default: all)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the sample")
    parser.add_argument("-n", type=int, default=60, help="number of sentences in the sample")
    parser.add_argument("--kinds", default=",".join(KINDS), help="comma-separated kinds of prose")
    options = parser.parse_args(arguments)
    if options.command == "check":
        lines = check(options.folders)
        if lines:
            sys.exit(
                "\n".join([*lines, f"{len(lines)} uses of words in tests/banned_words.txt. Rephrase them."])
            )
        return
    kinds = set(options.kinds.split(","))
    selected = [
        passage
        for path in tracked_files(options.folders)
        for passage in passages(path)
        if passage.kind in kinds
    ]
    if options.command == "sample":
        selected = sorted({sentence for passage in selected for sentence in sentences(passage)}, key=str)
        selected = random.Random(options.seed).sample(selected, min(options.n, len(selected)))  # noqa: S311
    print("\n".join(map(str, selected)))  # noqa: T201 - the output of the command


if __name__ == "__main__":
    main()
