// Runs `npm run conformance` where its data is. The data belongs to others and is never a part of this repository.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { root, run } from "../process.ts";
import { type Counts, lastCounts } from "../task/counts.ts";

const DATA = resolve(root, "../shared/conformance");

/** One passed or failed per file of conformance data; one skipped, with its reason, when there is none. */
export async function runConformance(): Promise<Counts> {
  if (!existsSync(DATA)) {
    console.log("skipped: conformance (its data, ../shared/conformance, is not beside this checkout)");
    return { passed: 0, failed: 0, skipped: 1 };
  }
  const outcome = await run(process.execPath, ["--conditions=@raftoral/source", "tools/conformance/main.ts"]);
  const counts = lastCounts(outcome.output);
  if (!outcome.ok) console.log(outcome.output.trimEnd());
  if (counts === undefined) return { passed: 0, failed: 1, skipped: 0 };
  if (outcome.ok) console.log(`conformance: ${counts.passed} files passed`);
  return outcome.ok || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}
