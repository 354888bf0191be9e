// @module-tag slow

// The suite of the workflow API, on clusters whose nodes and clients encrypt and compress every value: callers see no difference.
import { compression } from "../codecs/compression.ts";
import { encryption } from "../codecs/encryption.ts";
import { clientSubject, nodeSubject } from "../testing/conformance-subjects.ts";
import { workflowsConformance } from "../testing/workflows-conformance.ts";

const payloadCodec = [
  // Values that are too large stay so.
  compression({ thresholdBytes: 64, maxBytes: 16 * 1024 }),
  encryption({ keys: { k1: new Uint8Array(32).fill(1) }, activeKeyId: "k1" }),
];

workflowsConformance("a node in memory that encrypts", () => nodeSubject("memory", payloadCodec));
workflowsConformance("a client that encrypts", () => clientSubject("follower", payloadCodec));
