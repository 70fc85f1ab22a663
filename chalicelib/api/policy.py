"""Who may do what: the one table. A route that is not in it cannot be registered, and each row is a route.

reader · member · admin: each may do what those before it may. Paths are below /v1.0/{project_id}. What a view refuses
beyond this (an action that only administrators may ask for) it says itself.
"""

POLICY = {
    # --- what is on offer
    "GET /datastores": "reader",
    "GET /datastores/{datastore}": "reader",
    "GET /datastores/{datastore}/versions": "reader",
    "GET /datastores/{datastore}/versions/{version}": "reader",
    "GET /datastores/{datastore}/versions/{version}/flavors": "reader",
    "GET /datastores/{datastore}/versions/{version}/volume-types": "reader",
    "GET /datastores/versions/{version}": "reader",
    "GET /flavors": "reader",
    "GET /flavors/{flavor_id}": "reader",
    "GET /limits": "reader",
    # --- clusters
    "GET /clusters": "reader",
    "POST /clusters": "member",
    "GET /clusters/{cluster_id}": "reader",
    "POST /clusters/{cluster_id}": "member",
    "DELETE /clusters/{cluster_id}": "member",
    "GET /clusters/{cluster_id}/instances/{instance_id}": "reader",
    # --- instances
    "GET /instances": "reader",
    "POST /instances": "member",
    "GET /instances/{instance_id}": "reader",
    "PUT /instances/{instance_id}": "member",
    "PATCH /instances/{instance_id}": "member",
    "DELETE /instances/{instance_id}": "member",
    "POST /instances/{instance_id}/action": "member",
    # --- jobs: ours
    "GET /jobs": "reader",
    "GET /jobs/{job_id}": "reader",
    # --- to come: each answers 501
    "GET /backups": "reader",
    "POST /backups": "member",
    "GET /backups/{backup_id}": "reader",
    "DELETE /backups/{backup_id}": "member",
    "GET /instances/{instance_id}/backups": "reader",
    "GET /backup_strategies": "reader",
    "POST /backup_strategies": "member",
    "DELETE /backup_strategies": "member",
    "GET /instances/{instance_id}/ssl": "reader",
    "POST /instances/{instance_id}/ssl": "member",
    "GET /modules": "reader",
    "POST /modules": "member",
    "GET /modules/{module_id}": "reader",
    "PUT /modules/{module_id}": "member",
    "DELETE /modules/{module_id}": "member",
    "GET /modules/{module_id}/instances": "reader",
    "PUT /modules/{module_id}/instances": "member",
    "GET /instances/{instance_id}/modules": "reader",
    "POST /instances/{instance_id}/modules": "member",
    "DELETE /instances/{instance_id}/modules/{module_id}": "member",
    # --- for administrators
    "GET /mgmt/instances": "admin",
    "GET /mgmt/instances/{instance_id}": "admin",
    "POST /mgmt/instances/{instance_id}/action": "admin",
    "GET /mgmt/clusters": "admin",
    "GET /mgmt/clusters/{cluster_id}": "admin",
    "POST /mgmt/clusters/{cluster_id}/action": "admin",
    "GET /mgmt/quotas/{quota_project_id}": "reader",  # one's own; those of others are for administrators
    "PUT /mgmt/quotas/{quota_project_id}": "admin",
    "GET /mgmt/datastore-versions": "admin",
    "POST /mgmt/datastore-versions": "admin",
    "GET /mgmt/datastore-versions/{version_id}": "admin",
    "PATCH /mgmt/datastore-versions/{version_id}": "admin",
    "DELETE /mgmt/datastore-versions/{version_id}": "admin",
}
