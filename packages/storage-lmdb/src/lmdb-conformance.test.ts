import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type StorageSubject, storageConformance } from "@raftoral/raft-core/testing";
import { describe, test } from "vitest";
import type { FlushMode } from "./commit/flush-pace.ts";
import { LmdbEnvironment } from "./lmdb-environment.ts";

async function subject(flush: FlushMode, cacheBytesPerGroup: number): Promise<StorageSubject> {
  const path = await mkdtemp(join(tmpdir(), "raftoral-lmdb-"));
  let failing = false;
  const beforeCommit = () => {
    if (failing) throw new Error("injected");
  };
  const open = () => LmdbEnvironment.open({ path, flush, cacheBytesPerGroup, beforeCommit });
  let environment = await open();
  return {
    open: (groupId) => environment.group(groupId),
    restart: async () => {
      await environment.close();
      failing = false;
      environment = await open();
    },
    failNextWrite: () => {
      failing = true;
    },
    dispose: async () => {
      await environment.close().finally(() => rm(path, { recursive: true, force: true }));
    },
  };
}

storageConformance("LmdbEnvironment", () => subject("auto", 1 << 23), { describe, test });
storageConformance("LmdbEnvironment, flushing in the background", () => subject("background", 1 << 23), {
  describe,
  test,
});
storageConformance("LmdbEnvironment, without a cache", () => subject("blocking", 0), { describe, test });
