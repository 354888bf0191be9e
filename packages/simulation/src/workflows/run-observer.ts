/** What the bodies of one run tell while they run: P8 and P10 of finding.ts, and what P12, P15, P16 and P17 are judged by. */
import type { Body, BodyCode, ProgramProbe, SagaStage } from "./body/program-probe.ts";
import type { ProgramFinding } from "./finding.ts";

/** A saga as one body saw it. */
export interface ObservedSaga {
  /** Names of the bookings that it was answered with, in that order. */
  readonly booked: string[];
  /** How it settled, if it has. */
  end: Exclude<SagaStage, "booked"> | undefined;
}

/** One body. */
export interface ObservedBody extends BodyCode {
  /** Paths of steps that have settled: answered, failed, or left behind by a branch that has ended. */
  readonly settled: Set<string>;
  /** The same as they were at the first CancelledError; undefined when it met none. */
  settledAtCancel: ReadonlySet<string> | undefined;
  /** By the prefix of their paths. */
  readonly sagas: Map<string, ObservedSaga>;
  /** Chunks that it wrote, by place. */
  readonly written: Map<string, number>;
  /** What it was answered with when it returned; undefined when it has not. */
  course: string | undefined;
}

/** Observes the run of a program on one cluster. `hasLost`: whether the body's node knows that the run is another's. */
export class RunObserver implements ProgramProbe {
  readonly findings: ProgramFinding[] = [];
  /** Told of each token that is handed out for the first time. */
  onToken: (token: string, answerAfterMs: number) => void = () => {};
  /** Functions of steps that were called. */
  stepCalls = 0;
  readonly #tokens = new Set<string>();
  readonly #hasLost: (body: Body) => boolean;
  readonly #courses = new Map<string, string>();
  /** By their epochs. */
  readonly #bodies = new Map<number, ObservedBody>();
  #fresh = 1_000;
  readonly #called = new Set<string>();

  constructor(hasLost: (body: Body) => boolean) {
    this.#hasLost = hasLost;
  }

  /** The latest body of a generation; undefined when the run has ended before one began. */
  latest(generation: number): ObservedBody | undefined {
    const own = [...this.#bodies].filter(([, body]) => body.generation === generation);
    return own.sort(([a], [b]) => a - b).at(-1)?.[1];
  }

  began({ fencingToken }: Body, code: BodyCode): void {
    this.#bodies.set(fencingToken, {
      ...code,
      settled: new Set(),
      settledAtCancel: undefined,
      sagas: new Map(),
      written: new Map(),
      course: undefined,
    });
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
    const observed = this.#of(body);
    if (isCancelled) observed.settledAtCancel ??= new Set(observed.settled);
    else if (step !== undefined) observed.settled.add(step);
  }

  wrote(body: Body, place: string, n: number): void {
    this.#of(body).written.set(place, n + 1);
  }

  saga(body: Body, prefix: string, stage: SagaStage, booking = ""): void {
    const { sagas } = this.#of(body);
    const saga = sagas.get(prefix) ?? { booked: [], end: undefined };
    sagas.set(prefix, saga);
    if (stage === "booked") saga.booked.push(booking);
    else saga.end = stage;
  }

  handedOut(token: string, answerAfterMs: number): void {
    if (this.#tokens.has(token)) return;
    this.#tokens.add(token);
    this.onToken(token, answerAfterMs);
  }

  returned(body: Body, course: string): void {
    this.#of(body).course = course;
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

  #of({ runId, fencingToken }: Body): ObservedBody {
    const body = this.#bodies.get(fencingToken);
    if (body === undefined) throw new Error(`no body of run ${runId} has begun under epoch ${fencingToken}`);
    return body;
  }
}
