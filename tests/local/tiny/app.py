"""The smallest app that has what ours has: a route, three task functions, a state machine. For tests of local/ only."""

import os
import signal
import sys
import time
from typing import Any

import boto3
from chalice.app import Chalice

app = Chalice(app_name="tiny")

Event = dict[str, Any]


class NotReady(Exception):
    pass


@app.route("/echo/{value}")
def echo(value: str) -> dict[str, str]:
    return {"value": value}


@app.route("/surroundings")
def surroundings() -> dict[str, Any]:
    return {"environment": sorted(os.environ), "path": sys.path}


@app.route("/start/{workflow}/{name}")
def start(workflow: str, name: str) -> dict[str, str]:
    machine = os.environ["DTROVE_MACHINE_PREFIX"] + workflow
    return {"arn": boto3.client("stepfunctions").start_execution(stateMachineArn=machine, name=name)["executionArn"]}


@app.route("/forbidden")
def forbidden() -> dict[str, str]:
    try:
        boto3.client("dynamodb").scan(TableName=os.environ["DTROVE_TABLE_PREFIX"] + "endings")
    except boto3.client("dynamodb").exceptions.ClientError as error:
        return {"code": error.response["Error"]["Code"]}
    return {"code": "allowed"}


@app.lambda_function(name="records")
def records(event: Event, _context: object) -> None:
    """Note how an execution ended."""
    item = {"name": {"S": event["detail"]["name"]}, "status": {"S": event["detail"]["status"]}}
    boto3.client("dynamodb").put_item(TableName=os.environ["DTROVE_TABLE_PREFIX"] + "endings", Item=item)


@app.lambda_function(name="cloud")
def cloud(event: Event, _context: object) -> Event:
    return event


@app.lambda_function(name="guest")
def guest(event: Event, _context: object) -> Event:
    match event["step"]:
        case "Poll" if event["retries"] < event.get("tries", 2):
            raise NotReady(f"worker {os.getpid()}")
        case "Crash" if event["retries"] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        case "Hang":
            time.sleep(60)
    return event | {"worker": os.getpid()}
