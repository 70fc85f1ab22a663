"""What authenticates the service's own user to Keystone: of the settings, or of a secret that says it instead."""

from collections.abc import Mapping

from keystoneauth1.identity.v3 import ApplicationCredential, Password
from keystoneauth1.identity.v3.base import BaseAuth

from chalicelib.config import Config


def credential_of(settings: Config, secret: Mapping[str, str], url: str, *, include_catalog: bool = True) -> BaseAuth:
    """Return an application credential if there is one, else a user and password. It has asked nothing yet."""
    if credential_id := secret.get("application_credential_id") or settings.os_application_credential_id:
        return ApplicationCredential(
            url,
            application_credential_id=credential_id,
            application_credential_secret=secret.get("application_credential_secret")
            or settings.os_application_credential_secret
            or "",
            include_catalog=include_catalog,
        )
    return Password(
        url,
        username=secret.get("username") or settings.os_username,
        password=secret.get("password") or settings.os_password or "",
        user_domain_name=settings.os_user_domain_name,
        project_id=settings.os_project_id,
        project_name=None if settings.os_project_id else settings.os_project_name,
        project_domain_name=settings.os_project_domain_name,
        include_catalog=include_catalog,
    )
