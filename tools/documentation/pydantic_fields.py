"""A griffe extension that lists the fields of a pydantic model as class attributes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import griffe

MODEL_BASES = {"BaseModel", "SynthesizerParameters"}


class PydanticFields(griffe.Extension):
    """Add a section `Attributes` to the docstring of each pydantic model."""

    def on_class_members(self, *, cls: griffe.Class, **_: Any) -> None:
        """Move the fields of a model from its members to its docstring."""
        if not MODEL_BASES & {str(base) for base in cls.bases} or cls.docstring is None:
            return
        fields = [attribute for attribute in cls.attributes.values() if _is_field(attribute)]
        entries = [entry for field in fields for entry in _entry(field)]
        if entries:
            cls.docstring.value += "\n\nAttributes\n----------\n" + "\n".join(entries)
        for field in fields:
            del cls.members[field.name]


def _is_field(attribute: griffe.Attribute) -> bool:
    return (
        attribute.annotation is not None
        and "property" not in attribute.labels
        and not attribute.name.startswith("_")
        and not str(attribute.annotation).startswith("ClassVar")
    )


def _entry(field: griffe.Attribute) -> Iterator[str]:
    annotation = ast.parse(str(field.annotation), mode="eval").body
    description = _description(annotation)
    type_ = ast.unparse(_WithoutMetadata().visit(annotation))
    yield f"{field.name} : {type_}"
    default = str(field.value) if field.value is not None else None
    parts = [description, f"Default: `{default}`." if default and not default.startswith("Field(") else ""]
    yield f"    {' '.join(filter(None, parts))}"


def _description(annotation: ast.expr) -> str:
    """Return the `description` of the outermost `Field`."""
    for node in ast.walk(annotation):
        if isinstance(node, ast.keyword) and node.arg == "description":
            value = ast.literal_eval(node.value)
            return str(value)
    return ""


class _WithoutMetadata(ast.NodeTransformer):
    """Replace `Annotated[T, ...]` with `T`."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """Return `T` for an `Annotated` subscript, and any other node unchanged."""
        self.generic_visit(node)
        is_annotated = isinstance(node.value, ast.Name) and node.value.id == "Annotated"
        if is_annotated and isinstance(node.slice, ast.Tuple):
            return node.slice.elts[0]
        return node
