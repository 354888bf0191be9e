/**
 * Checks the proposals that other nodes send to this one (MsgProp).
 *
 * A committed entry that no node can read stops every node at the same place, and again after each restart. So the receiver
 * checks a peer's entries before they get into its log. The driver checks the proposals of its own node.
 *
 * RP1. This node's codecs and executor can read every entry that is stepped from a peer's MsgProp.
 */
import type { Message } from "../../message.ts";
import type { AnyExecutor } from "../../ports/executor.ts";
import type { Logger } from "../../ports/logger.ts";
import type { Entry } from "../../types.ts";
import { decodeEntryContext } from "../apply/entry-context.ts";
import { checkCommand } from "../calls/command-check.ts";
import { readConfChange } from "../membership/conf-change.ts";
import { decodeMemberUpdate } from "../membership/members.ts";

/** Filters the entries of peers' proposals for one group. */
export class ReceivedProposals {
  /** Number of entries that were left out so far. */
  refused = 0;
  readonly #executor: Pick<AnyExecutor, "decode">;
  readonly #maxCommandBytes: number;
  readonly #logger: Logger;

  constructor(executor: Pick<AnyExecutor, "decode">, maxCommandBytes: number, logger: Logger) {
    this.#executor = executor;
    this.#maxCommandBytes = maxCommandBytes;
    this.#logger = logger;
  }

  /** The message to step: `message`, or a copy with only the entries that this node can read (RP1). */
  readable(message: Message): Message {
    if (message.type !== "MsgProp") return message;
    const entries = message.entries.filter((entry) => this.#isReadable(entry, message.from));
    return entries.length === message.entries.length ? message : { ...message, entries };
  }

  #isReadable(entry: Entry, from: number): boolean {
    try {
      this.#read(entry);
      return true;
    } catch (error) {
      this.refused += 1;
      // The proposer repeats the entry until its deadline, so the warning is logged only once. A command of a newer version is refused here, too.
      if (this.refused === 1) {
        this.#logger.warn(
          { err: error, from, entryType: entry.type },
          "a peer proposed an entry that this node cannot read; it was left out. Do all nodes run the same version of the application?",
        );
      }
      return false;
    }
  }

  #read(entry: Entry): void {
    if (entry.context !== undefined && entry.context.length > 0) decodeEntryContext(entry.context);
    if (entry.type !== "EntryNormal") {
      decodeMemberUpdate(readConfChange(entry).context);
      return;
    }
    // An entry without data opens a session.
    if (entry.data.length === 0) return;
    checkCommand(entry.data, this.#maxCommandBytes);
    this.#executor.decode(entry.data);
  }
}
