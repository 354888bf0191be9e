#!/usr/bin/env node
/** The executable `raftoral`. Imports nothing before it knows that this Node can read it. */
import { nodeObjection } from "@raftoral/raft-core/node-version";

const objection = nodeObjection(process.versions.node);
if (objection === undefined) {
  const { runProcess } = await import("./run-process.ts");
  await runProcess();
} else {
  process.stderr.write(`${objection}\n`);
  process.exitCode = 1;
}
