/**
 * What the clients asked and what they were told, in real (virtual) time order: the input of the linearizability check.
 * Times are positions in the order of all calls and returns; two of them are never the same.
 */

/** One operation on one register. */
export type Operation =
  | { readonly kind: "read" }
  | { readonly kind: "write"; readonly value: number }
  | { readonly kind: "cas"; readonly expected: number; readonly value: number };

export interface Call {
  readonly id: number;
  readonly key: string;
  readonly operation: Operation;
  readonly calledAt: number;
  /** Undefined while, or for ever if, it is not known whether it took effect. */
  returnedAt: number | undefined;
  /** Value read, for a read; whether it swapped, for a compare-and-set. */
  value: number;
  swapped: boolean;
  /** Certainly without effect: not part of the history. */
  refused: boolean;
}

/** The history's clock at a moment of virtual time. */
interface Mark {
  readonly ms: number;
  readonly clock: number;
}

/** The history of all clients of one run. */
export class History {
  readonly calls: Call[] = [];
  readonly #marks: Mark[] = [];
  readonly #now: () => number;
  #clock = 0;
  #nextId = 1;

  /** `now`: virtual time in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * `staleMs`: how old the state may be that the call sees; more than 0 only for reads by a leader's lease. To the check such a
   * read was called that much earlier.
   */
  begin(key: string, operation: Operation, staleMs = 0): Call {
    this.#marks.push({ ms: this.#now(), clock: this.#clock });
    const call: Call = {
      id: this.#nextId++,
      key,
      operation,
      calledAt: staleMs > 0 ? this.#clockAt(this.#now() - staleMs) : this.#clock++,
      returnedAt: undefined,
      value: 0,
      swapped: false,
      refused: false,
    };
    this.calls.push(call);
    return call;
  }

  end(call: Call, value: number, swapped: boolean): void {
    call.returnedAt = this.#clock++;
    call.value = value;
    call.swapped = swapped;
  }

  #clockAt(ms: number): number {
    const later = this.#marks.findLastIndex((mark) => mark.ms < ms);
    // Between two whole numbers, so that it is never the same as that of another call.
    return (this.#marks[later]?.clock ?? 0) - 0.5;
  }

  /** By key, in the order of the calls. */
  byKey(): Map<string, Call[]> {
    const found = new Map<string, Call[]>();
    for (const call of this.calls) {
      if (call.refused) continue;
      const list = found.get(call.key);
      if (list === undefined) found.set(call.key, [call]);
      else list.push(call);
    }
    return found;
  }
}
