"""Datastores: one folder each; `managers` finds them by name."""
