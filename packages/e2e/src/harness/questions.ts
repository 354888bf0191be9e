/** What a program was asked and has not answered yet. */
import type { Answer, Question, Refusal } from "./node-report.ts";

/** The program answered that it could not. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  /** Of the RaftoralError that the program threw, if it was one. */
  readonly code: string | undefined;

  constructor(message: string, code: string | undefined) {
    super(message);
    this.code = code;
  }
}

/** Whether the program did what it was asked is not known. */
export class UnansweredError extends Error {
  override readonly name = "UnansweredError";
}

interface Open {
  readonly timer: NodeJS.Timeout;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The open questions to one program. Each settles with its answer, at its deadline, or when the process ends. */
export class Questions {
  readonly #name: string;
  readonly #send: (question: Question) => void;
  readonly #open = new Map<number, Open>();
  #last = 0;
  #isClosed = false;

  /** `name` is the program's, for messages. */
  constructor(name: string, send: (question: Question) => void) {
    this.#name = name;
    this.#send = send;
  }

  ask(question: unknown, timeoutMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(new UnansweredError(`${this.#name} does not run any more`));
        return;
      }
      this.#last += 1;
      const number = this.#last;
      const timer = setTimeout(() => {
        this.#open.delete(number);
        reject(new UnansweredError(`${this.#name} did not answer within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#open.set(number, { timer, resolve, reject });
      this.#send({ type: "question", number, question });
    });
  }

  /** An answer that comes too late is none. */
  answered(report: Answer | Refusal): void {
    const open = this.#open.get(report.number);
    if (open === undefined) return;
    this.#open.delete(report.number);
    clearTimeout(open.timer);
    if (report.type === "answer") open.resolve(report.answer);
    else open.reject(new RefusedError(report.message, report.code));
  }

  /** The program has ended. */
  close(): void {
    this.#isClosed = true;
    for (const { timer, reject } of this.#open.values()) {
      clearTimeout(timer);
      reject(new UnansweredError(`${this.#name} ended before it answered`));
    }
    this.#open.clear();
  }
}
