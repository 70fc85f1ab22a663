"""The deployment's own keys come from Secrets Manager as they are there now."""

import json

import boto3

from chalicelib import aws
from chalicelib.ssh.connection import Endpoint
from chalicelib.ssh.keys import draw_key
from chalicelib.ssh.own_keys import OwnKeys
from tests.ssh.connecting import PATIENT
from tests.ssh.scripted_sshd import ScriptedSshd


def test_a_key_in_secrets_manager_opens_a_host(account: None) -> None:
    vault, key = boto3.client("secretsmanager"), draw_key("correct horse")
    vault.create_secret(Name="dtrove/ssh/jump", SecretString="of old")
    text = json.dumps({"private_key": key.private, "passphrase": "correct horse"})
    vault.put_secret_value(SecretId="dtrove/ssh/jump", SecretString=text)

    with ScriptedSshd() as sshd:
        sshd.trusted = (key.public,)
        endpoint = Endpoint("it", "127.0.0.1", sshd.port, "dtrove", sshd.host_key.public)
        OwnKeys(aws.secret).log_in(endpoint, "dtrove/ssh/jump", PATIENT).close()
