/** Data folders for tests of the offline tools: two groups with a log, a snapshot and a state store. */
import type { ConfState } from "@raftoral/raft-core";
import type { GroupStorage } from "@raftoral/raft-core/storage";
import { LmdbEnvironment, type LmdbEnvironmentOptions } from "../lmdb-environment.ts";
import { testEntries } from "./entries.ts";

/** Node 1's, of a cluster of three. */
export const SAMPLE_IDENTITY = { nodeId: 1, clusterId: "sample-1" } as const;
export const SAMPLE_GROUPS = [1, 7] as const;
/** The last entry of each group; the last fifth is in the journal only, unless the environment is closed. */
export const SAMPLE_LAST = 250;

const CONF_STATE: ConfState = {
  voters: [1, 2, 3],
  learners: [],
  votersOutgoing: [],
  learnersNext: [],
  autoLeave: false,
};

/** Opens a data folder as node 1 of the sample's cluster. It makes no checkpoint when idle. */
export function openSample(path: string, options: Partial<LmdbEnvironmentOptions> = {}): Promise<LmdbEnvironment> {
  return LmdbEnvironment.open({ path, ...SAMPLE_IDENTITY, checkpointIdleMs: 1_000_000, ...options });
}

/** Fills a new folder, and leaves it open. */
export async function sampleFolder(path: string): Promise<LmdbEnvironment> {
  const environment = await openSample(path);
  await environment.setIdentity(SAMPLE_IDENTITY);
  for (const groupId of SAMPLE_GROUPS) {
    const group = await environment.group(groupId);
    await takeSnapshot(group, { index: 1, term: 1, reset: true });
    const store = environment.state(groupId);
    for (let index = 2; index <= SAMPLE_LAST; index += 10) {
      const entries = testEntries(index, Math.min(index + 10, SAMPLE_LAST + 1), 1, index % 100 === 2 ? 9_000 : 120);
      await group.write({ entries, hardState: { term: 1, vote: 1, commit: index } });
      for (const entry of entries) store.put(`key-${entry.index}`, entry.data.subarray(0, 40));
      store.commit(entries.at(-1)?.index ?? index);
      if (index === 202) await environment.checkpoint();
    }
  }
  return environment;
}

/** A snapshot of some hundred thousand bytes, with the driver's header before them. */
export async function takeSnapshot(
  group: GroupStorage,
  { index, term, reset = false }: { readonly index: number; readonly term: number; readonly reset?: boolean },
): Promise<void> {
  const metadata = { index, term, confState: CONF_STATE };
  const sink = await group.createSnapshot(metadata);
  const addresses = CONF_STATE.voters.map((nodeId) => ({ nodeId, address: `10.0.0.${nodeId}:5001` }));
  const header = Buffer.from(JSON.stringify({ version: 1, sessions: [], members: { addresses, highestNodeId: 3 } }));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(header.length);
  for (const chunk of [length, header, Buffer.alloc(600_000, index & 0xff)]) await sink.write(chunk);
  await sink.finish();
  const hardState = reset ? { hardState: { term, vote: 1, commit: index } } : {};
  await group.write({ ...hardState, snapshot: { metadata, reset } });
}
