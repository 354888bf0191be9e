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

export class History {
  readonly calls: Call[] = [];
  #clock = 0;
  #nextId = 1;

  begin(key: string, operation: Operation): Call {
    const call: Call = {
      id: this.#nextId++,
      key,
      operation,
      calledAt: this.#clock++,
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
