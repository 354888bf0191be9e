/** The command line `raftoral`, run in a test's process. */
import type { StartSettings } from "../cli/commands/start.ts";
import type { CliIo } from "../cli/io.ts";
import { runCli } from "../cli/program.ts";

/** What became of a command line. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Lines of progress, in their order. */
  readonly bars: readonly string[];
  /** What a node would have been started with. */
  readonly started: StartSettings | undefined;
}

/** Runs a command line with RAFTORAL_NODE set, as a person would. */
export async function raftoral(
  args: readonly string[],
  env: Record<string, string> = {},
  stdin = "",
  isTty = false,
): Promise<Outcome> {
  let out = "";
  let err = "";
  const bars: string[] = [];
  let started: StartSettings | undefined;
  const io: CliIo = {
    env,
    isTty,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    bar: (line) => {
      bars.push(line);
    },
    readStdin: async () => stdin,
    onSignal: () => () => {},
    onHangUp: () => () => {},
    exit: () => {
      throw new Error("the process would have ended");
    },
  };
  const code = await runCli(args, io, async (settings) => {
    started = settings;
    return 0;
  });
  return { code, out, err, bars, started };
}
