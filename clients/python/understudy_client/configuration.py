"""Address and API key of the service, from arguments or the environment."""

from __future__ import annotations

import os
import re

URL_VARIABLE = "UNDERSTUDY_URL"
KEY_VARIABLE = "UNDERSTUDY_API_KEY"
USER_AGENT = "understudy-client-python"


def connection_of(url: str | None, api_key: str | None) -> tuple[str, dict[str, str]]:
    """Return the address of the service and the headers of all requests.

    Raises
    ------
    ValueError
        If neither the argument nor the environment contains a value, or a value is invalid. The message does
        not contain the value, because an address can contain a password.
    """
    address = (url or os.environ.get(URL_VARIABLE, "")).strip()
    key = (api_key or os.environ.get(KEY_VARIABLE, "")).strip()
    if not address:
        raise ValueError(f"The address of the service is missing. Pass `url`, or set {URL_VARIABLE}.")
    if not key:
        raise ValueError(f"The API key is missing. Pass `api_key`, or set {KEY_VARIABLE}.")
    if not re.match(r"https?://[^/]", address, re.IGNORECASE):
        raise ValueError(
            f"The address of the service does not begin with `http://` or `https://`. Check {URL_VARIABLE}."
        )
    if not re.fullmatch(r"[!-~]+", key):
        raise ValueError(
            f"The API key contains a space, a line break or another invalid character. Check {KEY_VARIABLE}."
        )
    return address.rstrip("/"), {"Authorization": f"Bearer {key}", "User-Agent": USER_AGENT}
