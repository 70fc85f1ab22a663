"""The deployment's own SSH keys, for hosts of its own: in Secrets Manager, and here while a worker is warm."""

import json
from collections.abc import Callable

from chalicelib import aws
from chalicelib.config import Config
from chalicelib.errors import Permanent
from chalicelib.ssh.connection import Connection, Endpoint, KeyRefused, PrivateKey


class OwnKeys:
    def __init__(self, fetch: Callable[[str], str] = aws.secret) -> None:
        self._fetch = fetch
        self._known: dict[str, PrivateKey] = {}  # those that have opened something

    def log_in(
        self, endpoint: Endpoint, secret: str, config: Config, beneath: Callable[[], Connection | None] = lambda: None
    ) -> Connection:
        """Connect with the key in the secret. One that is refused is fetched anew: it may have been changed meanwhile.

        Raises as Connection.open does, and Permanent for a key that is refused as it is now, or is none.
        """
        known = self._known.get(secret)
        key = known or self._fetched(secret)
        try:
            connection = Connection.open(endpoint, key, config, beneath())
        except KeyRefused as refused:
            self._known.pop(secret, None)
            if known:
                return self.log_in(endpoint, secret, config, beneath)
            raise Permanent(f"{refused} (the key in the secret {secret})") from refused
        self._known[secret] = key
        return connection

    def _fetched(self, secret: str) -> PrivateKey:
        try:
            held = json.loads(self._fetch(secret))
            return PrivateKey(str(held["private_key"]), str(held.get("passphrase") or ""))
        except (ValueError, TypeError, KeyError, AttributeError):
            # nothing of the cause is passed on: it was raised over a secret
            raise Permanent(f'The secret {secret} is not {{"private_key": …, "passphrase": …}}.') from None


OWN_KEYS = OwnKeys()
