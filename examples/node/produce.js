// Appends orders to the stream.
const Redis = require("ioredis");

const [host, port] = (process.env.EXAMPLE_ADDR || "127.0.0.1:6379").split(":");
const client = new Redis({ host, port: Number(port) });
client.on("error", (error) => console.error(String(error))); // ioredis connects again by itself

async function main() {
  const count = Number(process.argv[2] || 10);
  for (let n = 0; n < count; n++) {
    const entry = await client.xadd("orders", "MAXLEN", "~", 1000000, "*", "order", n, "amount", 100 + n);
    console.log("added", entry);
  }
  await client.quit();
}

main();
