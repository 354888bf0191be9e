/**
 * The driver's own replicated state at an index of a group's stored log: sessions, members, configuration. For tools that inspect
 * or repair the storage of a stopped node. Commands are skipped, so no executor is needed.
 */
import { InvariantViolation, RaftError } from "../../errors.ts";
import { LOCAL_APPLY_THREAD, message } from "../../message.ts";
import type { CommandExecutor } from "../../ports/executor.ts";
import type { GroupStorage } from "../../ports/storage.ts";
import type { LogIndex } from "../../types.ts";
import { ApplyThread, type ApplyThreadHost } from "../apply/apply-thread.ts";
import { ReplicatedState } from "../apply/replicated-state.ts";
import { nextConfState } from "../membership/conf-change.ts";
import { splitHeader } from "../snapshots/snapshot-header.ts";

/** Entries are read in portions of about this many bytes. */
const PORTION_BYTES = 1024 * 1024;

/** An executor that skips every command. */
const NO_EXECUTOR: CommandExecutor<undefined, undefined> = {
  encode: () => new Uint8Array(0),
  decode: () => undefined,
  apply: (batch) => batch.map(() => undefined),
  async *snapshot() {},
  restore: async () => {},
};

/**
 * Reads the latest snapshot's header and applies the entries after it, up to and including `upTo`, as a running node
 * does. Rejects with RaftError CODEC_INVALID for bytes that this version cannot read, and with errors of the storage.
 */
export async function replayLog(storage: GroupStorage, upTo: LogIndex): Promise<ReplicatedState> {
  const state = await restoredHeader(storage);
  let failure: unknown;
  const host: ApplyThreadHost<undefined> = {
    deliver: () => {},
    applyConfChange: (change) => {
      const next = nextConfState(state.confState, change);
      if (next instanceof RaftError) throw new InvariantViolation("a change that cannot follow was refused before");
      return next;
    },
    settled: () => {},
    reconfigured: () => {},
    refused: () => {},
    expired: () => {},
    registered: () => {},
    applied: () => {},
    fail: (error) => {
      failure = error;
    },
  };
  const thread = new ApplyThread(NO_EXECUTOR, state, host);
  while (state.appliedIndex < upTo && failure === undefined) {
    const entries = storage.entries(state.appliedIndex + 1, upTo + 1, PORTION_BYTES);
    if (typeof entries === "string") {
      throw new RaftError(
        "CODEC_INVALID",
        `Entry ${state.appliedIndex + 1} cannot be read from the log: it is ${entries}. Restore the data folder from a backup.`,
      );
    }
    thread.submit(message({ type: "MsgStorageApply", to: LOCAL_APPLY_THREAD, entries }));
    await thread.idle();
  }
  if (failure !== undefined) throw failure;
  return state;
}

async function restoredHeader(storage: GroupStorage): Promise<ReplicatedState> {
  const state = new ReplicatedState();
  state.confState = storage.initialState().confState;
  const snapshot = storage.snapshot();
  if (snapshot === "unavailable" || snapshot.metadata.index === 0) return state;
  const chunks = storage.openSnapshot(snapshot.metadata)[Symbol.asyncIterator]();
  try {
    state.restore((await splitHeader(chunks)).header, snapshot.metadata);
  } finally {
    await chunks.return?.();
  }
  return state;
}
