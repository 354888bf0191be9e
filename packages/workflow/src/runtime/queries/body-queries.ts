/**
 * Queries of one body: what its handlers answer.
 *
 * BQ1. A handler sees what the record leads to: it is called when the body has asked for everything that is recorded, has got the answers that wait for
 *      it, and all that it was answered with is committed.
 * BQ2. A handler only reads. It runs in a place of its own, in the async context of the `onQuery` that gave it: calls on the context are refused, and what it throws, or leaves to be rejected, is the query's
 *      alone and never the run's.
 */
import { decodeValue, encodeValue } from "../../author/values/json-value.ts";
import { WorkflowError } from "../../errors.ts";
import type { Answers } from "../body/answers.ts";
import { CallerContext, inFunctionOf, PlacedBody } from "../body/body-place.ts";
import type { Interception } from "../body/interception.ts";
import { Latch } from "../collections/latch.ts";
import { LazyMap } from "../collections/lazy-map.ts";
import type { History } from "../history/history.ts";

/** What answers a query: at once, with a value that JSON carries. */
export type QueryHandler = (input: unknown) => unknown;

/** What {@link BodyQueries} is made of. */
export interface BodyQueriesOptions {
  readonly runId: string;
  readonly history: History;
  readonly answers: Answers;
  /** Opens when the execution is over. */
  readonly ended: Latch;
  /** Largest answer, in bytes. */
  readonly maxBytes: number;
  readonly interception: Interception | undefined;
}

/** The handlers of one body (BQ1, BQ2). */
export class BodyQueries {
  readonly #options: BodyQueriesOptions;
  readonly #handlers = new LazyMap<string, QueryHandler>();
  readonly #returned = new Latch();
  /** Queries that are under way, and what waits until there are none. */
  #asking = 0;
  #whenIdle: (() => void)[] = [];

  constructor(options: BodyQueriesOptions) {
    this.#options = options;
  }

  /** From now on `handler` answers the query. */
  handle(name: string, handler: QueryHandler): void {
    const caller = new CallerContext();
    const { runId, interception } = this.#options;
    const place = new PlacedBody(runId, () => {});
    this.#handlers.set(name, (input) => {
      const call = (): unknown => handler(input);
      return caller.run(() =>
        inFunctionOf(place, `query ${name}`, 0, () => (interception === undefined ? call() : interception.aside(call))),
      );
    });
  }

  /** The body has returned or thrown: it asks for nothing more. */
  returned(): void {
    this.#returned.open();
  }

  /** What the body answers; undefined when the execution is over before. Rejects with QUERY_UNKNOWN or QUERY_FAILED. */
  async answer(name: string, input: Uint8Array): Promise<Uint8Array | undefined> {
    return await this.atRest(() => this.#call(name, input));
  }

  /** What `read` gives once the body has come to rest where its record ends (BQ1); undefined when the execution is over before. The body stays in memory meanwhile. */
  async atRest<T>(read: () => T): Promise<T | undefined> {
    this.#asking += 1;
    try {
      return (await this.#rested()) ? read() : undefined;
    } finally {
      this.#asking -= 1;
      if (this.#asking === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
    }
  }

  /** Undefined when no query is under way; else resolves when none is. */
  idle(): Promise<void> | undefined {
    return this.#asking === 0 ? undefined : new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** False when the execution is over before. */
  async #rested(): Promise<boolean> {
    const asked = Promise.withResolvers<void>();
    this.#options.history.whenAllAsked(asked.resolve);
    const { opened: ended } = this.#options.ended;
    await Promise.race([asked.promise, this.#returned.opened, ended]);
    await Promise.race([this.#options.answers.last(), ended]);
    // The body may go on from an answer that was on its way, or from a sleep whose time is over.
    for (let rest = this.#rest(); rest !== undefined && !this.#isOver; rest = this.#rest())
      await Promise.race([rest, ended]);
    return !this.#isOver;
  }

  get #isOver(): boolean {
    return this.#options.ended.isOpen;
  }

  /** Undefined when the body rests and all that it was answered with is committed; else resolves when one of the two may hold. */
  #rest(): Promise<void> | undefined {
    const { answers, history } = this.#options;
    return answers.idle() ?? history.settled();
  }

  #call(name: string, input: Uint8Array): Uint8Array {
    const { runId, maxBytes } = this.#options;
    const handler = this.#handlers.get(name);
    if (handler === undefined) {
      const known = [...this.#handlers.keys()].sort().join(", ") || "none";
      throw new WorkflowError(
        "QUERY_UNKNOWN",
        `Run ${runId} has no handler for query ${name} by now. It has these: ${known}. Correct the name, or call ctx.onQuery before the body waits.`,
        { details: { runId, query: name } },
      );
    }
    try {
      const given = decodeValue(input, `the input of query ${name}`);
      const answer = handler(given);
      if (answer instanceof Promise) {
        answer.catch(() => {});
        throw new TypeError("its handler gives a promise, and must give a value");
      }
      return encodeValue(answer, `the answer to query ${name}`, maxBytes);
    } catch (cause) {
      throw new WorkflowError(
        "QUERY_FAILED",
        `Query ${name} of run ${runId} failed: ${messageOf(cause)}. The run goes on. Correct the handler.`,
        { cause, details: { runId, query: name } },
      );
    }
  }
}

function messageOf(thrown: unknown): string {
  try {
    return (thrown instanceof Error ? thrown.message : String(thrown)).replace(/\.$/, "");
  } catch {
    return "something that cannot be shown as text was thrown";
  }
}
