"""Exact relations between columns, found at fit: what holds in all real rows shall hold in all synthetic ones.

See docs/rules.md.
"""

from __future__ import annotations

from understudy.synthesizers.rules.rules import Rules, find_rules

__all__ = ["Rules", "find_rules"]
