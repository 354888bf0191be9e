/**
 * Programs of their own that answer calls over Node's IPC channel. Only control goes this way; what is measured goes over the
 * network between them.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What a child offers, by name. Arguments and results are structured-cloneable. */
export type Service = Record<string, (argument: never) => unknown>;

interface Call {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

type Answer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: string };

/** In the child: answers the parent's calls until the parent goes away. */
export function serve(service: Service): void {
  process.on("message", (call: Call) => {
    const answer = (message: Answer) => process.send?.(message);
    Promise.resolve()
      .then(() => {
        const method = service[call.name];
        if (method === undefined) throw new Error(`no method ${call.name}`);
        return method(call.argument as never);
      })
      .then(
        (value) => answer({ id: call.id, ok: true, value }),
        (error: unknown) =>
          answer({
            id: call.id,
            ok: false,
            error: error instanceof Error ? (error.stack ?? error.message) : `${error}`,
          }),
      );
  });
  process.on("disconnect", () => process.exit(0));
}

/** In the parent: a child and its calls. */
export class Child {
  readonly process: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #nextId = 1;

  /** `program` is relative to this folder, e.g. "./nodes/commit-node.ts". */
  constructor(program: string) {
    this.process = fork(fileURLToPath(new URL(program, import.meta.url)), [], {
      execArgv: process.execArgv,
      serialization: "advanced",
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.process.on("message", (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (answer.ok) waiting?.resolve(answer.value);
      else waiting?.reject(new Error(answer.error));
    });
    this.process.on("exit", (code, signal) => {
      const error = new Error(`${program} ended (${signal ?? code}) before it answered`);
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  call<Value>(name: string, argument?: unknown): Promise<Value> {
    const id = this.#nextId++;
    return new Promise<Value>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.process.send({ id, name, argument } satisfies Call, (error) => {
        if (error === null || error === undefined) return;
        this.#waiting.delete(id);
        reject(error);
      });
    });
  }

  /** Kills it at once and waits for its end. */
  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGKILL");
    await ended;
  }
}
