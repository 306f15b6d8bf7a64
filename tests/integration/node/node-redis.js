// What a new user does, with node-redis: node-redis.js SOCKET before|after|alice, node-redis.js HOST:PORT cluster. The server is
// killed between before and after.
const { createClient, createCluster } = require("redis");
const { assert, target, run, killed, ids } = require("./check");

const STREAM = "orders", GROUP = "billing";
const connect = (options) => createClient({ socket: { path: target }, ...options }).connect();
const plain = (value) => JSON.parse(JSON.stringify(value)); // node-redis makes objects without a prototype

async function alice() {
  const r = await connect({ RESP: 3 });
  const read = await r.xReadGroup(GROUP, "alice", { key: STREAM, id: ">" }, { COUNT: 3 });
  process.send(read.orders ? ids(read.orders) : ids(read[0].messages));
  await r.xReadGroup(GROUP, "alice", { key: "empty", id: ">" }, { BLOCK: 0 });
}

async function before() {
  const r = await connect({ name: "producer" });
  assert.equal(await r.clientGetName(), "producer");
  for (let n = 1; n <= 10; n++) assert.equal(await r.xAdd(STREAM, `${n}-0`, { order: `${n}` }), `${n}-0`);
  assert.equal(await r.xGroupCreate(STREAM, GROUP, "0"), "OK");
  assert.equal(await r.xGroupCreate("empty", GROUP, "$", { MKSTREAM: true }), "OK");
  await assert.rejects(r.xGroupCreate(STREAM, GROUP, "0"), { message: "BUSYGROUP Consumer Group name already exists" });
  const taken = await killed(__filename, async () => {
    const [{ messages }] = await r.xReadGroup(GROUP, "bob", { key: STREAM, id: ">" }, { COUNT: 2 });
    assert.deepEqual(plain(messages.map(({ id, message }) => [id, message])), [["4-0", { order: "4" }], ["5-0", { order: "5" }]]);
    assert.equal(await r.xAck(STREAM, GROUP, ["4-0", "5-0"]), 2);
  });
  assert.deepEqual(taken, ["1-0", "2-0", "3-0"]);

  assert.deepEqual(await r.multi().set("n", 1).incr("n").xLen(STREAM).exec(), ["OK", 2, 10]);
  await r.watch("n");
  const other = await r.duplicate().connect();
  await other.incr("n");
  await assert.rejects(r.multi().set("n", 0).exec(), { name: "Error", message: "One (or more) of the watched keys has been changed" });
  const trim = { TRIM: { strategy: "MAXLEN", strategyModifier: "=", threshold: 500 } };
  const added = await Promise.all(Array.from({ length: 1000 }, (_, i) => r.xAdd("bulk", "*", { i: `${i}` }, trim)));
  assert.equal(new Set(added).size, 1000);

  const [read] = await Promise.all([
    other.xRead({ key: "news", id: "1-1" }, { BLOCK: 30000 }),
    r.xAdd("news", "2-2", { a: "b" }),
  ]);
  assert.deepEqual([read[0].name, ids(read[0].messages)], ["news", ["2-2"]]);
  assert.equal(await r.xRead({ key: "news", id: "$" }, { BLOCK: 10 }), null);

  await r.configSet("notify-keyspace-events", "KEA");
  let heard;
  const message = new Promise((resolve) => { heard = (...args) => resolve(args); });
  await other.pSubscribe("__keyspace@0__:*", (...args) => heard(...args));
  await r.set("lock", "me", { PX: 60000, NX: true });
  assert.deepEqual(await message, ["set", "__keyspace@0__:lock"]);
  assert.equal(await r.set("lock", "you", { PX: 60000, NX: true }), null);
  await other.close();

  const found = [];
  for await (const keys of r.scanIterator({ COUNT: 1 })) found.push(...keys);
  assert.deepEqual(found.sort(), ["bulk", "empty", "lock", "n", "news", "orders"]);
  await r.close();
}

async function after() {
  for (const RESP of [2, 3]) {
    const r = await connect({ RESP });
    assert.deepEqual(plain(await r.xPending(STREAM, GROUP)),
      { pending: 3, firstId: "1-0", lastId: "3-0", consumers: [{ name: "alice", deliveriesCounter: 3 }] });
    const pending = await r.xPendingRange(STREAM, GROUP, "-", "+", 10, { consumer: "alice" });
    assert.deepEqual(pending.map((p) => [p.id, p.consumer, p.deliveriesCounter]),
      [["1-0", "alice", 1], ["2-0", "alice", 1], ["3-0", "alice", 1]]);
    await r.close();
  }
  const r = await connect();
  assert.deepEqual(ids(await r.xClaim(STREAM, GROUP, "bob", 0, "1-0")), ["1-0"]);
  const { nextId, messages: claimed } = await r.xAutoClaim(STREAM, GROUP, "bob", 0, "0", { COUNT: 10 });
  assert.deepEqual([nextId, ids(claimed)], ["0-0", ["1-0", "2-0", "3-0"]]);
  assert.equal(await r.xAck(STREAM, GROUP, ids(claimed)), 3);
  const [{ messages: rest }] = await r.xReadGroup(GROUP, "bob", { key: STREAM, id: ">" });
  assert.deepEqual(ids(rest), ["6-0", "7-0", "8-0", "9-0", "10-0"]);
  assert.equal(await r.xAck(STREAM, GROUP, ids(rest)), 5);
  await r.xAdd(STREAM, "11-0", { order: "11" });
  await r.close();

  for (const RESP of [2, 3]) {
    const c = await connect({ RESP });
    const info = await c.xInfoStream(STREAM);
    assert.deepEqual([info.length, info.groups, info["entries-added"], info["first-entry"].id], [11, 1, 11, "1-0"]);
    const [group] = plain(await c.xInfoGroups(STREAM));
    assert.deepEqual(group, { name: GROUP, consumers: 2, pending: 0, "last-delivered-id": "10-0", "entries-read": 10, lag: 1 });
    assert.equal((await c.xInfoConsumers(STREAM, GROUP)).length, 2);
    assert.equal(await c.get("n"), "3");
    assert.equal(await c.xLen("bulk"), 500);
    await c.close();
  }
}

async function cluster() {
  for (const RESP of [2, 3]) {
    const r = await createCluster({ rootNodes: [{ url: `redis://${target}` }], defaults: { RESP } }).connect();
    for (let n = 0; n < 100; n++) assert.equal(await r.xAdd(`resp${RESP}:${n}`, "1-0", { a: "b" }), "1-0");
    await r.xGroupCreate(`resp${RESP}:1`, "g", "0");
    await r.xReadGroup("g", "alice", { key: `resp${RESP}:1`, id: ">" });
    assert.equal(await r.xAck(`resp${RESP}:1`, "g", "1-0"), 1);
    assert.deepEqual(await r.multi().incr("{x}a").incr("{x}b").exec(), [RESP - 1, RESP - 1]);
    await r.close();
  }
}

run({ alice, before, after, cluster });
