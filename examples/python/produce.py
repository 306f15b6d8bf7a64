#!/usr/bin/env python3
"""Appends orders to the stream. Needs the redis package (python3-redis, or pip install redis)."""
import os
import sys

import redis

host, _, port = os.environ.get("EXAMPLE_ADDR", "127.0.0.1:6379").rpartition(":")
client = redis.Redis(host=host, port=int(port), decode_responses=True)
count = int(sys.argv[1]) if len(sys.argv) > 1 else 10
for n in range(count):
    entry = client.xadd("orders", {"order": n, "amount": 100 + n}, maxlen=1_000_000, approximate=True)
    print("added", entry)
