"""Clouds: one module each, and a line of PROVIDERS."""
