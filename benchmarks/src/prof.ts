import { writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { Session } from "node:inspector";
import { join } from "node:path";
import { Trio } from "./trio.ts";

const steps = Number(process.argv[2] ?? 1),
  inFlight = Number(process.argv[3] ?? 256),
  secs = Number(process.argv[4] ?? 4),
  out = process.argv[5] ?? "";
const folder = await mkdtemp("/tmp/prof-");
await using trio = await Trio.start(folder, "workflow");
const driver = trio.child(0);
await driver.call("lead");
await driver.call("load", { load: { inFlight, warmUpMs: 1500, durationMs: 500 }, steps });
const res = await driver.call<any>("profiled", {
  load: { inFlight, warmUpMs: 200, durationMs: secs * 1000 },
  steps,
  out,
});
console.log(JSON.stringify(res));
process.exit(0);
