"""Guests, reached over SSH: the protocol the managers see, and its one implementation."""
