// What the flows of both clients share.
const assert = require("node:assert/strict");
const { fork } = require("node:child_process");

const [target, phase] = process.argv.slice(2);

// run carries out the phase named on the command line. An error, or an end before the phase is through, is a failure.
function run(phases) {
  let through = false;
  process.on("exit", (code) => {
    if (code === 0 && !through) process.exitCode = 1;
  });
  phases[phase]().then(() => {
    through = true;
  });
}

// killed starts script as the worker alice, waits until she tells the entries she took, and kills her.
async function killed(script, meanwhile) {
  const worker = fork(script, [target, "alice"]);
  const ended = new Promise((resolve) => worker.once("exit", resolve));
  const taken = await new Promise((resolve) => worker.once("message", resolve));
  await meanwhile();
  worker.kill("SIGKILL");
  await ended;
  return taken;
}

module.exports = { assert, target, run, killed, ids: (entries) => entries.map((e) => e.id || e[0]) };
