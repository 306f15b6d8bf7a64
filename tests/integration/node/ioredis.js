// What a new user does, with ioredis: ioredis.js SOCKET before|after|alice, ioredis.js HOST:PORT cluster. The server is killed
// between before and after.
const Redis = require("ioredis");
const { assert, target, run, killed, ids } = require("./check");

const STREAM = "orders", GROUP = "billing";
const connect = (options) => new Redis({ path: target, ...options });

// fields turns a flat list of names and values into an object.
function fields(list) {
  const object = {};
  for (let i = 0; i < list.length; i += 2) object[list[i]] = list[i + 1];
  return object;
}

async function alice() {
  const r = connect();
  const [[, entries]] = await r.xreadgroup("GROUP", GROUP, "alice", "COUNT", 3, "STREAMS", STREAM, ">");
  process.send(ids(entries));
  await r.xreadgroup("GROUP", GROUP, "alice", "BLOCK", 0, "STREAMS", "empty", ">");
}

async function before() {
  const r = connect({ connectionName: "producer" });
  assert.equal(await r.client("GETNAME"), "producer");
  for (let n = 1; n <= 10; n++) assert.equal(await r.xadd(STREAM, `${n}-0`, "order", n), `${n}-0`);
  assert.equal(await r.xgroup("CREATE", STREAM, GROUP, "0"), "OK");
  assert.equal(await r.xgroup("CREATE", "empty", GROUP, "$", "MKSTREAM"), "OK");
  await assert.rejects(r.xgroup("CREATE", STREAM, GROUP, "0"), { message: "BUSYGROUP Consumer Group name already exists" });
  const taken = await killed(__filename, async () => {
    const [[, entries]] = await r.xreadgroup("GROUP", GROUP, "bob", "COUNT", 2, "STREAMS", STREAM, ">");
    assert.deepEqual(entries, [["4-0", ["order", "4"]], ["5-0", ["order", "5"]]]);
    assert.equal(await r.xack(STREAM, GROUP, "4-0", "5-0"), 2);
  });
  assert.deepEqual(taken, ["1-0", "2-0", "3-0"]);

  assert.deepEqual(await r.multi().set("n", 1).incr("n").xlen(STREAM).exec(), [[null, "OK"], [null, 2], [null, 10]]);
  await r.watch("n");
  const other = r.duplicate();
  await other.incr("n");
  assert.equal(await r.multi().set("n", 0).exec(), null);
  const pipeline = r.pipeline();
  for (let i = 0; i < 1000; i++) pipeline.xadd("bulk", "MAXLEN", 500, "*", "i", i);
  assert.equal((await pipeline.exec()).filter(([error]) => error === null).length, 1000);

  const [read] = await Promise.all([
    other.xread("BLOCK", 30000, "STREAMS", "news", "1-1"),
    r.xadd("news", "2-2", "a", "b"),
  ]);
  assert.deepEqual(read, [["news", [["2-2", ["a", "b"]]]]]);
  assert.equal(await r.xread("BLOCK", 10, "STREAMS", "news", "$"), null);

  await r.config("SET", "notify-keyspace-events", "KEA");
  const message = new Promise((resolve) => other.once("pmessage", (...args) => resolve(args)));
  assert.equal(await other.psubscribe("__keyspace@0__:*"), 1);
  await r.set("lock", "me", "PX", 60000, "NX");
  assert.deepEqual(await message, ["__keyspace@0__:*", "__keyspace@0__:lock", "set"]);
  assert.equal(await r.set("lock", "you", "PX", 60000, "NX"), null);
  await other.quit();

  const found = [];
  for await (const keys of r.scanStream({ count: 1 })) found.push(...keys);
  assert.deepEqual(found.sort(), ["bulk", "empty", "lock", "n", "news", "orders"]);
  assert.equal(await r.quit(), "OK");
}

async function after() {
  const r = connect();
  assert.deepEqual(await r.xpending(STREAM, GROUP), [3, "1-0", "3-0", [["alice", "3"]]]);
  const pending = await r.xpending(STREAM, GROUP, "-", "+", 10, "alice");
  assert.deepEqual(pending.map(([id, consumer, , count]) => [id, consumer, count]),
    [["1-0", "alice", 1], ["2-0", "alice", 1], ["3-0", "alice", 1]]);
  assert.deepEqual(await r.xclaim(STREAM, GROUP, "bob", 0, "1-0"), [["1-0", ["order", "1"]]]);
  const [cursor, claimed, deleted] = await r.xautoclaim(STREAM, GROUP, "bob", 0, "0", "COUNT", 10);
  assert.deepEqual([cursor, ids(claimed), deleted], ["0-0", ["1-0", "2-0", "3-0"], []]);
  assert.equal(await r.xack(STREAM, GROUP, ...ids(claimed)), 3);
  const [[, rest]] = await r.xreadgroup("GROUP", GROUP, "bob", "STREAMS", STREAM, ">");
  assert.deepEqual(ids(rest), ["6-0", "7-0", "8-0", "9-0", "10-0"]);
  assert.equal(await r.xack(STREAM, GROUP, ...ids(rest)), 5);
  await r.xadd(STREAM, "11-0", "order", 11);

  const info = fields(await r.xinfo("STREAM", STREAM));
  assert.deepEqual([info.length, info.groups, info["entries-added"]], [11, 1, 11]);
  const group = fields((await r.xinfo("GROUPS", STREAM))[0]);
  assert.deepEqual(group, { name: GROUP, consumers: 2, pending: 0, "last-delivered-id": "10-0", "entries-read": 10, lag: 1 });
  assert.equal((await r.xinfo("CONSUMERS", STREAM, GROUP)).length, 2);
  assert.equal(await r.get("n"), "3");
  assert.equal(await r.xlen("bulk"), 500);
  await r.quit();
}

async function cluster() {
  const [host, port] = target.split(":");
  const r = new Redis.Cluster([{ host, port: Number(port) }]);
  for (let n = 0; n < 100; n++) assert.equal(await r.xadd(`s${n}`, "1-0", "a", "b"), "1-0");
  await r.xgroup("CREATE", "s1", "g", "0");
  assert.deepEqual(await r.xreadgroup("GROUP", "g", "alice", "STREAMS", "s1", ">"), [["s1", [["1-0", ["a", "b"]]]]]);
  assert.deepEqual(await r.pipeline().xack("{s1}", "g", "1-0").xlen("{s1}").exec(), [[null, 0], [null, 0]]);
  assert.equal(r.nodes("master").length, 1);
  await r.quit();
}

run({ alice, before, after, cluster });
