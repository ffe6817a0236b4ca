"""Exact relations between columns, found at fit: what all real rows keep, all synthetic rows shall keep.

See docs/explanation/rules.md.
"""

from __future__ import annotations

from understudy.synthesizers.rules.files import load_rules, rules_to_arrays
from understudy.synthesizers.rules.rules import Rules, find_rules

__all__ = ["Rules", "find_rules", "load_rules", "rules_to_arrays"]
