/**
 * The outside world's view: every time a step's body begins or ends, a line is added to one file that all processes share. It
 * knows nothing of the cluster, so it can tell what the cluster's own record cannot: what ran without being recorded.
 */
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
}

/** An execution as the file tells it. */
export interface LoggedExecution extends Execution {
  /** False when its process died first. */
  readonly ended: boolean;
  /** The workflow was given its result. It is in the record for good, or the workflow began nothing after it. */
  readonly acknowledged: boolean;
}

type Line = ({ readonly what: "begun" } & Execution) | { readonly what: "ended" | "acknowledged"; readonly id: string };

/** The file of one test. Reading it back gives its lines in the order in which they were written. */
export class WorkLog {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Notes that a body begins, and returns the id of this execution. Written when the call returns, as with the others. */
  begin(work: Omit<Execution, "id">): string {
    const id = randomUUID();
    this.#write({ what: "begun", id, ...work });
    return id;
  }

  end(id: string): void {
    this.#write({ what: "ended", id });
  }

  acknowledge(id: string): void {
    this.#write({ what: "acknowledged", id });
  }

  /** In the order in which they began. */
  executions(): readonly LoggedExecution[] {
    const found = new Map<string, LoggedExecution>();
    for (const line of this.#lines()) {
      if (line.what === "begun") {
        const { what: _, ...execution } = line;
        found.set(execution.id, { ...execution, ended: false, acknowledged: false });
        continue;
      }
      const execution = found.get(line.id);
      if (execution === undefined) throw new Error(`${this.#file}: execution ${line.id} ${line.what} but never begun`);
      found.set(line.id, { ...execution, [line.what]: true });
    }
    return [...found.values()];
  }

  #lines(): readonly Line[] {
    if (!existsSync(this.#file)) return [];
    const texts = readFileSync(this.#file, "utf8").split("\n");
    return texts.filter((text) => text !== "").map((text) => JSON.parse(text) as Line);
  }

  #write(line: Line): void {
    // One small write in append mode: lines of several processes do not mix.
    appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}
