/** Where the actions of one scope of a program meet its body: the context, the paths, what was answered so far, and who hears of it. */
import { CancelledError, type WorkflowContext } from "@raftoral/workflow";
import type { Paths } from "../program/paths.ts";
import type { ProgramProbe } from "./program-probe.ts";

/** What bodies write to this stream, and their steps to the other one. */
export interface BodyChunk {
  /** Where in the program. */
  readonly place: string;
  /** How many the body wrote there before. */
  readonly n: number;
}

export const BODY_STREAM = "body";
export const STEP_STREAM = "steps";

/** What all scopes of one body share. */
export interface SharedInBody {
  readonly probe: ProgramProbe;
  /** Payloads of the signals that the body was answered with, in that order. */
  readonly received: number[];
  /** Whether the code is from before every change that a `patched` action stands for. */
  readonly isOld: boolean;
}

/** One scope of a body. */
export class BodySite {
  readonly ctx: WorkflowContext;
  readonly paths: Paths;
  readonly shared: SharedInBody;
  #course: string;
  #written = 0;

  /** `course`: what the code around the scope was answered with before it. */
  constructor(ctx: WorkflowContext, paths: Paths, shared: SharedInBody, course = "") {
    this.ctx = ctx;
    this.paths = paths;
    this.shared = shared;
    this.#course = course;
  }

  get probe(): ProgramProbe {
    return this.shared.probe;
  }

  /** All that the code of the scope, and around it, was answered with so far. */
  get course(): string {
    return this.#course;
  }

  /** A scope within this one. */
  inside(ctx: WorkflowContext, paths: Paths): BodySite {
    return new BodySite(ctx, paths, this.shared, this.#course);
  }

  answered(answer: unknown): void {
    this.#course += `|${JSON.stringify(answer)}`;
  }

  /** Writes the next chunk of the scope. */
  async write(): Promise<void> {
    const chunk: BodyChunk = { place: this.paths.prefix, n: this.#written++ };
    await this.ctx.stream<BodyChunk>(BODY_STREAM).write(chunk);
    this.probe.wrote(this.ctx, chunk.place, chunk.n);
  }

  /** Awaits one context call, and tells how it settled before the body goes on. `step`: its path, if it is a step. */
  async told<T>(call: Promise<T>, step?: string): Promise<T> {
    try {
      const gave = await call;
      this.probe.settled(this.ctx, step, false);
      return gave;
    } catch (error) {
      this.probe.settled(this.ctx, step, error instanceof CancelledError);
      throw error;
    }
  }
}

/** An error as it stands in what a program gives. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : String(error);
}
