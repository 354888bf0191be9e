/** Sends the calls of one run to other runs, in the name of its ownership. */
import type { Update } from "../../../commands/messages/update.ts";
import type { Refused } from "../../../commands/refusal.ts";
import type { StartWith } from "../../../commands/runs/start-with.ts";
import { outsideBodies } from "../../body/body-place.ts";
import type { Proposer } from "../../engine/retrying-proposer.ts";
import { never } from "../../history/history.ts";

/** What became of a call that was sent: it waits, it was answered before, or it was refused. */
export type SentCall =
  | { readonly is: "waiting" }
  | { readonly is: "answered"; readonly isFailure: boolean; readonly value: Uint8Array }
  | { readonly is: "refused"; readonly refusal: Refused };

/** What a {@link CallSender} is made of. */
export interface CallSenderOptions {
  readonly proposer: Proposer;
  /** Whether the run is still this execution's. */
  readonly holds: () => boolean;
  /** The log says that it is not. */
  readonly onLost: () => void;
  /** Whether a type is one of objects; undefined for a type that this node has not registered. */
  readonly isObject: (type: string) => boolean | undefined;
}

/** Proposes calls; never settles once the ownership is over. */
export class CallSender {
  readonly #options: CallSenderOptions;

  constructor(options: CallSenderOptions) {
    this.#options = options;
  }

  /** Whether a type is one of objects; undefined for a type that this node has not registered. */
  isObject(type: string): boolean | undefined {
    return this.#options.isObject(type);
  }

  /** Sends a call, once or again: its id decides. Rejects when the log cannot take it. */
  async send(command: Update | StartWith): Promise<SentCall> {
    const { proposer, holds, onLost } = this.#options;
    if (!holds()) return never();
    const result = await outsideBodies(() => proposer.propose(command, { goOn: holds })).catch((error: unknown) => {
      if (!holds()) return never<never>();
      throw error;
    });
    if (!holds()) return never();
    if (!result.ok) {
      if (result.code !== "STALE_OWNER") return { is: "refused", refusal: result };
      onLost();
      return never();
    }
    if (result.kind !== "UpdateTaken" && result.kind !== "StartedWith") return { is: "waiting" };
    const { status, value } = result;
    if (status !== "completed" && status !== "failed") return { is: "waiting" };
    return { is: "answered", isFailure: status === "failed", value };
  }
}
