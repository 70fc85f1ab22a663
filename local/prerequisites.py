"""What a deployment into an account needs before anything is packaged: one clear sentence for what is missing."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from chalicelib.checks import openstack_faults
from chalicelib.config import Config, provider_path
from chalicelib.errors import ConfigError
from chalicelib.words import nearest
from local.stages import STAGES, Stage
from local.target import DeploymentFailed
from local.template import parameter_name

OF_THIS_MACHINE = {"nspawn", "memory"}  # providers whose servers an account could not reach
TOGETHER = (  # the first needs the second
    ("VPC_SUBNET_IDS", "VPC_SECURITY_GROUP_IDS"),
    ("VPC_SECURITY_GROUP_IDS", "VPC_SUBNET_IDS"),
    ("VPC_API", "VPC_SUBNET_IDS"),
    ("VPC_ID", "VPC_ROUTE_TABLE_IDS"),
    ("VPC_ROUTE_TABLE_IDS", "VPC_ID"),
)
LOOKED_UP = {"CloudSecretArn"}


@dataclass(frozen=True)
class Deployment:
    stage: Stage
    settings: Mapping[str, str]  # with the template's own parameters, in capitals too

    @property
    def stack(self) -> str:
        return f"dtrove-{self.stage.name}"


def read(stage: str, project: Path) -> Deployment:
    """Read deploy/<stage>.env and check it. Raises DeploymentFailed or ConfigError, with what is missing or wrong."""
    if stage not in STAGES:
        raise DeploymentFailed(f"Say which stage: {' or '.join(f'make deploy STAGE={each}' for each in STAGES)}.")
    file = project / "deploy" / f"{stage}.env"
    if not file.exists():
        raise DeploymentFailed(
            f"There is no deploy/{stage}.env: copy deploy/{stage}.env.example, and read docs/deploy.md."
        )
    settings = settings_of(file.read_text())
    check({name: value for name, value in settings.items() if is_setting(name)})
    check_own(settings.keys(), own_parameters(project))
    return Deployment(STAGES[stage], settings)


def is_setting(name: str) -> bool:
    """Say whether it is one of the service's, as against a parameter of the template."""
    return name.startswith(("DTROVE_", "OS_"))


def settings_of(text: str) -> dict[str, str]:
    lines = [line.partition("=") for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {name.strip(): value for name, _, value in lines}  # "sudo " ends in a space that counts


def own_parameters(project: Path) -> set[str]:
    """Name the parameters of resources.yaml that are a deployment's to give: neither settings nor looked up."""
    text = (project / "resources.yaml").read_text().split("\nConditions:")[0]
    names: set[str] = set(yaml.safe_load(text)["Parameters"])
    return names - LOOKED_UP - {parameter_name(each) for each in Config.__dataclass_fields__}


def check_own(names: Collection[str], own: set[str]) -> None:
    """Refuse a name that is neither a setting nor a parameter, or one without its fellow. Raises ConfigError."""
    for name in names:
        if not is_setting(name) and parameter_name(name) not in own:
            raise ConfigError(f"{name}: there is no such setting{nearest(name, map(_shouted, own))}")
    for given, other in TOGETHER:
        if given in names and other not in names:
            raise ConfigError(f"{given}: says nothing without {other}.")


def _shouted(parameter: str) -> str:
    """VpcSubnetIds -> VPC_SUBNET_IDS."""
    return "".join(f"_{each}" if each.isupper() else each for each in parameter).lstrip("_").upper()


def check(settings: Mapping[str, str]) -> None:
    """Refuse settings that an account could not work with. Raises ConfigError."""
    chosen = Config.from_environment(settings)
    provider_path(chosen.dtrove_provider)
    if chosen.dtrove_provider in OF_THIS_MACHINE:
        raise ConfigError(
            f"DTROVE_PROVIDER: {chosen.dtrove_provider} makes servers on this machine, where no account reaches."
        )
    for name in ("os_password", "os_application_credential_secret"):
        if getattr(chosen, name) is not None:
            raise ConfigError(
                f"{name.upper()}: no secret goes through a template: put it into that of DTROVE_CLOUD_SECRET."
            )
    if chosen.dtrove_provider == "openstack":
        if not chosen.dtrove_cloud_secret:
            raise ConfigError("DTROVE_CLOUD_SECRET: say which secret has the cloud's credential; see docs/deploy.md.")
        if wrong := list(openstack_faults(vars(chosen))):
            raise ConfigError("; ".join(wrong))
