/**
 * What a node takes of the proposals that others send it (MsgProp).
 *
 * An entry that nobody can read, once committed, stops every node at the same place, and again after each restart. So it is
 * looked at before it gets into the log, by the leader; what its own driver proposes was checked there.
 *
 * RP1. Every entry that is stepped from a peer's MsgProp can be read by this node's codecs and executor.
 */
import type { Message } from "../../message.ts";
import type { AnyExecutor } from "../../ports/executor.ts";
import type { Logger } from "../../ports/logger.ts";
import type { Entry } from "../../types.ts";
import { decodeEntryContext } from "../apply/entry-context.ts";
import { checkCommand } from "../calls/command-check.ts";
import { readConfChange } from "../membership/conf-change.ts";
import { decodeMemberUpdate } from "../membership/members.ts";

export class ReceivedProposals {
  /** Entries that were left out so far. */
  refused = 0;
  readonly #executor: Pick<AnyExecutor, "decode">;
  readonly #maxCommandBytes: number;
  readonly #logger: Logger;

  constructor(executor: Pick<AnyExecutor, "decode">, maxCommandBytes: number, logger: Logger) {
    this.#executor = executor;
    this.#maxCommandBytes = maxCommandBytes;
    this.#logger = logger;
  }

  /** The message to step: `message`, or one with those of its entries that can be read (RP1). */
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
      // Its proposer repeats it until its time is up, so once is enough; a newer version's command ends here, too.
      if (this.refused === 1) {
        this.#logger.warn(
          { err: error, from, entryType: entry.type },
          "a peer proposed what this node cannot read; it was left out. Do all nodes run the same version of the application?",
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
