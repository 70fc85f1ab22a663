"""The service on a port of this process, for schemathesis to call."""

from tests.clients.conftest import endpoint

__all__ = ["endpoint"]
