import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type StateStoreSubject, stateStoreConformance } from "@raftoral/raft-core/testing";
import { describe, it } from "vitest";
import { LmdbEnvironment } from "../lmdb-environment.ts";
import { LmdbStateStore } from "./lmdb-state-store.ts";

async function subject(bufferBytes: number): Promise<StateStoreSubject> {
  const path = await mkdtemp(join(tmpdir(), "raftoral-state-"));
  let environment = await LmdbEnvironment.open({ path });
  return {
    open: async (groupId) => LmdbStateStore.open(environment, groupId, { bufferBytes }),
    restart: async () => {
      await environment.close();
      environment = await LmdbEnvironment.open({ path });
    },
    dispose: async () => {
      await environment.close().finally(() => rm(path, { recursive: true, force: true }));
    },
  };
}

stateStoreConformance("LmdbStateStore", () => subject(1 << 20), { describe, it });
stateStoreConformance("LmdbStateStore with hardly a buffer", () => subject(2_000), { describe, it });
