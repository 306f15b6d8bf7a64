// Works on orders as one consumer of the group "billing": claims what a dead worker left, then reads new entries.
const Redis = require("ioredis");

const STREAM = "orders", GROUP = "billing", IDLE_MS = 30000;
const [host, port] = (process.env.EXAMPLE_ADDR || "127.0.0.1:6379").split(":");
const client = new Redis({ host, port: Number(port) });
client.on("error", (error) => console.error(String(error))); // ioredis connects again by itself
const name = process.argv[2] || `worker-${process.pid}`;

async function handle(entry, fields) {
  if (fields) { // null: deleted while it was pending
    console.log(name, "billed order", fields[fields.indexOf("order") + 1], "as", entry);
  }
  await client.xack(STREAM, GROUP, entry); // only after the work is done
}

async function main() {
  await client.xgroup("CREATE", STREAM, GROUP, "0", "MKSTREAM").catch((error) => {
    if (!error.message.startsWith("BUSYGROUP")) throw error;
  });
  // What this worker had in hand when it last stopped.
  for (const [, entries] of (await client.xreadgroup("GROUP", GROUP, name, "STREAMS", STREAM, "0")) || []) {
    for (const [entry, fields] of entries) await handle(entry, fields);
  }
  for (;;) {
    const [, claimed] = await client.xautoclaim(STREAM, GROUP, name, IDLE_MS, "0", "COUNT", 10);
    for (const [entry, fields] of claimed) await handle(entry, fields);
    const read = await client.xreadgroup("GROUP", GROUP, name, "COUNT", 10, "BLOCK", 2000, "STREAMS", STREAM, ">");
    for (const [, entries] of read || []) {
      for (const [entry, fields] of entries) await handle(entry, fields);
    }
  }
}

main();
