"""Rules: exact relations between columns that hold in all real rows and must hold in all synthetic rows.

The fit finds the rules. See docs/explanation/rules.md. The functions for imputation and for model files are
imported on first use, because a fit does not need them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.lazy_members import lazy_members
from understudy.synthesizers.rules.measured_search import add_measured
from understudy.synthesizers.rules.rules import Rules
from understudy.synthesizers.rules.search import find_rules, with_used_levels
from understudy.synthesizers.rules.support import without_rare_values

if TYPE_CHECKING:
    from understudy.synthesizers.rules.bounding import bound
    from understudy.synthesizers.rules.completion import equalize, find_unequal, imply, recover, solve
    from understudy.synthesizers.rules.files import load_rules, rules_to_arrays

__all__ = [
    "Rules",
    "add_measured",
    "bound",
    "equalize",
    "find_rules",
    "find_unequal",
    "imply",
    "load_rules",
    "recover",
    "rules_to_arrays",
    "solve",
    "with_used_levels",
    "without_rare_values",
]

__getattr__ = lazy_members(
    __name__,
    "understudy.synthesizers.rules.bounding:bound",
    "understudy.synthesizers.rules.completion:equalize",
    "understudy.synthesizers.rules.completion:find_unequal",
    "understudy.synthesizers.rules.completion:imply",
    "understudy.synthesizers.rules.files:load_rules",
    "understudy.synthesizers.rules.completion:recover",
    "understudy.synthesizers.rules.files:rules_to_arrays",
    "understudy.synthesizers.rules.completion:solve",
)
