// Builds every package that has a build script, through nx.

import { installed, run } from "../process.ts";

/** Returns whether all packages could be built; nx's report is shown as it comes. */
export async function build(nxArguments: readonly string[] = []): Promise<boolean> {
  const outcome = await run(installed("nx"), ["run-many", "-t", "build", ...nxArguments], { live: true });
  return outcome.ok;
}
