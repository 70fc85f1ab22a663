"""PostgreSQL."""

from chalicelib.datastores.postgresql.manager import PostgresManager

__all__ = ["PostgresManager"]
