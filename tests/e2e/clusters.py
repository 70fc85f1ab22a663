"""Clusters as a customer orders and uses them."""

from dataclasses import dataclass, field
from typing import Any

from local.api import Api
from local.proof import CLIENTS, prove
from local.service import OFFERED

VERSIONS = {datastore: version for datastore, version, _ in OFFERED}


@dataclass
class Ordered:
    api: Api
    cluster_id: str
    datastore: str
    password: str = field(repr=False)

    @classmethod
    def by(cls, api: Api, datastore: str, size: int, *, volume_gib: int | None = 1) -> "Ordered":
        body: dict[str, Any] = {
            "name": f"e2e-{datastore}",
            "datastore": {"type": datastore, "version": VERSIONS[datastore]},
            "size": size,
            "flavorRef": "1",
        }
        if volume_gib:
            body["volume"] = {"size": volume_gib}
        cluster = api.post("/clusters", {"cluster": body})["cluster"]
        ordered = cls(api, cluster["id"], datastore, cluster["password"])
        ordered.ends(cluster["job_id"])
        return ordered

    def ends(self, job_id: str, status: str = "SUCCEEDED") -> Any:
        job = self.api.await_job(job_id)
        assert job["status"] == status, job["message"]
        return job

    def act(self, action: str, value: object = None) -> Any:
        job_id = self.api.post(f"/clusters/{self.cluster_id}", {action: value or {}})["job"]["id"]
        return self.ends(job_id)

    def delete(self) -> None:
        self.api.delete(f"/clusters/{self.cluster_id}")
        self.ends(self.api.newest_job(self.cluster_id)["id"])

    def show(self) -> Any:
        return self.api.get(f"/clusters/{self.cluster_id}")["cluster"]

    def instances(self, role: str | None = None) -> list[Any]:
        return [each for each in self.show()["instances"] if role in {None, each["role"]}]

    def prove(self) -> None:
        (primary,) = self.instances("primary")
        replicas = [each["ip"][0] for each in self.instances("replica")]
        prove(CLIENTS[self.datastore], primary["ip"][0], replicas, self.password)
