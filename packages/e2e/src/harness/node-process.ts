/**
 * A node in a process of its own: started, listened to, killed, paused, started again.
 *
 * P1. Every wait has a deadline; one that passes says what was waited for and shows the end of the process's log.
 * P2. Every question is answered once: by the program, or by its process's end or the deadline.
 * P3. No process outlives this one: all are killed when it exits, and each ends by itself when the channel closes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { bundled } from "./bundled.ts";
import { within } from "./deadline.ts";
import type { NodeReport } from "./node-report.ts";
import { Questions } from "./questions.ts";

export interface NodeProcessOptions<Note> {
  /** For messages: "node 2". */
  readonly name: string;
  /** Path of the program, which calls `hostNode`. */
  readonly program: string;
  /** What the program is given, as JSON. */
  readonly settings: unknown;
  /** Receives stdout and stderr, appended. */
  readonly logFile: string;
  /** Hears every note of the program, in order. */
  readonly onNote?: (note: Note) => void;
  /** A command that runs the program: `ip netns exec NAME`. It must become the program, not start it. */
  readonly within?: readonly string[];
  /** Run the workspace's packages from their sources (true) or as they were built. */
  readonly fromSources?: boolean;
  /** Until the node is ready (20,000). */
  readonly startTimeoutMs?: number;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const START_TIMEOUT_MS = 20_000;
const EXIT_TIMEOUT_MS = 15_000;
const SHOWN_LOG_BYTES = 4_000;

/** Children that have not been seen to end (P3). */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** One process that runs a program of a node (P1 to P3). `Note` is what the program tells without being asked. */
export class NodeProcess<Note = never> {
  readonly name: string;
  readonly pid: number;
  /** Settles when the process has ended. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #options: NodeProcessOptions<Note>;
  readonly #questions: Questions;
  #identity: { readonly nodeId: number; readonly address: string } | undefined;

  /** Starts the program and resolves when its node is ready. Rejects, with the end of its log, when it does not become so. */
  static async start<Note = never>(options: NodeProcessOptions<Note>): Promise<NodeProcess<Note>> {
    const isBuilt = options.fromSources === false;
    const node = new NodeProcess(isBuilt ? options : { ...options, program: await bundled(options.program) });
    await node.#ready();
    return node;
  }

  private constructor(options: NodeProcessOptions<Note>) {
    this.#options = options;
    this.name = options.name;
    const log = openSync(options.logFile, "a");
    try {
      const settings = JSON.stringify(options.settings);
      const program = [process.execPath, "--enable-source-maps", options.program, settings];
      const [command = "", ...args] = [...(options.within ?? []), ...program];
      this.#child = spawn(command, args, { stdio: ["ignore", log, log, "ipc"], serialization: "advanced" });
    } finally {
      closeSync(log);
    }
    const child = this.#child;
    if (child.pid === undefined) throw new Error(`${options.name} could not be started: ${process.execPath}`);
    this.pid = child.pid;
    running.add(child);
    this.exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        running.delete(child);
        resolve({ code, signal });
      });
    });
    this.#questions = new Questions(this.name, (question) => child.send(question, () => {}));
    void this.exited.then(() => this.#questions.close());
    // Sending to a process that was killed meanwhile is no failure of this one.
    child.on("error", () => {});
  }

  get nodeId(): number {
    return this.#known().nodeId;
  }

  get address(): string {
    return this.#known().address;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Ends the process at once, as a crash would, and resolves when it is gone. */
  kill(): Promise<Exit> {
    return this.#end("SIGKILL");
  }

  /** Asks the node to stop in order, and resolves when its process is gone. */
  stop(): Promise<Exit> {
    return this.#end("SIGTERM");
  }

  /** Stops the process in the middle of whatever it does; to everybody else it looks dead until {@link resume}. */
  pause(): void {
    this.#child.kill("SIGSTOP");
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  /**
   * Asks the program something, and resolves with its answer. Rejects with RefusedError when it refuses, with UnansweredError when
   * it did not answer in time or ended before: it may have done what it was asked.
   */
  ask(question: unknown, timeoutMs: number): Promise<unknown> {
    return this.#questions.ask(question, timeoutMs);
  }

  /** The end of what the process wrote. */
  logTail(): string {
    try {
      return readFileSync(this.#options.logFile, "utf8").slice(-SHOWN_LOG_BYTES).trim();
    } catch (error) {
      return `its log cannot be read: ${error instanceof Error ? error.message : error}`;
    }
  }

  async #ready(): Promise<void> {
    const ready = Promise.withResolvers<void>();
    this.#child.on("message", (message) => {
      const report = message as NodeReport<Note>;
      if (report.type === "note") {
        this.#options.onNote?.(report.note);
      } else if (report.type === "ready") {
        this.#identity = { nodeId: report.nodeId, address: report.address };
        ready.resolve();
      } else if (report.type === "answer" || report.type === "refusal") {
        this.#questions.answered(report);
      } else {
        ready.reject(new Error(`${this.name} failed: ${report.message}`));
      }
    });
    void this.exited.then(({ code, signal }) =>
      ready.reject(new Error(`${this.name} ended (${signal ?? `exit code ${code}`}) before it was ready`)),
    );
    try {
      await within(this.#options.startTimeoutMs ?? START_TIMEOUT_MS, `${this.name} to become ready`, ready.promise);
    } catch (error) {
      await this.kill();
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${reason}\nThe end of its log (${this.#options.logFile}):\n${this.logTail()}`, { cause: error });
    }
  }

  async #end(signal: NodeJS.Signals): Promise<Exit> {
    this.#child.kill(signal);
    return await within(EXIT_TIMEOUT_MS, `${this.name} to end after ${signal}`, this.exited);
  }

  #known(): { readonly nodeId: number; readonly address: string } {
    if (this.#identity === undefined) throw new Error(`${this.name} is not ready yet`);
    return this.#identity;
  }
}
