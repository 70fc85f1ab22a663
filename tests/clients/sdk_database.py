"""Run by the clients' own Python: each method of openstacksdk's `conn.database`, and what it finds, printed as JSON."""

import json
import os
import time
from typing import Any

import openstack

override: dict[str, Any] = (
    {"database_endpoint_override": os.environ["OS_ENDPOINT"]} if os.environ.get("OVERRIDE") else {}
)
connection = openstack.connect(
    auth_type="admin_token",
    auth={"endpoint": os.environ["OS_ENDPOINT"], "token": os.environ["OS_TOKEN"]},
    **override,
)
database: Any = connection.database
seen: dict[str, Any] = {}

seen["flavors"] = [each.name for each in database.flavors()]
seen["flavor"] = database.find_flavor("db.small").ram
made = database.create_instance(name="db1", flavor="1", volume={"size": 1}, datastore={"type": "ledger"})
ready = database.wait_for_status(made, "ACTIVE", interval=0.2, wait=30)
seen["instance"] = [ready.status, database.get_instance(made.id).name]
seen["found"] = database.find_instance("db1").id == made.id
database.create_database(made.id, name="a", character_set="utf8", collate="utf8_general_ci")
seen["databases"] = [each.name for each in database.databases(made.id)]
database.create_user(made.id, name="al", password="correct-horse", databases=[{"name": "a"}])
seen["users"] = [each.name for each in database.users(made.id)]
database.delete_user("al", made.id)
database.delete_database("a", made.id)
seen["left"] = [[each.name for each in database.databases(made.id)], [each.name for each in database.users(made.id)]]
seen["root"] = [bool(ready.enable_root_user(database)), ready.is_root_enabled(database)]
database.update_instance(made.id, name="db2")
seen["renamed"] = database.get_instance(made.id).name
ready.restart(database)
database.wait_for_status(database.get_instance(made.id), "ACTIVE", interval=0.2, wait=30)
ready.resize_volume(database, 2)
while (grown := database.get_instance(made.id)).status != "ACTIVE":
    time.sleep(0.2)
seen["volume"] = grown.volume
for number in range(3):
    database.create_instance(name=f"more{number}", flavor="1", datastore={"type": "ledger"})
seen["paged"] = sorted(each.name for each in database.instances(limit=2))
database.delete_instance(made.id)
database.wait_for_delete(database.get_instance(made.id), interval=0.2, wait=30)
seen["gone"] = database.find_instance("db2") is None
print(json.dumps(seen))
