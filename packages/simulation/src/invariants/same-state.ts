/**
 * The same command is carried out at an index everywhere, to the same state; a state that comes out of a snapshot is the one that was
 * at that command; and whatever was retried, each proposal is carried out at one index only.
 */
import type { LogIndex, NodeId } from "@raftoral/raft-core";
import type { KvCommand } from "../machine/kv-command.ts";
import type { Invariant, Report } from "./invariant.ts";

interface Executed {
  readonly id: number;
  readonly digest: number;
  readonly by: NodeId;
}

/** Checks that all replicas come to the same state. */
export class SameState implements Invariant {
  readonly name = "same-state";
  readonly #report: Report;
  readonly #byIndex = new Map<LogIndex, Executed>();
  readonly #indexOf = new Map<number, LogIndex>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** Where a proposal was carried out, if it was. */
  indexOf(commandId: number): LogIndex | undefined {
    return this.#indexOf.get(commandId);
  }

  executed(nodeId: NodeId, index: LogIndex, command: KvCommand, digest: number): void {
    const known = this.#byIndex.get(index);
    if (known === undefined) {
      this.#byIndex.set(index, { id: command.id, digest, by: nodeId });
    } else if (known.id !== command.id) {
      const other = `n${known.by} executed ${known.id}`;
      this.#report("same-command", `n${nodeId} executes command ${command.id} at ${index}, ${other}`);
    } else if (known.digest !== digest) {
      this.#report(this.name, `n${nodeId} has another state than n${known.by} after ${index}`);
    }
    const first = this.#indexOf.get(command.id);
    if (first === undefined) this.#indexOf.set(command.id, index);
    else if (first !== index) {
      this.#report("applied-once", `n${nodeId} executes command ${command.id} at ${index}; it was at ${first} before`);
    }
  }

  recovered(nodeId: NodeId, index: LogIndex, digest: number): void {
    const known = this.#byIndex.get(index);
    if (known !== undefined && known.digest !== digest) {
      this.#report(this.name, `n${nodeId} restores a state of ${index} that n${known.by} did not have there`);
    }
  }
}
