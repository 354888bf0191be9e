import { MemoryStateStore } from "@raftoral/raft-core";
import { expect, test } from "vitest";
import { HEADER_KEY } from "../../records/state-keys.ts";
import { restoredFrom, StateLog } from "../../testing/state-log.ts";
import { decodeHeader } from "../state-header.ts";
import { SnapshotDecoder } from "./decode-snapshot.ts";
import { SNAPSHOT_FORMAT_VERSION } from "./snapshot-format.ts";

test("a snapshot of another format is refused, and says which formats there are", () => {
  const log = new StateLog();
  log.register(1);
  const [whole] = [...log.state.capture(4096)];
  for (const version of [SNAPSHOT_FORMAT_VERSION - 1, SNAPSHOT_FORMAT_VERSION + 1]) {
    const other = Uint8Array.from(whole ?? []);
    other[4] = version;
    const decoder = new SnapshotDecoder(new MemoryStateStore().replace());
    expect(() => decoder.push(other)).toThrow(
      expect.objectContaining({ code: "SNAPSHOT_INVALID", message: expect.stringContaining(`${version}`) }),
    );
  }
});

test("stored state of another format is refused", () => {
  const store = new MemoryStateStore();
  // Field 1, the format: one.
  store.put(HEADER_KEY, Uint8Array.of(8, 1));
  expect(() => decodeHeader(store.get(HEADER_KEY))).toThrow(
    expect.objectContaining({ code: "STATE_FORMAT_UNSUPPORTED" }),
  );
});

test("a snapshot in which a run is on a seat that no node holds or has vacated is refused", () => {
  const log = new StateLog();
  log.register(1);
  log.start("a");
  expect(restoredFrom(log.state).summary("a")).toMatchObject({ owner: 1 });
  const bytes = Buffer.concat([...log.state.capture(4096)]);
  // The node's seat is its last field: number 5, the place of its registration in the log.
  const at = bytes.indexOf(Uint8Array.of(0x28, 1));
  bytes[at + 1] = 9;
  const decoder = new SnapshotDecoder(new MemoryStateStore().replace());
  expect(() => decoder.push(bytes)).toThrow(expect.objectContaining({ code: "SNAPSHOT_INVALID" }));
});
