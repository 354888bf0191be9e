/**
 * Faults that wait for their moment.
 *
 * F1. Each plan acts once, at the n-th time that its moment comes.
 * F2. The action begins in the turn in which the moment comes, before anything of the moment goes on: a process that is killed `before` a commit
 *     proposes nothing, and one that is killed as a step `starts` does not call its function.
 */
import { outsideOfBody } from "../guard/body-guard.ts";
import { describeMoment, fits, type Happening, type Moment } from "./moment.ts";

/** What a plan does. What it returns is not waited for by the moment, but by the code that waits for the plan. */
export type FaultAction = (happening: Happening) => void | Promise<void>;

/** Lets time pass until a promise settles. */
export type Drive = <T>(promise: Promise<T>) => Promise<T>;

/** A fault that has not been brought on, or has. */
export class PlannedFault {
  readonly moment: Moment;
  readonly #act: FaultAction;
  readonly #drive: Drive;
  readonly #done = Promise.withResolvers<void>();
  #times = 0;
  #state: "waiting" | "acting" | "done" = "waiting";

  constructor(moment: Moment, act: FaultAction, drive: Drive) {
    this.moment = moment;
    this.#act = act;
    this.#drive = drive;
    this.#done.promise.catch(() => {});
  }

  /**
   * Resolves when the moment has come and the fault is brought on; lets time pass until then. Rejects with what kept it from being so, and when nothing is
   * left that could bring the moment about.
   */
  get happened(): Promise<void> {
    const happened = this.#drive(this.#done.promise).catch((error: unknown) => {
      if (this.#state !== "waiting") throw error;
      throw new Error(`The moment has not come: ${this}. ${(error as Error).message}`, { cause: error });
    });
    happened.catch(() => {});
    return happened;
  }

  /** Whether the moment has come. */
  get hasCome(): boolean {
    return this.#state !== "waiting";
  }

  /** Looks at something that happened, and acts if it is the moment. */
  look(happening: Happening): void {
    if (this.#state !== "waiting" || !fits(this.moment, happening)) return;
    this.#times += 1;
    if (this.#times < (this.moment.nth ?? 1)) return;
    this.#state = "acting";
    try {
      // The moment comes in the context of a body, whose use of the platform is reported.
      const acting = outsideOfBody(() => this.#act(happening));
      if (acting === undefined) this.#over();
      else acting.then(() => this.#over(), this.#done.reject);
    } catch (error) {
      this.#done.reject(error);
    }
  }

  /** For messages. */
  toString(): string {
    return describeMoment(this.moment);
  }

  #over(): void {
    this.#state = "done";
    this.#done.resolve();
  }
}

/** All faults that a test has planned. */
export class FaultPlan {
  readonly #faults = new Set<PlannedFault>();
  readonly #drive: Drive;

  constructor(drive: Drive) {
    this.#drive = drive;
  }

  /** See {@link PlannedFault}. */
  add(moment: Moment, act: FaultAction): PlannedFault {
    const fault = new PlannedFault(moment, act, this.#drive);
    this.#faults.add(fault);
    return fault;
  }

  /** Faults whose moment has not come. */
  get waiting(): readonly PlannedFault[] {
    return [...this.#faults].filter((fault) => !fault.hasCome);
  }

  /** Something happened. */
  happened(happening: Happening): void {
    for (const fault of this.#faults) fault.look(happening);
  }
}
