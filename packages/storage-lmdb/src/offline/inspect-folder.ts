/** What is in the data folder of a stopped node, or in a backup of one, told without changing it. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type ConfState, type NodeAddress, RaftoralError } from "@raftoral/raft-core";
import { replayLog } from "@raftoral/raft-core/storage";
import { storageUsage } from "../folder/storage-usage.ts";
import type { Identity } from "../format/records.ts";
import type { TornTail } from "../journal/journal-end.ts";
import { generationRange } from "../state-store/state-records.ts";
import { type BlobsReport, countBlobs } from "./blob-files.ts";
import { DamageList } from "./damage.ts";
import { type GroupRecords, listGroups } from "./group-list.ts";
import { ReadOnlyGroup, snapshotFileOf } from "./read-only-group.ts";
import { StoppedFolder } from "./stopped-folder.ts";

/** A member as a group's log has it. */
export interface MemberReport extends NodeAddress {
  readonly role: "voter" | "learner";
}

/** The latest snapshot of a group. */
export interface SnapshotReport {
  readonly index: number;
  readonly term: number;
  readonly confState: ConfState;
  /** Of its content; undefined when its file is damaged. */
  readonly bytes: number | undefined;
}

/** The state that is kept beside the log. */
export interface StateReport {
  readonly appliedIndex: number;
  readonly records: number;
  readonly bytes: number;
}

/** One group of a folder. */
export interface GroupReport {
  readonly group: number;
  readonly term: number;
  /** 0: none in this term. */
  readonly vote: number;
  readonly commit: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly lastTerm: number;
  readonly compactedIndex: number;
  readonly snapshot: SnapshotReport;
  /** As of the end of the log. */
  readonly confState: ConfState;
  readonly members: readonly MemberReport[];
  /** Undefined for a group without a state store. */
  readonly state: StateReport | undefined;
  /** Why members cannot be told: the log or the snapshot is damaged. */
  readonly unreadable: string | undefined;
}

/** The result of an inspection. */
export interface FolderReport {
  readonly path: string;
  readonly isBackup: boolean;
  readonly format: number;
  readonly identity: Identity | undefined;
  readonly incarnation: number;
  readonly journal:
    | {
        readonly generation: number;
        readonly fileBytes: readonly [number, number];
        /** Records that LMDB does not hold yet. */
        readonly records: number;
        readonly torn: TornTail | undefined;
      }
    | undefined;
  readonly groups: readonly GroupReport[];
  /** Large values beside the log. */
  readonly blobs: BlobsReport;
  /** Allocated to the folder's files, in bytes. */
  readonly usedBytes: number;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
}

/** Records counted before other work of the event loop gets its turn. */
const RECORDS_PER_TURN = 5_000;

/**
 * Reads a folder whose node does not run. Throws StorageError STORAGE_LOCKED while one does, STORAGE_CORRUPT for what nothing can be told without, STORAGE_FORMAT_UNSUPPORTED,
 * STORAGE_PATH_INVALID. It looks at what it tells and at nothing else: `verifyFolder` looks at everything.
 */
export async function inspectFolder(path: string): Promise<FolderReport> {
  const folder = await StoppedFolder.open(path);
  try {
    const damages = new DamageList();
    const groups: GroupReport[] = [];
    for (const group of listGroups(folder.records, folder.file, damages).groups) {
      groups.push(await inspectGroup(folder, group));
    }
    return {
      path: folder.path,
      isBackup: folder.isBackup,
      format: folder.format,
      identity: folder.identity,
      incarnation: folder.incarnation,
      journal: folder.journal,
      groups,
      blobs: await countBlobs(folder.path),
      usedBytes: (await storageUsage(folder.path)).usedBytes,
      files: await filesOf(folder.path),
    };
  } finally {
    await folder.close();
  }
}

async function inspectGroup(folder: StoppedFolder, { group, state, mark }: GroupRecords): Promise<GroupReport> {
  const { hardState, snapshot } = state;
  const storage = new ReadOnlyGroup(folder.records, folder.file, group, state);
  const file = await snapshotFileOf(folder.file, group, state);
  const { lastTerm, confState, members, unreadable } = await endOf(storage);
  return {
    group,
    ...hardState,
    firstIndex: storage.firstIndex(),
    lastIndex: state.lastIndex,
    lastTerm,
    compactedIndex: state.compactedIndex,
    snapshot: { ...snapshot, bytes: typeof file === "string" ? undefined : (file?.totalBytes ?? 0) },
    confState,
    members,
    state: mark === undefined ? undefined : await countState(folder, group, mark.generation, mark.appliedIndex),
    unreadable,
  };
}

/** How the group stands at the end of its log. */
async function endOf(
  storage: ReadOnlyGroup,
): Promise<Pick<GroupReport, "lastTerm" | "confState" | "members" | "unreadable">> {
  const { confState: atSnapshot } = storage.state.snapshot;
  try {
    const lastTerm = storage.term(storage.lastIndex());
    const { confState, members } = await replayLog(storage, storage.lastIndex());
    const addresses = new Map(members.toRecord().addresses.map(({ nodeId, address }) => [nodeId, address]));
    const ids = [
      ...new Set([...confState.voters, ...confState.votersOutgoing, ...confState.learners, ...confState.learnersNext]),
    ];
    const voters = new Set([...confState.voters, ...confState.votersOutgoing]);
    return {
      lastTerm: typeof lastTerm === "number" ? lastTerm : 0,
      confState,
      members: ids
        .sort((a, b) => a - b)
        .map((nodeId) => ({
          nodeId,
          address: addresses.get(nodeId) ?? "",
          role: voters.has(nodeId) ? "voter" : "learner",
        })),
      unreadable: undefined,
    };
  } catch (error) {
    if (!(error instanceof RaftoralError)) throw error;
    return { lastTerm: 0, confState: atSnapshot, members: [], unreadable: error.message };
  }
}

async function countState(
  folder: StoppedFolder,
  group: number,
  generation: number,
  appliedIndex: number,
): Promise<StateReport> {
  let records = 0;
  let bytes = 0;
  const { start, end } = generationRange(group, generation, generation + 1);
  let next: Buffer | undefined = start;
  while (next !== undefined) {
    next = folder.records.visit({ start: next, end }, RECORDS_PER_TURN, (key, value) => {
      records += 1;
      bytes += key.length + value.length;
    });
    await new Promise<void>((resume) => setImmediate(resume));
  }
  return { appliedIndex, records, bytes };
}

async function filesOf(path: string): Promise<FolderReport["files"]> {
  const found = await readdir(path, { recursive: true, withFileTypes: true });
  const files = found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/[\\/](owner[\\/].*|lock\.mdb|blobs[\\/].*)$/.test(file));
  const sized = files.map(async (file) => ({ name: file.slice(path.length + 1), bytes: (await stat(file)).size }));
  return (await Promise.all(sized)).sort((a, b) => (a.name < b.name ? -1 : 1));
}
