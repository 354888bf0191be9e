/** Bootstrap of a group on a node whose storage is empty. */
import { RaftError } from "../errors.ts";
import type { AnyExecutor } from "../ports/executor.ts";
import type { GroupStorage } from "../ports/storage.ts";
import { EMPTY_CONF_STATE, type SnapshotMetadata } from "../types.ts";
import { Members } from "./membership/members.ts";
import type { Bootstrap } from "./options.ts";
import { withHeader } from "./snapshots/snapshot-header.ts";

/** Index of the snapshot of the initial state, with which every bootstrapped log begins. */
const INITIAL_INDEX = 1;
/** Term of that snapshot. */
const INITIAL_TERM = 1;

/** Whether the group has never run on this node. */
export function isEmpty(storage: GroupStorage): boolean {
  const { hardState } = storage.initialState();
  return hardState.term === 0 && storage.lastIndex() === 0;
}

/**
 * Writes the first configuration as a snapshot of the initial state, the same on every initial member. A node that
 * joins later gets configuration and addresses from the leader's snapshot or log. A node that joins writes nothing here.
 *
 * Throws RaftError CONFIG_INVALID without `bootstrap`, and for a list of members that is empty or names a node twice.
 */
export async function bootstrapStorage(
  storage: GroupStorage,
  executor: AnyExecutor,
  bootstrap: Bootstrap | undefined,
): Promise<void> {
  if (bootstrap === undefined) {
    throw new RaftError(
      "CONFIG_INVALID",
      'The storage is empty and the option `bootstrap` is missing. Give `bootstrap` the initial members, or { kind: "join" } for a node that a running group will add.',
    );
  }
  if (bootstrap.kind === "join") return;
  const voters = bootstrap.members.map(({ nodeId }) => nodeId).sort((a, b) => a - b);
  if (voters.length === 0 || new Set(voters).size < voters.length) {
    throw new RaftError(
      "CONFIG_INVALID",
      `The initial members are [${voters}]. Give \`bootstrap\` one or more members, each with an id of its own.`,
    );
  }
  const confState = { ...EMPTY_CONF_STATE, voters };
  const metadata: SnapshotMetadata = { index: INITIAL_INDEX, term: INITIAL_TERM, confState };
  const members = new Members();
  members.update(confState, { addresses: bootstrap.members, newIds: [] });
  const sink = await storage.createSnapshot(metadata);
  for await (const chunk of withHeader({ sessions: [], members: members.toRecord() }, executor.snapshot())) {
    await sink.write(chunk);
  }
  await sink.finish();
  await storage.write({
    hardState: { term: INITIAL_TERM, vote: 0, commit: INITIAL_INDEX },
    snapshot: { metadata, reset: true },
  });
}
