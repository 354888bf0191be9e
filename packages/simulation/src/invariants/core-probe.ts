/**
 * Hears what happens inside a core, at the moment at which it happens: every way into the log, and to a new commit index, leads through
 * these methods. They are wrapped on the one object; nothing in raft-core knows of it.
 */
import type { LogIndex } from "@raftoral/raft-core";
import type { Entry, RawNode, ReadState } from "@raftoral/raft-core/core";
import type { Observed } from "./observed.ts";

export interface CoreListener {
  appended(node: Observed, entries: readonly Entry[]): void;
  restored(node: Observed): void;
  counted(node: Observed, index: LogIndex): void;
  readAsked(node: Observed, context: Uint8Array): void;
  readConfirmed(node: Observed, read: ReadState): void;
}

/** `node` is who the listener is told it was; `raw` its core. */
export function probeCore(node: Observed, raw: RawNode, listener: CoreListener): void {
  const { log } = raw.raft;
  const { unstable } = log;
  const append = unstable.truncateAndAppend.bind(unstable);
  unstable.truncateAndAppend = (entries) => {
    listener.appended(node, entries);
    append(entries);
  };
  const restore = unstable.restore.bind(unstable);
  unstable.restore = (snapshot) => {
    restore(snapshot);
    listener.restored(node);
  };
  const maybeCommit = log.maybeCommit.bind(log);
  log.maybeCommit = (index, term) => {
    const moved = maybeCommit(index, term);
    if (moved) listener.counted(node, log.committed);
    return moved;
  };
  const readIndex = raw.readIndex.bind(raw);
  raw.readIndex = (context) => {
    listener.readAsked(node, context);
    return readIndex(context);
  };
  const ready = raw.ready.bind(raw);
  raw.ready = () => {
    const work = ready();
    for (const read of work.readStates) listener.readConfirmed(node, read);
    return work;
  };
}
