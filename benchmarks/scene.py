"""A project with something for each route of the API to name, its cloud and guests invented."""

import json
import re
from dataclasses import dataclass
from typing import Any

from benchmarks.counting_calls import Calls

PASSWORD = "correct-horse-battery"  # noqa: S105 - of nobody
LEDGER = {"type": "ledger", "version": "1"}
NODE = {"flavorRef": "1", "volume": {"size": 1}}
AL, BO = {"name": "al", "password": PASSWORD}, {"name": "bo", "password": PASSWORD}
GROUP = {"name": "tuning", "values": {"most": 7}, "datastore": LEDGER}
INSTANCE = {"name": "db", **NODE, "datastore": LEDGER}
BODIES: dict[str, Any] = {  # of all requests that need one, {words} are a scene's ids; without a row none is sent
    "POST /backups": {"backup": {"name": "again", "instance": "{instance_id}"}},
    "POST /schedules": {"schedule": {"name": "nightly", "instance": "{instance_id}", "cron": "0 2 * * *"}},
    "PATCH /schedules/{schedule_id}": {"schedule": {"cron": "0 3 * * *"}},
    "POST /clusters": {"cluster": {"name": "c", "datastore": LEDGER, "instances": [NODE] * 3}},
    "POST /clusters/{cluster_id}": {"restart": {}},
    "POST /instances": {"instance": INSTANCE},
    "PUT /instances/{instance_id}": {"instance": {"name": "new"}},
    "PATCH /instances/{instance_id}": {"instance": {"name": "new"}},
    "POST /instances/{instance_id}/action": {"restart": {}},
    "POST /instances/{instance_id}/databases": {"databases": [{"name": "c"}]},
    "POST /instances/{instance_id}/users": {"users": [BO]},
    "PUT /instances/{instance_id}/users": {"users": [AL]},
    "POST /instances/{instance_id}/users/{user}": {"users": BO},
    "PUT /instances/{instance_id}/users/{user}": {"user": {"name": "ann"}},
    "PUT /instances/{instance_id}/users/{user}/databases": {"databases": [{"name": "b"}]},
    "POST /instances/{instance_id}/log": {"name": "general"},
    "POST /configurations": {"configuration": GROUP},
    "PUT /configurations/{configuration_id}": {"configuration": {"name": "tuning", "values": {"most": 8}}},
    "PATCH /configurations/{configuration_id}": {"configuration": {"values": {"most": 8}}},
    "POST /mgmt/instances/{instance_id}/action": {"stop": {}},
    "POST /mgmt/clusters/{cluster_id}/action": {"reset-task": {}},
    "PUT /mgmt/quotas/{quota_project_id}": {"quotas": {"instances": 5}},
    "PATCH /mgmt/datastore-versions/{version}": {"active": False},
    "POST /mgmt/datastore-versions": {
        "version": {
            **{"name": "2", "datastore_name": "ledger", "datastore_manager": "redis", "image": "debian-12"},
            "active": True,
        }
    },
}
WITHDRAWN = "withdrawn"  # a datastore whose versions are, all of them
OTHERS = {  # what some routes name instead: the placeholder → the name among a scene's ids
    "GET /clusters/{cluster_id}/instances/{instance_id}": {"instance_id": "member"},
    "DELETE /datastores/{datastore}": {"datastore": WITHDRAWN},
}


@dataclass(frozen=True)
class Scene:
    ids: dict[str, str]

    @classmethod
    def made(cls, calls: Calls) -> "Scene":
        """Have an instance with a database and a user, a cluster of two and a group, and nothing else."""
        from app import reads
        from chalicelib.api import guests
        from chalicelib.models.datastore import Datastore, version_id_of
        from chalicelib.models.job import Job
        from tests import conftest
        from tests.api.client import ApiCaller
        from tests.ledger import THE_LEDGER, Ledger
        from tests.simulation.service import Simulation

        conftest.empty()
        conftest.offer()
        conftest.offer_ledger()
        Datastore(
            **{"version_id": WITHDRAWN, "datastore_id": WITHDRAWN, "datastore": WITHDRAWN, "version": "1"},
            **{"manager": "redis", "image": "debian-12", "packages": ["redis-server"], "is_withdrawn": True},
        ).add()
        THE_LEDGER.__dict__.update(vars(Ledger()))
        guests.ask_through(lambda event: calls.apart(lambda: reads(event, None)))
        simulation, member = Simulation(), ApiCaller()
        simulation.install()

        def made(path: str, kind: str, body: dict[str, Any]) -> dict[str, Any]:
            answer: dict[str, Any] = member.post(path, {kind: body}).body[kind]
            if job_id := answer.get("job_id"):
                simulation.carry_out(Job.get(job_id))
            return answer

        accounts = {"databases": [{"name": "a"}, {"name": "b"}], "users": [{**AL, "databases": [{"name": "a"}]}]}
        instance = made("/instances", "instance", {**INSTANCE, **accounts})
        cluster = made("/clusters", "cluster", {"name": "c", "datastore": LEDGER, "instances": [NODE] * 2})
        group = made("/configurations", "configuration", GROUP)
        backup = made("/backups", "backup", {"name": "nightly", "instance": instance["id"]})
        nightly = {"name": "nightly", "instance": instance["id"], "cron": "0 2 * * *"}
        schedule = made("/schedules", "schedule", nightly)
        shown = member.get(f"/clusters/{cluster['id']}").body["cluster"]
        return cls(
            {
                "instance_id": instance["id"],
                "job_id": instance["job_id"],
                "cluster_id": cluster["id"],
                "member": shown["instances"][1]["id"],
                "configuration_id": group["id"],
                "backup_id": backup["id"],
                "schedule_id": schedule["id"],
                "version": version_id_of("ledger", "1"),
                **{
                    "datastore": "ledger",
                    "parameter": "most",
                    "flavor_id": "1",
                    "database": "a",
                    "user": "al",
                    "log": "general",
                },
                WITHDRAWN: WITHDRAWN,
                **{"quota_project_id": "p1", "known_project_id": "p1"},
            }
        )

    def status_of(self, route: str) -> int:
        """Send the request of a route, as somebody who may, and return its status."""
        from chalicelib.api.policy import POLICY
        from tests.api.client import ApiCaller

        method, path = route.split()
        ids = self.ids | {placeholder: self.ids[name] for placeholder, name in OTHERS.get(route, {}).items()}
        body = json.loads(_filled(json.dumps(BODIES.get(route)), ids))
        return ApiCaller(POLICY[route]).send(method, _filled(path, ids), body).status


def _filled(text: str, ids: dict[str, str]) -> str:
    return re.sub(r"{(\w+)}", lambda match: ids.get(match[1], "x"), text)
