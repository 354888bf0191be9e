/** The command `raftoral` as a process: run to its end, or kept running as a node. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { bundled } from "../harness/bundled.ts";
import { eventually, within } from "../harness/index.ts";

const COMMAND_MS = 30_000;
const START_MS = 30_000;

const PACKAGE = join(import.meta.dirname, "..", "..", "..", "raftoral");
/** What Node is to run: the build, or the sources in one file. What a command loads itself, workflows for one, finds the sources. */
async function command(): Promise<readonly string[]> {
  if (process.env.RAFTORAL_TEST_DIST === "1") return [join(PACKAGE, "dist", "cli", "main.js")];
  return ["--conditions=@raftoral/source", await bundled(join(PACKAGE, "src", "cli", "main.ts"))];
}

/** Nodes that have not been seen to end. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export interface CliOutcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One process of the command `raftoral`. It is killed when this process exits. */
export class CliProcess {
  readonly ended: Promise<CliOutcome>;
  readonly #child: ChildProcess;
  #stdout = "";
  #stderr = "";

  static async start(args: readonly string[]): Promise<CliProcess> {
    return new CliProcess([...(await command()), ...args]);
  }

  private constructor(args: readonly string[]) {
    const { FORCE_COLOR: _, RAFTORAL_NODE: __, ...env } = process.env;
    const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    running.add(child);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.ended = new Promise((resolve) => {
      child.once("close", (code) => {
        running.delete(child);
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  get output(): string {
    return this.#stdout + this.#stderr;
  }

  /** Has a node read its certificates again. */
  hangUp(): void {
    this.#child.kill("SIGHUP");
  }

  kill(signal: "SIGTERM" | "SIGKILL"): Promise<CliOutcome> {
    this.#child.kill(signal);
    return within(COMMAND_MS, `the node to end after ${signal}`, this.ended);
  }
}

/** Runs one command to its end. */
export function raftoral(...args: readonly string[]): Promise<CliOutcome> {
  return within(
    COMMAND_MS,
    `raftoral ${args.join(" ")}`,
    CliProcess.start(args).then(({ ended }) => ended),
  );
}

/** Starts a node (`start` or `join` with its arguments) and resolves when it says that it has started. */
export async function raftoralNode(...args: readonly string[]): Promise<CliProcess> {
  const node = await CliProcess.start(args);
  let outcome: CliOutcome | undefined;
  void node.ended.then((ended) => {
    outcome = ended;
  });
  await eventually(START_MS, `raftoral ${args.join(" ")} to start`, () => {
    return outcome !== undefined || node.output.includes("node started");
  });
  if (outcome !== undefined) throw new Error(`raftoral ${args.join(" ")} ended (${outcome.code}): ${node.output}`);
  return node;
}
