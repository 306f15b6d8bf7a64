#!/usr/bin/env python3
"""Works on orders as one consumer of the group "billing": claims what a dead worker left, then reads new entries."""
import os
import sys

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

STREAM, GROUP, IDLE_MS = "orders", "billing", 30_000

host, _, port = os.environ.get("EXAMPLE_ADDR", "127.0.0.1:6379").rpartition(":")
client = redis.Redis(host=host, port=int(port), decode_responses=True,
                     retry=Retry(ExponentialBackoff(cap=1, base=0.1), -1), retry_on_error=[redis.ConnectionError])
name = sys.argv[1] if len(sys.argv) > 1 else "worker-%d" % os.getpid()

try:
    client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
except redis.ResponseError as error:
    if not str(error).startswith("BUSYGROUP"):
        raise


def handle(entry, fields):
    if fields is not None:  # None: deleted while it was pending
        print(name, "billed order", fields.get("order"), "as", entry, flush=True)
    client.xack(STREAM, GROUP, entry)  # only after the work is done


def work():
    # What this worker had in hand when it last stopped.
    for _, entries in client.xreadgroup(GROUP, name, {STREAM: "0"}):
        for entry, fields in entries:
            handle(entry, fields)
    while True:
        for entry, fields in client.xautoclaim(STREAM, GROUP, name, IDLE_MS, count=10)[1]:
            handle(entry, fields)
        for _, entries in client.xreadgroup(GROUP, name, {STREAM: ">"}, count=10, block=2000) or []:
            for entry, fields in entries:
                handle(entry, fields)


try:
    work()
except KeyboardInterrupt:
    pass
