"""What a server is born with, in cloud-init's words (JSON is YAML)."""

import base64
import json

from chalicelib.providers.base import Birth

ROOT = "root"


def user_data(birth: Birth) -> str:
    """Return the user-data in base64: the host key that is pinned, and the one user who may log in by the one key."""
    user = {"name": birth.user, "ssh_authorized_keys": [birth.authorized_key], "lock_passwd": True}
    if birth.user != ROOT:
        user |= {"sudo": "ALL=(ALL) NOPASSWD:ALL", "shell": "/bin/bash"}
    document = {
        "users": [user],
        "disable_root": birth.user != ROOT,
        "ssh_pwauth": False,
        "ssh_deletekeys": True,
        "ssh_keys": {"ed25519_private": birth.host_key_private, "ed25519_public": birth.host_key_public},
    }
    return base64.b64encode(f"#cloud-config\n{json.dumps(document)}\n".encode()).decode()
