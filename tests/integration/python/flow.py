"""What a new user does, with redis-py: flow.py SOCKET before|after|alice. The server is killed between before and after."""
import subprocess
import sys
import threading

import redis

SOCKET, PHASE = sys.argv[1:]
STREAM, GROUP = "orders", "billing"


def connect(**options):
    return redis.Redis(unix_socket_path=SOCKET, decode_responses=True, socket_timeout=30, **options)


def ids(entries):
    return [entry for entry, _ in entries]


def alice():
    """A worker that takes three entries, says so and is killed while it waits for more."""
    r = connect()
    [[_, entries]] = r.xreadgroup(GROUP, "alice", {STREAM: ">"}, count=3)
    print(*ids(entries), flush=True)
    r.xreadgroup(GROUP, "alice", {"empty": ">"}, block=0)


def before():
    r = connect(client_name="producer")
    assert r.ping()
    assert r.client_getname() == "producer"
    for n in range(1, 11):
        assert r.xadd(STREAM, {"order": n}, id="%d-0" % n) == "%d-0" % n
    assert r.xgroup_create(STREAM, GROUP, id="0")
    assert r.xgroup_create("empty", GROUP, id="$", mkstream=True)
    try:
        r.xgroup_create(STREAM, GROUP)
        raise AssertionError("no BUSYGROUP")
    except redis.ResponseError as error:
        assert str(error) == "BUSYGROUP Consumer Group name already exists", error

    worker = subprocess.Popen([sys.executable, __file__, SOCKET, "alice"], stdout=subprocess.PIPE, text=True)
    assert worker.stdout.readline().split() == ["1-0", "2-0", "3-0"]
    [[_, entries]] = r.xreadgroup(GROUP, "bob", {STREAM: ">"}, count=2)
    assert ids(entries) == ["4-0", "5-0"], entries
    assert r.xack(STREAM, GROUP, "4-0", "5-0") == 2
    worker.kill()
    worker.wait()

    transactions(r)
    blocking(r)
    keys(r)


def transactions(r):
    with r.pipeline(transaction=True) as p:
        p.set("n", 1).incr("n").xlen(STREAM)
        assert p.execute() == [True, 2, 10]
    with r.pipeline() as p:
        p.watch("n")
        n = int(p.get("n"))
        r.incr("n")
        p.multi()
        p.set("n", n)
        try:
            p.execute()
            raise AssertionError("no WatchError")
        except redis.WatchError:
            pass
    assert r.get("n") == "3"
    with r.pipeline(transaction=False) as p:
        for i in range(1000):
            p.xadd("bulk", {"i": i}, maxlen=500, approximate=False)
        assert len(p.execute()) == 1000
    assert r.xlen("bulk") == 500


def blocking(r):
    got = []
    reader = threading.Thread(target=lambda: got.append(connect().xread({"news": "$"}, block=30000)))
    reader.start()
    while r.info("clients")["blocked_clients"] != 1:
        pass
    entry = r.xadd("news", {"a": "b"})
    reader.join()
    assert got == [[["news", [(entry, {"a": "b"})]]]], got
    assert r.xread({"news": "$"}, block=10) == []

    r.config_set("notify-keyspace-events", "KEA")
    p = r.pubsub()
    p.psubscribe("__keyspace@0__:*")
    p.subscribe("chat")
    assert [p.get_message(timeout=30)["type"] for _ in range(2)] == ["psubscribe", "subscribe"]
    r.xadd("news", {"a": "b"})
    m = p.get_message(timeout=30)
    assert (m["type"], m["channel"], m["data"]) == ("pmessage", "__keyspace@0__:news", "xadd"), m
    assert r.publish("chat", "hello") == 1
    assert p.get_message(timeout=30)["data"] == "hello"
    p.close()


def keys(r):
    assert sorted(r.scan_iter(count=1)) == ["bulk", "empty", "n", "news", "orders"]
    assert list(r.scan_iter(_type="string")) == ["n"]
    assert r.set("lock", "me", nx=True, px=60000) and r.set("lock", "you", nx=True) is None
    assert 0 < r.pttl("lock") <= 60000
    assert r.type(STREAM) == "stream" and r.exists(STREAM, "none") == 1


def after():
    r = connect()
    pending = r.xpending(STREAM, GROUP)
    assert pending == {"pending": 3, "min": "1-0", "max": "3-0", "consumers": [{"name": "alice", "pending": 3}]}, pending
    details = r.xpending_range(STREAM, GROUP, "-", "+", 10, consumername="alice")
    assert [d["message_id"] for d in details] == ["1-0", "2-0", "3-0"]
    assert all(d["times_delivered"] == 1 and d["consumer"] == "alice" for d in details), details
    claimed = r.xclaim(STREAM, GROUP, "bob", 0, ["1-0"])
    assert claimed == [("1-0", {"order": "1"})], claimed
    cursor, claimed = r.xautoclaim(STREAM, GROUP, "bob", 0, count=10)[:2]
    assert cursor == "0-0" and ids(claimed) == ["1-0", "2-0", "3-0"], claimed
    assert r.xack(STREAM, GROUP, *ids(claimed)) == 3
    [[_, entries]] = r.xreadgroup(GROUP, "bob", {STREAM: ">"})
    assert ids(entries) == ["6-0", "7-0", "8-0", "9-0", "10-0"]
    assert r.xack(STREAM, GROUP, *ids(entries)) == 5
    assert r.xadd(STREAM, {"order": 11}, id="11-0") == "11-0"

    s = r.xinfo_stream(STREAM)
    assert (s["length"], s["groups"], s["first-entry"]) == (11, 1, ("1-0", {"order": "1"})), s
    assert r.xinfo_stream(STREAM, full=True)["entries-added"] == 11
    [g] = r.xinfo_groups(STREAM)
    assert (g["name"], g["consumers"], g["pending"], g["last-delivered-id"], g["entries-read"], g["lag"]) == \
        (GROUP, 2, 0, "10-0", 10, 1), g
    assert [(c["name"], c["pending"]) for c in r.xinfo_consumers(STREAM, GROUP)] == [("alice", 0), ("bob", 0)]
    assert r.xgroup_delconsumer(STREAM, GROUP, "alice") == 0
    assert r.xtrim(STREAM, maxlen=1, approximate=False) == 10
    assert ids(r.xrange(STREAM)) == ids(r.xrevrange(STREAM)) == ["11-0"]
    assert r.get("n") == "3" and r.xlen("bulk") == 500


{"before": before, "after": after, "alice": alice}[PHASE]()
