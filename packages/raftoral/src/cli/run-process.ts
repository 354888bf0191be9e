/** The command line of this process, from its arguments to its exit. */
import { processIo } from "./io.ts";
import { runCli } from "./program.ts";

/** Runs the command and ends the process with its exit code. */
export async function runProcess(): Promise<void> {
  const io = processIo();
  const exitCode = await runCli(process.argv.slice(2), io, async (settings, processOfNode) => {
    // Loaded only to run a node: asking one should not wait for a database to load.
    const { serve } = await import("./serve.ts");
    return serve(settings, processOfNode);
  });
  // Not left to happen by itself: a workflow's forgotten timer or socket must not keep a stopped node alive.
  process.stdout.write("", () => process.exit(exitCode));
}
