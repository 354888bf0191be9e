/** What the bodies of one run tell while they run: P8, P10 and P12 of finding.ts. */
import type { ProgramFinding } from "./finding.ts";
import type { Body, ProgramProbe } from "./program-workflow.ts";

/** One body as far as P12 needs to know it. */
interface Told {
  /** Paths of steps that have settled: answered, failed, or left behind by a branch that has ended. */
  readonly settled: Set<string>;
  /** The same as they were at the first CancelledError. */
  settledAtCancel: ReadonlySet<string> | undefined;
}

/** Observes the run of a program on one cluster. `hasLost`: whether the body's node knows that the run is another's. */
export class RunObserver implements ProgramProbe {
  readonly findings: ProgramFinding[] = [];
  /** Told of each token that is handed out for the first time. */
  onToken: (token: string, answerAfterMs: number) => void = () => {};
  readonly #tokens = new Set<string>();
  /** Functions of steps that were called. */
  stepCalls = 0;
  readonly #hasLost: (body: Body) => boolean;
  readonly #courses = new Map<string, string>();
  readonly #bodies = new Map<number, Told>();
  /** By the body's epoch. */
  readonly #written = new Map<number, Map<string, number>>();
  readonly #returned = new Map<number, string>();
  #fresh = 1_000;
  readonly #called = new Set<string>();

  constructor(hasLost: (body: Body) => boolean) {
    this.#hasLost = hasLost;
  }

  stepCalled({ nodeId }: Body, key: string, course: string): void {
    this.stepCalls += 1;
    const before = this.#courses.get(key);
    if (before === undefined) this.#courses.set(key, course);
    else if (before !== course) {
      const message = `a step's function was called after ${before || "nothing"}, and on node ${nodeId} after ${course || "nothing"}`;
      this.findings.push({ invariant: "seen-outside", message });
    }
  }

  settled(body: Body, step: string | undefined, isCancelled: boolean): void {
    if (this.#hasLost(body)) {
      const message = `a call settled on node ${body.nodeId}, which knew that it had lost the run`;
      this.findings.push({ invariant: "lost", message });
    }
    const told: Told = this.#bodies.get(body.fencingToken) ?? { settled: new Set(), settledAtCancel: undefined };
    this.#bodies.set(body.fencingToken, told);
    if (isCancelled) told.settledAtCancel ??= new Set(told.settled);
    else if (step !== undefined) told.settled.add(step);
  }

  wrote({ fencingToken }: Body, place: string, n: number): void {
    const told = this.#written.get(fencingToken) ?? new Map<string, number>();
    this.#written.set(fencingToken, told);
    told.set(place, n + 1);
  }

  handedOut(token: string, answerAfterMs: number): void {
    if (this.#tokens.has(token)) return;
    this.#tokens.add(token);
    this.onToken(token, answerAfterMs);
  }

  /** Chunks that the latest body wrote, by place. */
  get written(): ReadonlyMap<string, number> {
    // A body that was cut off may have written what no log has, and the one after it nothing.
    return this.#written.get(Math.max(...this.#bodies.keys(), ...this.#written.keys())) ?? new Map();
  }

  returned({ fencingToken }: Body, course: string): void {
    this.#returned.set(fencingToken, course);
  }

  /** What the latest body was answered with when it returned; undefined when it has not. */
  get course(): string | undefined {
    return this.#returned.get(Math.max(...this.#returned.keys()));
  }

  fresh(): number {
    this.#fresh += 1;
    return this.#fresh;
  }

  initialFails(name: string): boolean {
    if (this.#called.has(name)) return false;
    this.#called.add(name);
    return true;
  }

  /** Paths of the steps that had settled in the latest body before its first CancelledError; undefined when it met none. */
  get settledBeforeCancel(): ReadonlySet<string> | undefined {
    const latest = Math.max(...this.#bodies.keys());
    return this.#bodies.get(latest)?.settledAtCancel;
  }
}
