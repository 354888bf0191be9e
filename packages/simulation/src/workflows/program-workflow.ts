/**
 * The workflow that interprets programs. Its input is the program; its result is what every part of the program gave.
 *
 * What is told of it to a {@link ProgramProbe}: what each function of a step knew as it was called, and how each context call settled.
 */
import {
  CancelledError,
  query,
  type StepContext,
  TerminalError,
  type WorkflowContext,
  type WorkflowDefinition,
  workflow,
} from "@raftoral/workflow";
import { Paths } from "./paths.ts";
import type { Action, Program, StepAction } from "./program.ts";

/** A body, as far as a probe tells bodies apart. */
export type Body = Pick<WorkflowContext, "runId" | "nodeId" | "fencingToken">;

/** What hears of the bodies of programs. Nothing of it may change what a body does, but for `initialFails`. */
export interface ProgramProbe {
  /** A step's function is called. `key` is the step's, over attempts and owners; `course` is all that the code before it was answered with. */
  stepCalled(body: Body, key: string, course: string): void;
  /**
   * A context call gave its answer to the body, or failed: with `isCancelled` because the run is cancelled. `step`: the path of the step that settled, also
   * because its branch has ended.
   */
  settled(body: Body, step: string | undefined, isCancelled: boolean): void;
  /** What a volatile step gives: never the same twice. */
  fresh(): number;
  /** The body has written its `n`th chunk at a place of the program. */
  wrote(body: Body, place: string, n: number): void;
  /** A step hands out a token, to be answered so many milliseconds later. The same token comes again when the step does. */
  handedOut(token: string, answerAfterMs: number): void;
  /** The body returns. `course`: all that the code outside of branches was answered with. */
  returned(body: Body, course: string): void;
  /** The initial function of a variable that fails once is called: whether it fails now. */
  initialFails(name: string): boolean;
}

/** What bodies write to this stream, and their steps to the other one. */
export interface BodyChunk {
  /** Where in the program. */
  readonly place: string;
  /** How many the body wrote there before. */
  readonly n: number;
}

/** What the code outside of all branches was answered with so far. */
export const COURSE = query<string>("course");

export const BODY_STREAM = "body";
export const STEP_STREAM = "steps";

/** What a branch of a body was answered with so far. */
class Course {
  #text: string;

  constructor(text = "") {
    this.#text = text;
  }

  get text(): string {
    return this.#text;
  }

  /** That of a branch, which begins where this one is. */
  fork(): Course {
    return new Course(this.#text);
  }

  add(answer: unknown): void {
    this.#text += `|${JSON.stringify(answer)}`;
  }
}

/** Interprets {@link Program}s. */
export function programWorkflow(probe: ProgramProbe): WorkflowDefinition<Program, unknown> {
  return workflow("program", { version: 1 }, async (ctx, { body }: Program) => {
    const course = new Course();
    ctx.onQuery(COURSE, () => course.text);
    const result = await new Interpreter(ctx, probe, course).perform(body);
    probe.returned(ctx, course.text);
    return result;
  });
}

/** What a program starts as its child. */
export const leaf = workflow("leaf", { version: 1 }, async (ctx, { ms, value, fails }: Leaf): Promise<number> => {
  if (ms > 0) await ctx.sleep(ms);
  const gave = await ctx.step("leaf", () => value);
  if (fails) throw new Error("the leaf fails");
  return gave;
});

interface Leaf {
  readonly ms: number;
  readonly value: number;
  readonly fails: boolean;
}

class Interpreter {
  readonly #ctx: WorkflowContext;
  readonly #probe: ProgramProbe;
  readonly #course: Course;
  readonly #paths: Paths;
  #written = 0;

  constructor(ctx: WorkflowContext, probe: ProgramProbe, course: Course, paths = new Paths()) {
    this.#ctx = ctx;
    this.#probe = probe;
    this.#course = course;
    this.#paths = paths;
  }

