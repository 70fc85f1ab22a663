"""One cluster's life from the Step Functions console: each workflow with the very text of statemachines/README.md."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests import console
from tests.embedded.service import Embedded

GROUP = {"name": "by-hand", "values": {"most": 20}, "datastore": {"type": "redis", "version": "7.0"}}


@dataclass
class ByHand:
    service: Embedded
    ids: dict[str, str] = field(default_factory=dict)
    ended: dict[str, dict[str, Any]] = field(default_factory=dict)  # executions by workflow
    seen: dict[str, Any] = field(default_factory=dict)  # the cluster as the API shows it after each; None: it is gone

    def live(self) -> "ByHand":
        api = self.service.api()
        group = api.post("/configurations", {"configuration": GROUP})["configuration"]
        self.ids["configuration_id"] = group["id"]
        for workflow, text in console.inputs().items():
            arn = self.service.start(workflow, f"by-hand-{workflow}", console.filled_in(text, **self.ids))
            self.ended[workflow] = self.service.ended(arn)
            self.look(workflow)
        return self

    def look(self, workflow: str) -> None:
        clusters = self.service.api().get("/clusters")["clusters"]
        found = next((each for each in clusters if each["name"] == "by-hand"), None)
        self.seen[workflow] = found and self.service.api().get(f"/clusters/{found['id']}")["cluster"]
        for backup in self.service.api().get("/backups")["backups"]:
            self.ids["backup_id"] = backup["id"]
        if shown := self.seen[workflow]:
            self.plan(shown["instances"][0]["id"])
            instances = shown["instances"]
            self.ids |= {
                "cluster_id": shown["id"],
                "instance_id": instances[0]["id"],
                "replica_id": instances[-1]["id"],
            }

    def plan(self, instance_id: str) -> None:
        """Have a schedule of it, which is never due."""
        if "schedule_id" not in self.ids:
            order = {"name": "by-hand", "instance": instance_id, "cron": "0 2 * * *", "is_paused": True}
            made = self.service.api().post("/schedules", {"schedule": order})
            self.ids["schedule_id"] = made["schedule"]["id"]

    def job(self, workflow: str) -> dict[str, Any]:
        """Return the job of the execution as its table has it: of a cluster that is gone too."""
        table = self.service.aws.client("dynamodb")
        key = {"job_id": {"S": f"by-hand-{workflow}"}}
        item = table.get_item(TableName="dtrove-jobs", Key=key).get("Item", {})
        return {name: next(iter(value.values())) for name, value in item.items()}

    def cause(self, workflow: str) -> str:
        return str(json.loads(self.ended[workflow].get("cause") or "{}").get("errorMessage", ""))
