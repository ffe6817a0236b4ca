"""Placeholders for missing values, such as `N/A`, `unknown` or `-`, in seven languages.

Placeholders do not belong to any kind. For example, `none` is not an e-mail address. Generated columns
contain the same share of placeholders as the original columns.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

# A quoted alias, because Arrow's classes accept no type arguments at run time.
_Texts: TypeAlias = "pa.Array[Any]"
# Any: the stubs of these functions do not support types that are known only at run time.
pc: Any = pyarrow.compute

# Placeholders in lower case and without surrounding whitespace.
PLACEHOLDERS = frozenset(
    {
        *(
            "-",
            "--",
            "---",
            "?",
            "??",
            ".",
            "..",
            "...",
            "*",
            "**",
            "***",
            "#n/a",
            "#na",
            "(none)",
            "(blank)",
        ),
        *(
            "<na>",
            "<null>",
            "<none>",
            "[none]",
            "\\n",
            "na",
            "n/a",
            "n.a.",
            "n.a",
            "n/d",
            "n.d.",
            "nan",
            "nil",
        ),
        *(
            "none",
            "null",
            "blank",
            "empty",
            "missing",
            "unknown",
            "not available",
            "not applicable",
            "not known",
        ),
        *("not provided", "not given", "not specified", "unspecified", "undefined", "no data", "no value"),
        *("no email", "no phone", "no address", "declined", "refused", "withheld", "anonymous", "redacted"),
        *("private", "confidential", "tbd", "tba", "to be determined", "pending", "other"),
        *("unbekannt", "keine", "keine angabe", "k.a.", "k. a.", "nicht bekannt", "fehlt", "anonym", "leer"),
        *(
            "inconnu",
            "inconnue",
            "aucun",
            "aucune",
            "non renseigné",
            "non renseigne",
            "nc",
            "n.c.",
            "anonyme",
        ),
        *("desconocido", "ninguno", "sin datos", "s/d", "no disponible", "no aplica", "anónimo"),
        *("sconosciuto", "nessuno", "non disponibile", "anonimo", "desconhecido", "nenhum", "sem dados"),
        *("onbekend", "geen", "niet bekend", "anoniem"),
    }
)


@lru_cache(maxsize=1)
def _known() -> _Texts:
    # Arrow imports pandas when it creates its first array, so this array is created on first use.
    return pa.array(sorted(PLACEHOLDERS), pa.large_string())


def find_placeholders(texts: _Texts) -> npt.NDArray[np.bool_]:
    """Return a mask of the texts that are placeholders. A missing value is not a placeholder."""
    plain = pc.utf8_lower(pc.utf8_trim_whitespace(texts.cast(pa.large_string())))
    is_placeholder: npt.NDArray[np.bool_] = pc.is_in(plain, value_set=_known()).to_numpy(zero_copy_only=False)
    return is_placeholder
