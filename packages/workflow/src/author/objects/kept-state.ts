/**
 * The state of an object, as handlers have it.
 *
 * KS1. A value that a handler gets is frozen through and through: a change that is not recorded throws where it is made.
 * KS2. A handler changes the state until it has ended, and it has ended when its changes are recorded.
 */
import { type ContextMisuse, ContextMisuseError } from "../errors/errors.ts";
import type { Variable } from "../workflow-context.ts";
import type { ObjectState } from "./object-context.ts";
import type { ObjectRecord } from "./object-record.ts";

/** What {@link KeptState} reads and changes. */
export interface StateSetting<State> {
  readonly runId: string;
  readonly record: Variable<ObjectRecord<State>>;
  /** Of an object that has none. */
  readonly initial: State;
  /** A state was set, of about so many characters of JSON. */
  readonly onChange: (length: number) => void;
}

/** The state that an object has now. */
export function stateOf<State>({ record, initial }: Pick<StateSetting<State>, "record" | "initial">): State {
  const { state = initial } = record.value;
  return frozen(state);
}

/** The state for one exclusive call (KS2). */
export class KeptState<State> implements Variable<State> {
  readonly #setting: StateSetting<State>;
  #isOver = false;
  #changes: Promise<unknown> = Promise.resolve();

  constructor(setting: StateSetting<State>) {
    this.#setting = setting;
  }

  get value(): State {
    return stateOf(this.#setting);
  }

  get(): State {
    return this.value;
  }

  async set(next: State): Promise<void> {
    await this.update(() => next);
  }

  update(change: (value: State) => State): Promise<State> {
    const changed = this.#changed(change);
    this.#changes = Promise.allSettled([this.#changes, changed]);
    return changed;
  }

  async #changed(change: (value: State) => State): Promise<State> {
    const { record, initial, runId, onChange } = this.#setting;
    if (this.#isOver) throw misuse("CONTEXT_ENDED", runId, "after the handler had ended", "Await all of its changes");
    await record.update((before) => {
      const { state = initial } = before;
      const next = change(frozen(state));
      if (next === undefined) throw new TypeError("The state of an object is not undefined. Give null, or delete it.");
      return { ...before, state: next };
    });
    onChange(JSON.stringify(record.value.state).length);
    return this.value;
  }

  /** The handler has ended: resolves when its changes are recorded, and takes no other. */
  async end(): Promise<void> {
    await this.#changes;
    this.#isOver = true;
  }
}

/** The state for a shared call: the methods that would change it refuse, for code that no compiler has seen. */
export class ReadState<State> implements ObjectState<State> {
  readonly #setting: StateSetting<State>;

  constructor(setting: StateSetting<State>) {
    this.#setting = setting;
  }

  get value(): State {
    return stateOf(this.#setting);
  }

  set(): Promise<never> {
    return this.update();
  }

  async update(): Promise<never> {
    throw misuse("CONTEXT_IN_HANDLER", this.#setting.runId, "in a shared handler", "Make the handler exclusive");
  }
}

function misuse(code: ContextMisuse, runId: string, where: string, remedy: string): ContextMisuseError {
  const message = `The state of object ${runId} was to be changed ${where}. Nothing was changed. ${remedy}.`;
  return new ContextMisuseError(code, message, { runId });
}

/** KS1. */
function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}
