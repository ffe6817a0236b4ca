"""Content negotiation with the weights in `Accept` and `Accept-Encoding` (RFC 9110, section 12.5)."""

from __future__ import annotations

from understudy.errors import InvalidInput


def preferred(accept: str | None, offered: tuple[str, ...]) -> str:
    """Return the first of the offered media types that have the highest weight in `Accept`.

    Raises
    ------
    InvalidInput
        If the header `Accept` allows none of the offered types.
    """
    weights = {media_type: _weight(accept or "*/*", media_type) for media_type in offered}
    best = max(offered, key=lambda media_type: weights[media_type])
    if weights[best] <= 0:
        raise InvalidInput(
            f"The Accept header allows none of the available media types. Use one of {', '.join(offered)}.",
            code="not_acceptable",
        )
    return best


def quality_of(header: str, name: str) -> float:
    """Return the weight of a name in a list of weighted names, or 0 if the list does not contain it."""
    for part in header.split(","):
        listed, *options = [text.strip().lower() for text in part.split(";")]
        if listed == name:
            return _quality(options)
    return 0.0


def _weight(accept: str, media_type: str) -> float:
    """Return the weight of the most specific media range that matches."""
    patterns = {media_type: 3, media_type.partition("/")[0] + "/*": 2, "*/*": 1}
    best = (0, 0.0)
    for part in accept.split(","):
        pattern, *options = [text.strip().lower() for text in part.split(";")]
        if pattern in patterns:
            best = max(best, (patterns[pattern], _quality(options)))
    return best[1]


def _quality(options: list[str]) -> float:
    for option in options:
        name, _, value = option.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
