// The outside world's view: every time a step's body begins or ends, a line is added to one file that all services share.
// It knows nothing of the cluster, so it can tell what the cluster's own record can not: what ran without being recorded.

import { randomUUID } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";

/** One execution of one step's body. */
export interface Execution {
  /** Its own id, which its result carries into the record. */
  readonly id: string;
  readonly run: string;
  readonly step: string;
  readonly node: number;
  /** The fencing token of the ownership under which it ran. */
  readonly epoch: number;
  readonly attempt: number;
}

/** An execution as the file tells it. `ended` is false when its process died first. */
export interface LoggedExecution extends Execution {
  readonly ended: boolean;
}

interface Line extends Execution {
  readonly what: "begun" | "ended";
}

export class WorkLog {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Notes that a body begins; returns the execution and how to note its end. Written when the call returns. */
  begin(work: Omit<Execution, "id">): { readonly id: string; readonly end: () => void } {
    const execution: Execution = { id: randomUUID().slice(0, 8), ...work };
    this.#write({ what: "begun", ...execution });
    return { id: execution.id, end: () => this.#write({ what: "ended", ...execution }) };
  }

  /** In the order in which they began. */
  executions(): readonly LoggedExecution[] {
    if (!existsSync(this.#file)) return [];
    const found = new Map<string, LoggedExecution>();
    for (const text of readFileSync(this.#file, "utf8").split("\n")) {
      if (text === "") continue;
      const { what, ...execution } = JSON.parse(text) as Line;
      found.set(execution.id, { ...execution, ended: what === "ended" });
    }
    return [...found.values()];
  }

  #write(line: Line): void {
    // One small write in append mode: lines of several processes do not mix.
    appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}
