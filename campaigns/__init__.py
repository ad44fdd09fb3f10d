"""Campaigns: many faults, injected into the real program, and what it promises under each.

A campaign is a module with a ``CAMPAIGN``; what it needs is in the rooms below. A short run of each
is among the tests; a long one is ``python -m campaigns``.
"""
