"""Steps: the tasks of the state machines. Each is a plain function; the decorators load, fence, save and report."""

from importlib import import_module

MODULES = (
    *("cloud", "access", "accounts", "backups", "clusters", "consoles", "datastores", "expiring", "keys", "logs"),
    *("parameters", "restoring", "servers", "tasks", "volumes"),
)


def load() -> None:
    """Import every module of steps, so that STEPS is complete."""
    for module in MODULES:
        import_module(f"chalicelib.steps.{module}")
