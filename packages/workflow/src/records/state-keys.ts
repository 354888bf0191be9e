/**
 * Keys of the records that make up the state. A letter, then numbers of seven bytes, big-endian, so that records sort by them.
 *
 * | record | key | value |
 * |---|---|---|
 * | header     | `m` | clock, last epoch, how many runs there are, and whose |
 * | node       | `n node` | one registered node |
 * | id         | `d run id` | start index of the run |
 * | run        | `r start` | the run, without what may be large |
 * | input      | `i start` | what it was started with, unless that is nothing |
 * | outcome    | `e start` | how it ended |
 * | archive    | `a start` | all checkpoints of a run that has ended, unless they are many or large |
 * | checkpoint | `c start hash probe` | one checkpoint; of a run that has ended, if it has no archive |
 * | progress   | `p start hash` | steps under way that have failed attempts or heartbeat details |
 * | signal     | `s start number` | one signal that waits for it |
 * | seated     | `o seat place` | nothing: a running run on this seat, by when it was created |
 * | waiting    | `w version type level place` | nothing: a running run that waits for a node that can execute this, by when it was created |
 * | stuck      | `t start` | nothing: a run that has not ended and is not to be executed |
 * | delayed    | `O order due start` | nothing: a run that is not to begin before it is due, by when that is; delays and times of day apart |
 * | held       | `h version type held start` | nothing: a stuck run whose code does not fit, by the place where it was held |
 * | vacated    | `v seat` | whose seat it was, while runs are left on it |
 * | ended      | `f place` | nothing: a run that has ended, by when it ended |
 * | remains    | `g start` | nothing: a run that was pruned and of which checkpoints, progress or streams are left |
 * | stream     | `q start name` | one stream of the run: where it begins and ends |
 * | batch      | `b start stream offset` | chunks of a stream that one entry of the log brought |
 * | latest     | `l start hash probe` | which record of a variable is the latest one |
 * | scope      | `k start stream hash probe` | how many chunks of a stream the body has written in one scope |
 * | child      | `y family start` | a running child of the parent whose first generation is `family` |
 * | closing    | `x family` | a parent that has ended, and whose running children have not all been told |
 * | update     | `j start id` | one update of the run: pending, under way, or answered and remembered |
 * | place      | `z start place` | the id of the update that was answered at this place, while it is remembered |
 * | owed       | `I start number` | the answer to an update of a run, for the run that called it with that |
 * | report     | `u start` | a child that has ended, and whose parent has not heard of it |
 * | change     | `J start position` | what the run's attributes were before a change of them |
 * | created    | `A place` | nothing: a run, by when it was created |
 * | by status  | `B status type place` | nothing: a run of this status and type, by when it was created |
 * | by end     | `C status type place` | nothing: a run of this type that has ended so, by when it ended |
 * | by fact    | `D fact place` | nothing: a run of this parent or value of an attribute, by when it was created |
 * | schedule   | `P id`  | what changes of a schedule |
 * | due        | `Q due id` | a schedule for which there is something to do, by when that is |
 * | settings   | `R id`  | what a schedule starts, and when |
 * | counts     | `E c type` | how many runs of a type have which status |
 * | queue      | `K q name` | a queue: its limits, and how many runs are where |
 * | queue key  | `K k queue key` | one key of a queue that has runs in it |
 * | ready      | `K r queue lane priority turn key` | a key of which a run of the lane may be let through |
 * | parked     | `K p queue key` | a key that has as many runs as one may have |
 * | queued     | `L w queue key lane priority place start` | nothing: a run that waits for its turn |
 * | unplaced   | `L u queue lane place` | nothing: a run that was let through and that no node can take |
 * | put off    | `L d time start` | nothing: a run that is put off until a time |
 * | dedupe     | `K d queue key` | start of the run that has a key for which another start gives it |
 * | blob       | `F hash holder` | how long a blob is that the holder names: `r start` for a run, `s id` for a schedule, `o` and its key for an answer that is owed |
 * | blob of run | `H start hash` | nothing: the run names this blob |
 *
 * | lock       | `M l name` | a lock or a limiter |
 * | waiter     | `M w name ticket` | an ask that waits for a lock |
 * | holder     | `M h name token` | an ask that holds a lock |
 * | request    | `M r name request` | where the ask of service code is, and its lease |
 * | lock count | `M c` | how many locks there are |
 * | lock of run | `N r start path` | where an ask of a run is |
 * | due lock   | `N d name` | a lock of which something may be granted |
 *
 * A place in an index is three numbers: a time, what tells runs of that time apart, and the run's start (index-keys.ts).
 *
 * A run is named by the place of its start in the log, which no other has, even one of the same id. A checkpoint is found by a hash of
 * its path, of which two may be alike: the second one takes the next probe. So is the count of a scope, and the entry of a variable by its name. A run's streams are numbered from 1.
 */
