// @module-tag slow

// The suites of the API, against every implementation.
import { clusterConformance } from "../testing/cluster-conformance.ts";
import { clientSubject, nodeSubject, type Subject } from "../testing/conformance-subjects.ts";
import { workflowsConformance } from "../testing/workflows-conformance.ts";

const IMPLEMENTATIONS: readonly [name: string, open: () => Promise<Subject>][] = [
  ["a node in memory", () => nodeSubject("memory")],
  ["a node with a data folder, over gRPC", () => nodeSubject("grpc")],
  ["a client of the leader", () => clientSubject("leader")],
  ["a client of a follower", () => clientSubject("follower")],
];

for (const [name, open] of IMPLEMENTATIONS) {
  workflowsConformance(name, open);
  clusterConformance(name, open);
}
