/**
 * State Machine Safety (Raft paper §5.4.3): the same command is applied at an index everywhere, to the same state; nothing is
 * applied that is not committed; and whatever was retried, each proposal is applied at one index only.
 */
import type { LogIndex, NodeId } from "@raftoral/raft-core";
import type { KvCommand } from "../machine/kv-command.ts";
import type { Invariant, Report } from "./invariant.ts";

interface Applied {
  readonly id: number;
  readonly digest: number;
  readonly by: NodeId;
}

export class SameEntryApplied implements Invariant {
  readonly name = "same-entry-applied";
  readonly #report: Report;
  readonly #byIndex = new Map<LogIndex, Applied>();
  readonly #indexOf = new Map<number, LogIndex>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** Where a proposal was applied, if it was. */
  indexOf(commandId: number): LogIndex | undefined {
    return this.#indexOf.get(commandId);
  }

  applied(nodeId: NodeId, index: LogIndex, command: KvCommand, digest: number): void {
    const known = this.#byIndex.get(index);
    if (known === undefined) {
      this.#byIndex.set(index, { id: command.id, digest, by: nodeId });
    } else if (known.id !== command.id) {
      this.#report(this.name, `n${nodeId} applies command ${command.id} at ${index}, n${known.by} applied ${known.id}`);
    } else if (known.digest !== digest) {
      this.#report("same-state", `n${nodeId} has another state than n${known.by} after ${index}`);
    }
    const first = this.#indexOf.get(command.id);
    if (first === undefined) this.#indexOf.set(command.id, index);
    else if (first !== index) {
      this.#report("applied-once", `n${nodeId} applies command ${command.id} at ${index}; it was applied at ${first}`);
    }
  }
}
