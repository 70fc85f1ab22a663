"""AWS's list prices that costs are computed with: one table, of one region and one day."""

from dataclasses import dataclass

REGION = "us-east-1"
AS_OF = "2026-11-24"
PAGES = "https://aws.amazon.com/{}/pricing/"


@dataclass(frozen=True)
class Price:
    usd: float  # for one of what `per` says
    shown: str  # as AWS's page says it
    page: str

    @property
    def url(self) -> str:
        return PAGES.format(self.page)


TRANSITION = Price(0.025e-3, "0.025 USD per 1,000 state transitions (Standard)", "step-functions")
GB_SECOND = Price(0.0000166667, "0.0000166667 USD per GB-second (x86)", "lambda")
INVOCATION = Price(0.20e-6, "0.20 USD per million calls of functions", "lambda")
API_REQUEST = Price(3.50e-6, "3.50 USD per million requests (REST API)", "api-gateway")
WRITE_UNIT = Price(0.625e-6, "0.625 USD per million write units (on demand)", "dynamodb")
READ_UNIT = Price(0.125e-6, "0.125 USD per million read units (on demand)", "dynamodb")
STORED_GB = Price(0.25, "0.25 USD per GB-month of records", "dynamodb")
RECOVERABLE_GB = Price(0.20, "0.20 USD per GB-month with point-in-time recovery", "dynamodb")
KMS_CALL = Price(0.03e-4, "0.03 USD per 10,000 requests", "kms")
KMS_KEY = Price(1.0, "1.00 USD per key and month; a first and a second yearly rotation add as much each", "kms")
EVENT = Price(1.0e-6, "1.00 USD per million events of one's own", "eventbridge")
LOGGED_GB = Price(0.50, "0.50 USD per GB written to logs", "cloudwatch")
ALARM = Price(0.10, "0.10 USD per alarm and month", "cloudwatch")
METRIC = Price(0.30, "0.30 USD per metric and month, for the hours in which it has a value", "cloudwatch")
TRACE = Price(5.0e-6, "5.00 USD per million traces that are recorded", "xray")
SECRET = Price(0.40, "0.40 USD per secret and month", "secrets-manager")
ENDPOINT_HOUR = Price(0.01, "0.01 USD per hour and availability zone, and 0.01 USD per GB", "privatelink")
NAT_HOUR = Price(0.045, "0.045 USD per hour and gateway, and 0.045 USD per GB", "vpc")

ALL = (
    *(TRANSITION, GB_SECOND, INVOCATION, API_REQUEST, WRITE_UNIT, READ_UNIT, STORED_GB, RECOVERABLE_GB, KMS_CALL),
    *(KMS_KEY, EVENT, LOGGED_GB, ALARM, METRIC, TRACE, SECRET, ENDPOINT_HOUR, NAT_HOUR),
)
