"""Redis."""

from chalicelib.datastores.redis.manager import RedisManager

__all__ = ["RedisManager"]
