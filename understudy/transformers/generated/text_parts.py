"""Relations between codes and labels: codes that contain their label, and labels that contain their code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Characters that separate the parts of a code.
DELIMITERS = "-_/.:| "
# Minimum number of pairs required to learn a relation.
N_PAIRS_MIN = 5


@dataclass(frozen=True)
class Part:
    """A part of a code that equals the label.

    Parameters
    ----------
    delimiter : str
        Character that separates the parts. Empty if the part has a fixed number of characters.
    index : int
        Index of the part. For a fixed number of characters, 0 for the first and -1 for the last characters.
    length : int
        Number of characters, if it is fixed.
    is_padded : bool
        Whether the part is a number with leading zeros.
    """

    delimiter: str
    index: int
    length: int = 0
    is_padded: bool = False

    def read(self, code: str) -> str:
        """Return the label within a code."""
        part = self._split(code)[1]
        return (part.lstrip("0") or part[-1:]) if self.is_padded else part

    def write(self, code: str, label: str) -> str:
        """Return the code with its label replaced by another label."""
        before, part, after = self._split(code)
        return before + (label.zfill(len(part)) if self.is_padded else label) + after

    def _split(self, code: str) -> tuple[str, str, str]:
        if not self.delimiter:
            at = self.length if self.index == 0 else len(code) - self.length
            return ("", code[:at], code[at:]) if self.index == 0 else (code[:at], code[at:], "")
        parts = code.split(self.delimiter)
        index = self.index % len(parts) if -len(parts) <= self.index < len(parts) else len(parts) - 1
        before, after = (self.delimiter.join(own) for own in (parts[:index], parts[index + 1 :]))
        return (
            before + self.delimiter if index else "",
            parts[index],
            self.delimiter + after if index + 1 < len(parts) else "",
        )


def find_part(codes: Sequence[str], labels: Sequence[str]) -> Part | None:
    """Return the part of each code that is its label, or None if there is no such part."""
    if len(codes) < N_PAIRS_MIN:
        return None
    pairs = list(zip(codes, labels, strict=True))
    return next((part for part in _candidates(labels) if all(part.read(c) == b for c, b in pairs)), None)


def _candidates(labels: Sequence[str]) -> Iterator[Part]:
    for is_padded in (False, True):
        for delimiter in DELIMITERS:
            for index in (0, 1, -1):
                yield Part(delimiter, index, is_padded=is_padded)
        lengths = {len(label) for label in labels}
        if len(lengths) == 1 or is_padded:
            for length in range(max(lengths), max(lengths) + (4 if is_padded else 1)):
                yield Part("", 0, length, is_padded)
                yield Part("", -1, length, is_padded)


def contain_codes(codes: Sequence[str], labels: Sequence[str]) -> bool:
    """Return whether each label contains its code and further text."""
    if len(codes) < N_PAIRS_MIN:
        return False
    return all(code in label and code != label for code, label in zip(codes, labels, strict=True))
