"""Every error this service raises on purpose.

    ServiceError                    the caller can act on it; status and name are Trove's
    ├── BadRequest           400    badRequest
    ├── Unauthorized         401    unauthorized
    ├── Forbidden            403    forbidden
    ├── NotFound             404    itemNotFound
    ├── Conflict             409    conflict: its key is taken
    ├── OverLimit            413    overLimit: a quota, or a body too large
    │   └── TooMany          413    too many requests: when to come again is told
    ├── BadMediaType         415    badMediaType
    ├── Unprocessable        422    unprocessableEntity: busy, or a value the datastore refuses
    ├── NotOffered           501    notImplemented
    └── Unavailable          503    serviceUnavailable
    StepError                       a workflow step did not finish
    ├── NotReady                    wait, then ask again: polling, not a failure
    ├── Transient                   the world hiccuped: retry with backoff
    └── Permanent                   retrying cannot help: fail the job
        ├── ProviderError           the cloud refused
        └── CommandFailed           a command on a guest ended with a status other than 0
    ConfigError                     this deployment's environment is wrong; nothing starts

A Lambda hands a state machine exactly NotReady, Transient or Permanent, since `ErrorEquals` compares class names and
knows nothing of Python inheritance: the step wrapper turns a Permanent's subclasses into Permanent itself.
"""


class ServiceError(Exception):
    """An answer other than success; `str(error)` is the message the caller reads."""

    status = 500
    name = "instanceFault"
    retry_after_seconds: int | None = None


class BadRequest(ServiceError):
    status, name = 400, "badRequest"


class Unauthorized(ServiceError):
    status, name = 401, "unauthorized"


class Forbidden(ServiceError):
    status, name = 403, "forbidden"


class NotFound(ServiceError):
    status, name = 404, "itemNotFound"


class Conflict(ServiceError):
    status, name = 409, "conflict"


class OverLimit(ServiceError):
    status, name = 413, "overLimit"


class TooMany(OverLimit):
    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class BadMediaType(ServiceError):
    status, name = 415, "badMediaType"


class Unprocessable(ServiceError):
    status, name = 422, "unprocessableEntity"


class NotOffered(ServiceError):
    status, name = 501, "notImplemented"


class Unavailable(ServiceError):
    status, name = 503, "serviceUnavailable"


class StepError(Exception):
    """A workflow step did not finish; the message is shown to the customer, so it holds no secret."""


class NotReady(StepError):
    pass


class Transient(StepError):
    pass


class Permanent(StepError):
    pass


class ProviderError(Permanent):
    pass


class CommandFailed(Permanent):
    """A command on a guest failed. `exit_status` is what it ended with."""

    def __init__(self, message: str, exit_status: int) -> None:
        super().__init__(message)
        self.exit_status = exit_status


class ConfigError(Exception):
    pass
