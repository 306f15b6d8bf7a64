"""redis-py as a client of a cluster: cluster.py HOST PORT, of a server with cluster-compat."""
import sys

from redis.cluster import RedisCluster

r = RedisCluster(host=sys.argv[1], port=int(sys.argv[2]), decode_responses=True, socket_timeout=30)
for n in range(100):
    assert r.xadd("s%d" % n, {"a": "b"}, id="1-0") == "1-0"
r.xgroup_create("s1", "g", id="0")
assert r.xreadgroup("g", "alice", {"s1": ">"}) == [["s1", [("1-0", {"a": "b"})]]]
assert r.xack("s1", "g", "1-0") == 1
p = r.pipeline()
for n in range(100):
    p.xlen("s%d" % n)
assert p.execute() == [1] * 100
assert sorted(r.scan_iter("s9*")) == sorted(["s9"] + ["s9%d" % n for n in range(10)])
