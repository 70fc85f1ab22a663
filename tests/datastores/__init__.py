"""Managers: golden tests of what each tells a guest, and all three on real guests."""
