"""The same stories on real guests: the nspawn provider and SSH, with a point before and after each call of theirs."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from chalicelib.models import record
from chalicelib.models.instance import Instance
from chalicelib.models.status import Role
from chalicelib.providers.base import BaseProvider
from chalicelib.providers.nspawn.provider import NspawnProvider
from chalicelib.providers.nspawn.site import Site
from chalicelib.ssh.guest import Guest
from chalicelib.steps import world
from tests.simulation.service import Simulation

EFFECTS = ("create", "attach_volume", "set_access", "destroy", "run", "write", "start", "forget")


class Tripping:
    """Stands before a provider or a guest: passes a point before and after each call that has an effect."""

    def __init__(self, inner: object, trip: Callable[[str], None]) -> None:
        self._inner, self._trip = inner, trip

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)
        if name not in EFFECTS:
            return call

        @wraps(call)
        def tripping(*arguments: object, **words: object) -> object:
            self._trip(f"before {name}")
            answer = call(*arguments, **words)
            self._trip(f"after {name}")
            return answer

        return tripping


@dataclass
class RealSimulation(Simulation):
    """State machines and tables in this process; servers and guests real."""

    site: Site | None = None

    def install(self) -> None:
        assert self.site is not None
        self.provider = NspawnProvider(self.site)
        record.clock = lambda: record.utc() + self.hours
        world.replace(
            world.World(
                provider=self._provider,
                connect=self._connect,
                sleep=time.sleep,
                monotonic=time.monotonic,
                log=self.log.append,
                patience_seconds=3,
            )
        )

    def _provider(self) -> BaseProvider:
        return Tripping(self.provider, self._trip)  # type: ignore[return-value]

    def _connect(self, instance: Instance, key_id: str) -> Guest:
        return Tripping(world.connect(instance, key_id), self._trip)

    def left(self) -> list[str]:
        return [*super().left(), *(f"{each.kind} of {each.instance_id}" for each in self.provider.owned())]


def primary_address(instances: list[Instance]) -> str:
    return next(str(each.address) for each in instances if each.role == Role.PRIMARY)