import type { StateKey } from "@raftoral/raft-core";

/** The numbers' width: seven bytes hold every safe integer. */
const NUMBER_BYTES = 7;
const TWO_28 = 0x1000_0000;

export const HEADER_KEY: StateKey = "m";

/** A safe integer from 0 on, as seven characters. */
export function numberKey(value: number): StateKey {
  const low = value % TWO_28;
  const high = (value - low) / TWO_28;
  // 28 bits each: the lower half has three and a half bytes.
  return String.fromCharCode(
    high >>> 20,
    (high >>> 12) & 0xff,
    (high >>> 4) & 0xff,
    ((high & 0xf) << 4) | (low >>> 24),
    (low >>> 16) & 0xff,
    (low >>> 8) & 0xff,
    low & 0xff,
  );
}

/** The number that {@link numberKey} wrote at `at`. */
export function numberIn(key: StateKey, at: number): number {
  let value = 0;
  for (let i = at; i < at + NUMBER_BYTES; i++) value = value * 256 + key.charCodeAt(i);
  return value;
}

/** The number at the end of a key. */
export function lastNumberIn(key: StateKey): number {
  return numberIn(key, key.length - NUMBER_BYTES);
}

export const KEY_PREFIX = Object.freeze({
  node: "n",
  id: "d",
  run: "r",
  input: "i",
  outcome: "e",
  archive: "a",
  history: "c",
  progress: "p",
  signal: "s",
  seated: "o",
  waiting: "w",
  stuck: "t",
  held: "h",
  delayed: "O",
  schedule: "P",
  scheduleDue: "Q",
  scheduleSettings: "R",
  vacated: "v",
  ended: "f",
  remains: "g",
  stream: "q",
  streamBatch: "b",
  streamScope: "k",
  latest: "l",
  child: "y",
  closing: "x",
  report: "u",
  update: "j",
  updatePlace: "z",
  created: "A",
  byStatus: "B",
  byEnd: "C",
  byFact: "D",
  counts: "Ec",
  owed: "I",
  attributeChange: "J",
  queue: "Kq",
  queueKey: "Kk",
  queueReady: "Kr",
  queueParked: "Kp",
  queued: "Lw",
  unplaced: "Lu",
  putOff: "Ld",
  queueDedupe: "Kd",
  queues: "K",
  audit: "Ga",
  tombstone: "Gi",
  tombstoneAge: "Go",
  pausedType: "Gp",
  sizing: "Gs",
  lock: "Ml",
  lockWaiter: "Mw",
  lockHolder: "Mh",
  lockRequest: "Mr",
  lockCount: "Mc",
  locks: "M",
  lockOfRun: "Nr",
  lockDue: "Nd",
  lockPlaces: "N",
  blob: "F",
  blobOfRun: "H",
});

/** Where runs are found that have not ended: each is in one of these places. */
export const OPEN_PLACES: readonly string[] = Object.freeze([
  KEY_PREFIX.seated,
  KEY_PREFIX.waiting,
  KEY_PREFIX.stuck,
  KEY_PREFIX.held,
  KEY_PREFIX.queued,
  KEY_PREFIX.unplaced,
  KEY_PREFIX.delayed,
  KEY_PREFIX.putOff,
]);

/** Keys of all records of a kind that have `number` next: `[start, end)`. */
export function rangeOf(kind: string, number: number): readonly [start: StateKey, end: StateKey] {
  return [kind + numberKey(number), kind + numberKey(number + 1)];
}

/** Keys of all records of a kind. */
export function kindRange(kind: string): readonly [start: StateKey, end: StateKey] {
  const last = kind.length - 1;
  return [kind, kind.slice(0, last) + String.fromCharCode(kind.charCodeAt(last) + 1)];
}

/** What the keys of all runs begin with that wait for a type and version with these behaviours. */
export function waitingPrefix(type: string, version: number, behaviourLevel: number): StateKey {
  return KEY_PREFIX.waiting + typeKey(type, version) + numberKey(behaviourLevel);
}

