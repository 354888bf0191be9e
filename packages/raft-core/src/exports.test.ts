import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";

// The exports of each entry of the package. Adding or removing a name is a decision: change the list with it.

const USERS = `
  AnyExecutor Bootstrap CallOptions Cancel Clock ClusterDefaults ClusterEvent ClusterProbe ClusterStatus ClusterTransport CommandExecutor
  CommandOf CommittedCommand ConfState DEFAULT_LIMITS DEFAULT_TIMING EMPTY_BYTES EMPTY_CONF_STATE GroupId InvariantViolation LeaderChange
  LogIndex Logger MAX_STATE_KEY_BYTES MemberChange MemberProgress MemoryStateStore MemoryStateStoreOptions MemoryStorage
  MemoryStorageContents NONE NodeAddress NodeId RaftCluster RaftClusterOptions RaftError RaftErrorCode RaftLimits RaftRole RaftTiming
  RaftoralError RaftoralErrorOptions ResultOf Rng SnapshotContent SnapshotMetadata SnapshotTransferStatus StateKey StateReader StateRecord
  StateReplacement StateStore StateView Term TransportError TransportErrorCode backgroundClock brand invariant platformClock platformRng
  BlobHash BlobName BlobStore BlobUsage MemoryBlobStore MemoryBlobStoreOptions StoredBlob isBlobHash seededRng silentLogger`;

const ENTRIES: Readonly<Record<string, string>> = {
  "index.ts": USERS,
  "core.ts": `
    BasicStatus ConfChange ConfChangeSingle ConfChangeTransition ConfChangeType ConfChangeV2 Config DropReason Entry EntryType HardState
    LOCAL_APPEND_THREAD LOCAL_APPLY_THREAD LocalMessageType LogStorage Message MessageType Missing Outcome PeerMessageType Proposal
    ProposeOutcome RawNode ReadOnlyOption ReadState Ready RefusalReason Snapshot SoftState Status StepOutcome checkConfChange
    encodeConfChange encodeConfChangeV2 message readConfChange`,
  "transport.ts": `
    ClusterRegistry MAX_PEER_REQUEST_BYTES FixedContent GroupChannel GroupDescription GroupReceiver Message MessageType NodeDirectory NodeDirectoryListener
    PeerMessageType PeerTransport SnapshotStream decodePeerMessage encodeMessage joinedCrc32 message messageSize removedFrom
    writeMessage`,
  "storage.ts": `
    Entry EntryType FixedContent GroupStorage HardState LogStorage Missing QuorumRecovery QuorumRecoveryOptions RecordLayer RecordLayers RecordView
    Snapshot SnapshotSink SnapshotStream WriteBatch checkEntries countWithin entrySize joinedCrc32 recoverQuorum replayLog`,
  "wire/index.ts": `
    FIXED32 FIXED64 LENGTH_DELIMITED NumberRefusal VARINT WireReader WireRefusal WireWriter malformed varintBytes writeVarint`,
  "testing/index.ts": `
    Argument BlobStoreSubject blobStoreConformance Directive EDIT_KINDS Edit InteractionEnvironment InteractionOptions Mismatch RecordingReceiver ScriptError ScriptOutcome
    ScriptRunner StateStoreSubject StorageSubject TestFunctions TransportSubject confChangeScript damaged describeEntry describeMessage
    describeReady describeSnapshot fixedContent interactionScript numbered parseScript quorumScript runScript sendUntilReceived
    snapshotAnnouncement stateStoreConformance storageConformance transportConformance`,
};

/** The names in the `export { ... } from` statements of an entry, types included. */
async function exportsOf(entry: string): Promise<readonly string[]> {
  const text = await readFile(join(import.meta.dirname, entry), "utf8");
  return [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap((match) =>
    String(match[1])
      .split(",")
      .map((name) => name.trim().replace(/^type /, ""))
      .filter((name) => name !== ""),
  );
}

function sorted(names: readonly string[]): readonly string[] {
  return [...names].sort();
}

function listed(entry: string): readonly string[] {
  return sorted(String(ENTRIES[entry]).trim().split(/\s+/));
}

test.each(Object.keys(ENTRIES))("%s offers what is listed here", async (entry) => {
  expect(sorted(await exportsOf(entry))).toEqual(listed(entry));
});

test.each(Object.keys(ENTRIES))("%s exports nothing in another way than by a list", async (entry) => {
  const names = await exportsOf(entry);
  const loaded: object = await import(join(import.meta.dirname, entry));
  expect(names).toEqual(expect.arrayContaining(Object.keys(loaded)));
});

test("what users import is behind no other entry", async () => {
  const users = new Set(await exportsOf("index.ts"));
  for (const entry of Object.keys(ENTRIES).slice(1)) {
    expect((await exportsOf(entry)).filter((name) => users.has(name))).toEqual([]);
  }
});
