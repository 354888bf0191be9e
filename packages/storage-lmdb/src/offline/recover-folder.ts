/**
 * Makes one node of a cluster that lost its majority for good a cluster of its own: every group in its folder goes on with this
 * node as the only voter. What may be lost by that is in the plan, to be read before.
 *
 * Invariants:
 * A1. Nothing is changed before every group was found to be recoverable.
 * A2. The cluster's new id is durable before the first group changes: interrupted anywhere, the folder speaks to no node of the old cluster,
 *     and the same call again does the rest.
 */
import type { ConfState } from "@raftoral/raft-core";
import { type GroupStorage, type QuorumRecovery, recoverQuorum, replayLog } from "@raftoral/raft-core/storage";
import { StorageError } from "../errors.ts";
import type { Identity } from "../format/records.ts";
import { LmdbEnvironment } from "../lmdb-environment.ts";
import { changeCluster } from "./change-identity.ts";
import { DamageList } from "./damage.ts";
import { listGroups } from "./group-list.ts";
import { ReadOnlyGroup } from "./read-only-group.ts";
import { StoppedFolder } from "./stopped-folder.ts";

/** Options of a recovery. */
export interface RecoverOptions {
  /** Id that the cluster has from then on. Keeping the old one is dangerous: nodes of old may come back and speak to this one. */
  readonly clusterId: string;
  /** Where the node listens from then on, if that changes. */
  readonly address?: string;
}

/** What is done to one group. */
export type GroupRecovery =
  | ({ readonly group: number; readonly kind: "recovered"; readonly lastTerm: number } & QuorumRecovery)
  /** The node is its only voter already. */
  | { readonly group: number; readonly kind: "alone"; readonly lastIndex: number; readonly lastTerm: number }
  /** It was never begun on this node. */
  | { readonly group: number; readonly kind: "empty" };

/** What a recovery did, or would do. */
export interface FolderRecovery {
  readonly identity: Identity;
  readonly clusterId: string;
  readonly groups: readonly GroupRecovery[];
}

/**
 * What {@link recoverFolder} would do; changes nothing. Throws StorageError STORAGE_LOCKED, STORAGE_CORRUPT, STORAGE_IS_BACKUP,
 * and RaftError CONF_CHANGE_INVALID when the node is no member of one of its groups any more.
 */
export async function planRecovery(path: string, options: RecoverOptions): Promise<FolderRecovery> {
  const folder = await StoppedFolder.open(path);
  try {
    const { identity } = folder;
    if (folder.isBackup) {
      const message = `${folder.path}: it is a backup. Restore it with \`raftoral storage restore\`, which does the same.`;
      throw new StorageError("STORAGE_IS_BACKUP", message, { details: { path: folder.path } });
    }
    const damages = new DamageList();
    const listed = listGroups(folder.records, folder.file, damages);
    const [first] = damages.kept;
    if (first !== undefined || identity === undefined) {
      const found =
        first === undefined ? "no node has ever used it" : `group ${first.group}: ${first.record}: ${first.found}`;
      throw new StorageError(
        "STORAGE_CORRUPT",
        `${folder.path}: ${found}. Nothing was changed; use another node's folder.`,
        {
          details: { file: folder.file, record: first?.record ?? "identity", found },
        },
      );
    }
    const groups: GroupRecovery[] = [];
    for (const { group, state } of listed.groups) {
      const storage = new ReadOnlyGroup(folder.records, folder.file, group, state);
      groups.push(await recoverGroup(storage, group, identity, options, true));
    }
    return { identity, clusterId: options.clusterId, groups };
  } finally {
    await folder.close();
  }
}

/** Does it, for every group of the folder. Throws as {@link planRecovery}. */
export async function recoverFolder(path: string, options: RecoverOptions): Promise<FolderRecovery> {
  const plan = await planRecovery(path, options);
  const { nodeId } = plan.identity;
  if (plan.identity.clusterId !== options.clusterId) await changeCluster(path, options.clusterId);
  const environment = await LmdbEnvironment.open({ path, nodeId, clusterId: options.clusterId });
  try {
    for (const { group, kind } of plan.groups) {
      if (kind !== "recovered") continue;
      const storage = await environment.group(group);
      await recoverGroup(storage, group, plan.identity, options, false);
      await storage.close();
    }
  } finally {
    await environment.close();
  }
  return plan;
}

async function recoverGroup(
  storage: GroupStorage,
  group: number,
  { nodeId }: Identity,
  { address }: RecoverOptions,
  dryRun: boolean,
): Promise<GroupRecovery> {
  const lastIndex = storage.lastIndex();
  if (lastIndex === 0) return { group, kind: "empty" };
  const term = storage.term(lastIndex);
  const lastTerm = typeof term === "number" ? term : 0;
  const { confState } = await replayLog(storage, lastIndex);
  if (isAlone(confState, nodeId)) return { group, kind: "alone", lastIndex, lastTerm };
  const recovery = await recoverQuorum(storage, { nodeId, dryRun, ...(address === undefined ? {} : { address }) });
  return { group, kind: "recovered", lastTerm, ...recovery };
}

function isAlone({ voters, learners, votersOutgoing, learnersNext }: ConfState, nodeId: number): boolean {
  return voters.length === 1 && voters[0] === nodeId && [...learners, ...votersOutgoing, ...learnersNext].length === 0;
}
