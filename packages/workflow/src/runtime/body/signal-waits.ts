/**
 * Who gets which signal within one body.
 *
 * The state gives a signal to the path that asked for it. Which wait of the body it reaches is decided here, at the signal's turn among the answers, so
 * that a wait that was aborted meanwhile consumes nothing.
 *
 * SW1. A signal goes to the oldest open wait of its name, whichever wait asked for it.
 * SW2. A signal that finds no open wait goes to the handler of its name; without one it is kept for the next wait or handler, in the order of the signals' turns.
 * SW3. Signals have turns, and waits open and close at places of the body's course: a replay gives each signal to the same wait.
 */
import type { HistoryRecord } from "../../model/record.ts";
import { LazyMap } from "../collections/lazy-map.ts";

/** What a question for a signal was answered with. */
export interface Receipt {
  readonly record: HistoryRecord;
  /** Where it is recorded. */
  readonly path: string;
  /** Whether an earlier owner recorded it. */
  readonly isReplay: boolean;
}

type Give = (receipt: Receipt) => void;

/** A wait that has no signal yet. */
export class OpenWait {
  readonly #give: Give;
  readonly #leave: (wait: OpenWait) => void;
  #isOpen = true;
  #closed: (() => void) | undefined;

  /** `give`: called once, with what the wait is answered with. */
  constructor(give: Give, leave: (wait: OpenWait) => void) {
    this.#give = give;
    this.#leave = leave;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Calls back once the wait is closed. Replaces the callback before. */
  onClosed(fn: (() => void) | undefined): void {
    this.#closed = fn;
  }

  /** Answers the wait, unless it is closed. */
  answer(receipt: Receipt): void {
    if (!this.#isOpen) return;
    this.close();
    this.#give(receipt);
  }

  /** The wait wants no signal any more. Idempotent. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#leave(this);
    this.#closed?.();
  }
}

/** The open waits of one body by the names of their signals, and the signals that are kept for later waits (SW1 to SW3). */
export class SignalWaits {
  readonly #open = new LazyMap<string, Set<OpenWait>>();
  readonly #kept = new LazyMap<string, Receipt[]>();
  readonly #handlers = new LazyMap<string, Give>();

  /** Whether a signal is kept for the next wait of this name. */
  keeps(name: string): boolean {
    return this.#kept.has(name);
  }

  /** A wait begins. `give` is called at once when a signal is kept for it (SW2). */
  open(name: string, give: Give): OpenWait {
    const waits = this.#open.get(name) ?? new Set();
    const wait = new OpenWait(give, (closed) => {
      waits.delete(closed);
      if (waits.size === 0 && this.#open.get(name) === waits) this.#open.delete(name);
    });
    waits.add(wait);
    this.#open.set(name, waits);
    const kept = this.#kept.get(name);
    const first = kept?.shift();
    if (kept?.length === 0) this.#kept.delete(name);
    if (first !== undefined) wait.answer(first);
    return wait;
  }

  /** From now on `give` gets the signals of a name that no wait takes, at first those that are kept (SW2). */
  handle(name: string, give: Give): void {
    this.#handlers.set(name, give);
    const kept = this.#kept.get(name) ?? [];
    this.#kept.delete(name);
    for (const receipt of kept) give(receipt);
  }

  /** A signal has its turn (SW1, SW2). */
  deliver(name: string, receipt: Receipt): void {
    const [oldest] = this.#open.get(name) ?? [];
    // A signal that is kept was received before: an owner answers with it as with what it finds recorded.
    const handler = this.#handlers.get(name);
    if (oldest !== undefined) oldest.answer(receipt);
    else if (handler !== undefined) handler(receipt);
    else this.#kept.set(name, [...(this.#kept.get(name) ?? []), { ...receipt, isReplay: true }]);
  }
}
