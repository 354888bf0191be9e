/** Commands of the registers, what they come to, and what a node is asked about them. Plain data, all of it. */

/** `id` is like no other's. "read" goes through the log, unlike a read by ReadIndex. */
export type RegisterCommand =
  | { readonly id: number; readonly kind: "read"; readonly key: string }
  | { readonly id: number; readonly kind: "write"; readonly key: string; readonly value: number }
  | {
      readonly id: number;
      readonly kind: "cas";
      readonly key: string;
      readonly expected: number;
      readonly value: number;
    };

export interface RegisterResult {
  /** After the command. */
  readonly value: number;
  /** Of a compare-and-set. */
  readonly swapped: boolean;
}

/** A register and the ids of all commands on it that were applied, in order. */
export interface Register {
  readonly key: string;
  readonly value: number;
  readonly ids: readonly number[];
}

/** What this node's group knows of itself. */
export interface RegisterStatus {
  readonly role: string;
  readonly leader: number;
  readonly term: number;
  readonly commit: number;
  readonly applied: number;
}

/** What can be asked, and the answer to each. */
export interface RegisterAnswers {
  readonly propose: RegisterResult;
  /** By ReadIndex: the value. */
  readonly read: number;
  readonly status: RegisterStatus;
  /** The node's own copy as it is. */
  readonly copy: readonly Register[];
}

export type RegisterQuestion =
  | {
      readonly about: "registers";
      readonly what: "propose";
      readonly command: RegisterCommand;
      readonly timeoutMs: number;
    }
  | { readonly about: "registers"; readonly what: "read"; readonly key: string; readonly timeoutMs: number }
  | { readonly about: "registers"; readonly what: "status" | "copy" };
