"""Where a deployment goes: an account's own credentials and region, or the embedded AWS's."""

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.package import DEFAULT_REGION


class DeploymentFailed(Exception):
    """It did not get there; the message has what is missing, or CloudFormation's reasons."""


@dataclass(frozen=True)
class Target:
    session: boto3.Session
    endpoint: str | None

    @classmethod
    def embedded(cls, endpoint: str) -> "Target":
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return cls(boto3.Session(region_name=DEFAULT_REGION, **keys), endpoint)

    @classmethod
    def account(cls) -> "Target":
        """Return that of the environment's or the profile's credentials. Raises DeploymentFailed: there are none."""
        try:
            session = boto3.Session()
            has_keys = session.get_credentials() is not None
        except BotoCoreError as error:  # AWS_PROFILE names none, or one that is half written
            raise DeploymentFailed(f"AWS: {error}") from None
        if session.region_name is None:
            raise DeploymentFailed("Say where to: AWS_DEFAULT_REGION is not set.")
        if not has_keys:
            raise DeploymentFailed("There are no AWS credentials: set AWS_PROFILE, or log in; see docs/deploy.md.")
        return cls(session, None)

    def client(self, service: str) -> Any:
        return self.session.client(service, endpoint_url=self.endpoint)

    def account_id(self) -> str:
        """Return the account's number. Raises DeploymentFailed if AWS does not know the credentials."""
        try:
            return str(self.client("sts").get_caller_identity()["Account"])
        except (ClientError, BotoCoreError) as error:
            raise DeploymentFailed(f"AWS refuses the credentials: {error}") from None

    @property
    def poll_seconds(self) -> float:
        return 0.05 if self.endpoint else 2.0
