/** A module as `raftoral --codec` loads it: compression, and encryption with the keys that RAFTORAL_TEST_KEYS names; the last one encrypts. */
import { createHash } from "node:crypto";
import { compression, encryption } from "raftoral/codecs";

const ids = (process.env.RAFTORAL_TEST_KEYS ?? "k1").split(",");
const keys = Object.fromEntries(ids.map((id) => [id, createHash("sha256").update(id).digest()]));

export default [compression({ thresholdBytes: 200 }), encryption({ keys, activeKeyId: ids.at(-1) ?? "" })];
