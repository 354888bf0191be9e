import { createHash } from "node:crypto";
import { describe, test } from "vitest";
import { blobStoreConformance } from "../testing/conformance/blob-store-conformance.ts";
import { MemoryBlobStore } from "./memory-blob-store.ts";

const hashOf = (parts: readonly Uint8Array[]): string => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

blobStoreConformance(
  "MemoryBlobStore",
  () => {
    const store = new MemoryBlobStore({ hash: hashOf });
    return { store, hash: (bytes) => hashOf([bytes]), dispose: () => store.close() };
  },
  { describe, test },
);
