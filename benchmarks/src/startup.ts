/**
 * Start-up of a node that has much: a folder is filled through consensus, then a new process starts a node on it. Measured from the call
 * until the node takes part, and until its first run has ended. The files are in the page cache, as after a restart of the process; after a
 * restart of the machine the disk comes on top.
 */
import { join } from "node:path";
import { Child } from "./child-process.ts";
import type { Contents, Filled, Started } from "./nodes/startup-node.ts";

const SIZES = [
  { finishedRuns: 1_000, resultBytes: 1_000, logEntries: 10_000 },
  { finishedRuns: 100_000, resultBytes: 10_000, logEntries: 1_000_000 },
];
const STARTS = 3;

/** Measures the start of a node on folders of several sizes. Yields one result each. */
export async function* startup(parent: string): AsyncGenerator<object> {
  for (const [at, size] of SIZES.entries()) {
    const folder = join(parent, `startup-${at}`);
    const contents: Contents = { folder, ...size };
    const filler = new Child("./nodes/startup-node.ts");
    const filled = await filler.call<Filled>("fill", contents);
    await filler.kill();
    yield { bench: "startup-fill", ...size, ...filled };
    for (let start = 0; start < STARTS; start++) {
      const child = new Child("./nodes/startup-node.ts");
      const started = await child.call<Started>("start", { folder, keepEntries: size.logEntries });
      // As after a crash: nothing is handed over, and nothing is brought to disk in order.
      await child.kill();
      yield { bench: "startup", finishedRuns: size.finishedRuns, resultBytes: size.resultBytes, ...started };
    }
  }
}