  /** What an action gives. Throws what it throws. */
  async perform(action: Action): Promise<unknown> {
    const course = this.#course;
    try {
      const gave = await this.#perform(action);
      course.add(gave);
      return gave;
    } catch (error) {
      course.add(nameOf(error));
      throw error;
    }
  }

  async #perform(action: Action): Promise<unknown> {
    const ctx = this.#ctx;
    switch (action.do) {
      case "step":
        return await this.#step(action);
      case "sequence": {
        const results: unknown[] = [];
        for (const one of action.actions) results.push(await this.perform(one));
        return results;
      }
      case "all":
        return await Promise.all(this.#branches(action.branches));
      case "race":
        return await Promise.race(this.#branches(action.branches));
      case "any":
        return await Promise.any(this.#branches(action.branches));
      case "allSettled":
        return (await Promise.allSettled(this.#branches(action.branches))).map((one) =>
          one.status === "fulfilled" ? { gave: one.value ?? null } : { failed: nameOf(one.reason) },
        );
      case "scope":
        return await this.#scope(action);
      case "map":
        return await this.#map(action);
      case "loop": {
        const results: unknown[] = [];
        for (let round = 0; round < action.times; round++) results.push(await this.perform(action.body));
        return results;
      }
      case "variable":
        return await this.#variable(action);
      case "sleep":
        await this.#told(ctx.sleep(action.ms));
        return "slept";
      case "child": {
        const { ms, value, fails } = action;
        return await this.#told(ctx.run<typeof leaf>("leaf", { ms, value, fails }));
      }
      case "wait":
        return await this.#wait(action);
      case "token":
        return await this.#token(action);
      case "random":
        return [ctx.random(), ctx.uuid()];
      case "now":
        return typeof (await this.#told(ctx.now()));
      case "try":
        return await this.#try(action);
      case "detached":
        this.#detached(action);
        return "begun";
      case "noise":
        for (let turn = 0; turn < action.turns; turn++) await Promise.resolve();
        return "noise";
      case "throw":
        throw action.cancels ? new CancelledError("from within") : new Error("on purpose");
    }
  }

  #inside(ctx: WorkflowContext, paths: Paths): Interpreter {
    return new Interpreter(ctx, this.#probe, this.#course.fork(), paths);
  }

  #branches(actions: readonly Action[]): readonly Promise<unknown>[] {
    return actions.map((action) => {
      const paths = this.#paths.scope("branch");
      return this.#ctx.scope("branch", (branch) => this.#inside(branch, paths).perform(action));
    });
  }

  #scope({ name, body, concurrency }: Action & { readonly do: "scope" }): Promise<unknown> {
    const bounds = concurrency === undefined ? {} : { concurrency };
    const paths = this.#paths.scope(name);
    return this.#ctx.scope(name, (inner) => this.#inside(inner, paths).perform(body), bounds);
  }

  #map({ items, concurrency, body }: Action & { readonly do: "map" }): Promise<unknown> {
    const list = Array.from({ length: items }, (_, at) => at);
    const paths = this.#paths.scope("map");
    return this.#ctx.map(list, (item, at) => this.#inside(item, paths.item(at)).perform(body), { concurrency });
  }

  async #step(action: StepAction): Promise<unknown> {
    if (action.value % 2 === 0) await this.#write();
    return await this.#stepItself(action);
  }

  async #write(): Promise<void> {
    const chunk: BodyChunk = { place: this.#paths.prefix, n: this.#written++ };
    await this.#ctx.stream<BodyChunk>(BODY_STREAM).write(chunk);
    this.#probe.wrote(this.#ctx, chunk.place, chunk.n);
  }