/** What the keys of all delayed runs begin with: of delays, or of times of day. When they are due follows. */
export function delayedPrefix(isDelay: boolean): StateKey {
  return KEY_PREFIX.delayed + (isDelay ? "d" : "t");
}

/** What the keys of all runs begin with that are held because the code of a type and version does not fit them: the number of their behaviours follows. */
export function heldPrefix(type: string, version: number): StateKey {
  return KEY_PREFIX.held + typeKey(type, version);
}

function typeKey(type: string, version: number): StateKey {
  return numberKey(version) + lengthAndText(type);
}

/** A text that is followed by something: how many bytes it has, and these. */
export function lengthAndText(text: string): StateKey {
  const bytes = textKey(text);
  return String.fromCharCode(bytes.length >>> 8, bytes.length & 0xff) + bytes;
}

/** The key of the counts of a type. */
export function countsKey(type: string): StateKey {
  return KEY_PREFIX.counts + textKey(type);
}

/** Keys of all records that begin with a prefix and have one more number: `[start, end)`. */
export function suffixRange(prefix: StateKey): readonly [start: StateKey, end: StateKey] {
  return [prefix, prefix + BEYOND_NUMBERS];
}

const BEYOND_NUMBERS = "\u00ff".repeat(NUMBER_BYTES);

const encoder = new TextEncoder();

/** The key of a run's id: its UTF-8, for a key's characters are bytes. */
export function idKey(runId: string): StateKey {
  return KEY_PREFIX.id + textKey(runId);
}

/** The key of what is left of a run of this id that was pruned. */
export function tombstoneKey(runId: string): StateKey {
  return KEY_PREFIX.tombstone + textKey(runId);
}

/** The key by which the tombstones are in the order of their age. */
export function tombstoneAgeKey(prunedUptimeMs: number, startIndex: number): StateKey {
  return KEY_PREFIX.tombstoneAge + numberKey(prunedUptimeMs) + numberKey(startIndex);
}

/** A text as keys have it: its UTF-8, for a key's characters are bytes. */
export function textKey(text: string): StateKey {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) >= 0x80) return byteText(encoder.encode(text));
  }
  return text;
}

function byteText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Key of the checkpoint at a path with this hash, or of the `probe`-th other one. `start` is a {@link numberKey}. */
export function historyKey(start: StateKey, hash: number, probe: number): StateKey {
  const key = KEY_PREFIX.history + start + hashKey(hash);
  return probe === 0 ? key : key + numberKey(probe);
}

function hashKey(hash: number): StateKey {
  return String.fromCharCode(hash >>> 24, (hash >>> 16) & 0xff, (hash >>> 8) & 0xff, hash & 0xff);
}

/** Key of the progress of the steps whose paths have this hash. `start` is a {@link numberKey}. */
export function progressKey(start: StateKey, hash: number): StateKey {
  return KEY_PREFIX.progress + start + hashKey(hash);
}

/** Key of a run's stream. `start` is a {@link numberKey}. */
export function streamKey(start: StateKey, name: string): StateKey {
  return KEY_PREFIX.stream + start + textKey(name);
}

/** Key of the batch of a stream that begins at `offset`. */
export function streamBatchKey(start: StateKey, stream: number, offset: number): StateKey {
  return KEY_PREFIX.streamBatch + start + numberKey(stream) + numberKey(offset);
}

/** Key of the count of a scope whose name has this hash, or of the `probe`-th other one. */
export function streamScopeKey(start: StateKey, stream: number, hash: number, probe: number): StateKey {
  return KEY_PREFIX.streamScope + start + numberKey(stream) + numberKey(hash) + (probe === 0 ? "" : numberKey(probe));
}

/** Key of the entry of the variable whose name has this hash, or of the `probe`-th other one. `start` is a {@link numberKey}. */
export function latestKey(start: StateKey, hash: number, probe: number): StateKey {
  return KEY_PREFIX.latest + start + numberKey(hash) + numberKey(probe);
}

/** Key of the update of this id. `start` is a {@link numberKey}. */
export function updateKey(start: StateKey, id: string): StateKey {
  return KEY_PREFIX.update + start + textKey(id);
}

/** Key of the place of an answered update. Both are {@link numberKey}s. */
export function updatePlaceKey(start: StateKey, place: StateKey): StateKey {
  return KEY_PREFIX.updatePlace + start + place;
}

/** FNV-1a over UTF-16 units, 32 bits. */
export function pathHash(path: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < path.length; i++) hash = Math.imul(hash ^ path.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
