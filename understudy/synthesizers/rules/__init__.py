"""Rules: exact relations between columns that hold in all real rows and must hold in all synthetic rows.

The fit finds the rules. See docs/explanation/rules.md.
"""

from __future__ import annotations

from understudy.synthesizers.rules.files import load_rules, rules_to_arrays
from understudy.synthesizers.rules.rules import Rules, add_differences, find_rules

__all__ = ["Rules", "add_differences", "find_rules", "load_rules", "rules_to_arrays"]