  #stepItself({
    name,
    value,
    isVolatile,
    failures,
    attempts,
    retryDelayMs,
    hangs,
    beats,
  }: StepAction): Promise<unknown> {
    const course = this.#course.text;
    const said = this.#ctx.stream<string>(STEP_STREAM);
    const call = (step: StepContext): number | Promise<number> => {
      this.#probe.stepCalled(this.#ctx, step.idempotencyKey, course);
      if (beats) beat(step);
      if (hangs && step.attempt === 1) return new Promise<never>(() => {});
      if (step.attempt <= failures) throw new Error(`attempt ${step.attempt} of ${name} fails`);
      const gave = isVolatile ? this.#probe.fresh() : value;
      return value % 3 === 0 ? said.write(step.idempotencyKey).then(() => gave) : gave;
    };
    const retry = { attempts, initialDelay: retryDelayMs, jitter: 0 };
    return this.#told(this.#ctx.step(name, call, { retry, timeout: "5s" }), this.#paths.next(name));
  }

  #detached({ name, sleeps }: Action & { readonly do: "detached" }): void {
    const course = this.#course.text;
    const call = (step: StepContext): string => {
      this.#probe.stepCalled(this.#ctx, step.idempotencyKey, course);
      return "detached";
    };
    const left = sleeps
      ? this.#told(this.#ctx.sleep(100))
      : this.#told(this.#ctx.step(name, call), this.#paths.next(name));
    left.catch(() => {});
  }

  async #wait({ signal, timeoutMs }: Action & { readonly do: "wait" }): Promise<unknown> {
    if (timeoutMs === undefined) return { [signal]: (await this.#told(this.#ctx.waitFor(signal))) ?? null };
    const { timedOut, payload } = await this.#told(this.#ctx.waitFor(signal, { timeout: timeoutMs }));
    return { [signal]: payload ?? null, timedOut };
  }

  async #token({ name, answerAfterMs, timeoutMs }: Action & { readonly do: "token" }): Promise<unknown> {
    const options = timeoutMs === undefined ? {} : { timeout: timeoutMs };
    const token = await this.#told(this.#ctx.token<string>(name, options));
    const course = this.#course.text;
    const handOut = (step: StepContext): void => {
      this.#probe.stepCalled(this.#ctx, step.idempotencyKey, course);
      this.#probe.handedOut(token.id, answerAfterMs);
    };
    await this.#told(this.#ctx.step("hand out", handOut), this.#paths.next("hand out"));
    return { [name]: await this.#told(token.answer()) };
  }

  async #variable({ name, sets, fails }: Action & { readonly do: "variable" }): Promise<unknown> {
    const initial = (): number => {
      if (fails === "always" || (fails === "once" && this.#probe.initialFails(name))) {
        throw new TerminalError(`variable ${name} has no beginning`);
      }
      return 1;
    };
    const held = await this.#told(this.#ctx.variable<number>(name, initial));
    for (let at = 0; at < sets; at++) await this.#told(held.update((value) => value * 2 + at));
    return held.value;
  }

  async #try({ body, caught, finally: last }: Action & { readonly do: "try" }): Promise<unknown> {
    const results: unknown[] = [];
    try {
      results.push(await this.perform(body));
    } catch (error) {
      results.push(nameOf(error));
      if (caught === undefined) throw error;
      results.push(await this.perform(caught));
    } finally {
      if (last !== undefined) results.push(await this.perform(last));
    }
    return results;
  }

  /** Awaits one context call, and tells how it settled before the body goes on. */
  async #told<T>(call: Promise<T>, step?: string): Promise<T> {
    try {
      const gave = await call;
      this.#probe.settled(this.#ctx, step, false);
      return gave;
    } catch (error) {
      this.#probe.settled(this.#ctx, step, error instanceof CancelledError);
      throw error;
    }
  }
}

/** An attempt says its number. Throws when one before it, on whatever node, was counted higher. */
function beat(step: StepContext): void {
  const { attempt, heartbeatDetails: before } = step;
  if (before !== undefined && !(Number(before) <= attempt))
    throw new TerminalError(`attempt ${attempt} follows ${String(before)}`);
  step.heartbeat(attempt);
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : String(error);
}
