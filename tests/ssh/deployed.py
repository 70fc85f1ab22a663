"""What a deployment has of its own: keys in a Secrets Manager that can be changed, and that counts who asks."""

import json
from dataclasses import dataclass, field

from chalicelib.ssh.keys import KeyPair, draw_key
from chalicelib.ssh.own_keys import OwnKeys


@dataclass
class Vault:
    """One secret by every name."""

    pair: KeyPair = field(default_factory=draw_key)
    passphrase: str = ""
    text: str | None = None  # instead of the key
    asked_for: list[str] = field(default_factory=list)

    def fetch(self, name: str) -> str:
        self.asked_for.append(name)
        return self.text or json.dumps({"private_key": self.pair.private, "passphrase": self.passphrase})

    def change(self) -> None:
        self.pair = draw_key()

    def keys(self) -> OwnKeys:
        """Return those of a cold worker."""
        return OwnKeys(self.fetch)
