import { expect, test } from "vitest";
import { type NodeSettings, nodeConfig, SETTING_NAMES } from "./node-config.ts";

const LISTEN = "127.0.0.1:5001";
const THREE = [1, 2, 3].map((nodeId) => ({ nodeId, address: `10.0.0.${nodeId}:5001` }));

test("a listening address is enough: the rest has defaults, and the folder must know the cluster", () => {
  const config = nodeConfig({ listen: LISTEN });
  expect(config.origin).toEqual({ kind: "restart" });
  expect(config.timing.tickMs).toBe(50);
  expect(config.limits.defaultTimeoutMs).toBe(10_000);
  expect(config.joinTimeoutMs).toBe(30_000);
});

test("given timing and limits change only what they name", () => {
  const config = nodeConfig({ listen: LISTEN, timing: { tickMs: 10 }, limits: { maxCommandBytes: 4096 } });
  expect(config.timing).toMatchObject({ tickMs: 10, electionTicks: 10 });
  expect(config.limits).toMatchObject({ maxCommandBytes: 4096, maxPendingProposals: 8192 });
});

test("join takes one address, several, or several in one string", () => {
  const targets = (join: NodeSettings["join"] & {}): unknown => nodeConfig({ listen: LISTEN, join }).origin;
  expect(targets("a:1")).toEqual({ kind: "join", targets: ["a:1"] });
  expect(targets("a:1, b:2")).toEqual({ kind: "join", targets: ["a:1", "b:2"] });
  expect(targets(["a:1", "[::1]:2"])).toEqual({ kind: "join", targets: ["a:1", "[::1]:2"] });
});

test("bootstrap: false is the same as no bootstrap", () => {
  expect(nodeConfig({ listen: LISTEN, bootstrap: false, join: "a:1" }).origin.kind).toBe("join");
});

test("static members say which of them this node is", () => {
  expect(nodeConfig({ listen: LISTEN, members: THREE, nodeId: 2 }).origin).toEqual({
    kind: "members",
    nodeId: 2,
    members: THREE,
  });
});

test("the list of names has every setting of the type", () => {
  const all: Required<NodeSettings> = {
    listen: "",
    advertise: "",
    dataDir: "",
    backupDir: "",
    allowedOrigins: [],
    bootstrap: true,
    join: "",
    members: [],
    nodeId: 1,
    clusterName: "",
    timing: {},
    limits: {},
    workflowLimits: {},
    retention: [],
    queues: {},
    stateLimits: {},
    blobLimits: {},
    transportLimits: {},
    metrics: {},
    tls: false,
    joinTimeoutMs: 1,
    stopTimeoutMs: 1,
  };
  expect([...SETTING_NAMES].sort()).toEqual(Object.keys(all).sort());
});

const mistakes: [name: string, settings: object, message: RegExp][] = [
  ["metrics that are no object", { listen: LISTEN, metrics: "127.0.0.1:9464" }, /Option metrics must be an object/],
  ["an unknown key of metrics", { listen: LISTEN, metrics: { prom: "" } }, /metrics\.prom is not an option/],
  [
    "metrics without a port",
    { listen: LISTEN, metrics: { prometheus: "localhost" } },
    /metrics\.prometheus is "localhost"/,
  ],
  ["no listen", {}, /Option listen is missing/],
  ["listen without a port", { listen: "localhost" }, /not an address. Write host:port/],
  ["a port that does not exist", { listen: "localhost:99999" }, /not an address/],
  ["listen that is no text", { listen: 5001 }, /must be text/],
  ["every interface without advertise", { listen: "0.0.0.0:5001" }, /Option advertise is missing/],
  ["advertise where no node can be reached", { listen: LISTEN, advertise: "0.0.0.0:5001" }, /no node can be reached/],
  ["an empty data folder", { listen: LISTEN, dataDir: "" }, /dataDir is empty/],
  ["bootstrap and join", { listen: LISTEN, bootstrap: true, join: "a:1" }, /bootstrap and join exclude each other/],
  ["join and members", { listen: LISTEN, join: "a:1", members: THREE, nodeId: 1 }, /exclude each other/],
  ["bootstrap that is no boolean", { listen: LISTEN, bootstrap: "yes" }, /must be true or false/],
  ["join to nowhere", { listen: LISTEN, join: [] }, /must be the address of a member/],
  ["join to port 0", { listen: LISTEN, join: "a:0" }, /no node can be reached/],
  ["a node id without members", { listen: LISTEN, nodeId: 1 }, /goes with `members` only/],
  ["members without a node id", { listen: LISTEN, members: THREE }, /nodeId is missing/],
  ["a node id that is no member", { listen: LISTEN, members: THREE, nodeId: 4 }, /not one of the members 1, 2, 3/],
  ["one node twice", { listen: LISTEN, members: [...THREE, THREE[0]], nodeId: 1 }, /names node 1 twice/],
  [
    "one address twice",
    { listen: LISTEN, members: [...THREE, { nodeId: 4, address: "10.0.0.1:5001" }], nodeId: 1 },
    /two nodes at 10.0.0.1:5001/,
  ],
  ["a fractional node id", { listen: LISTEN, members: [{ nodeId: 1.5, address: "a:1" }], nodeId: 1 }, /whole number/],
  [
    "an unknown limit of the transport",
    { listen: LISTEN, transportLimits: { maxFrames: 1 } },
    /transportLimits.maxFrames is not an option/,
  ],
  [
    "a wait that is none",
    { listen: LISTEN, transportLimits: { keepaliveIntervalMs: "1s" } },
    /transportLimits.keepaliveIntervalMs is "1s"/,
  ],
  [
    "a compression that no Node has",
    { listen: LISTEN, transportLimits: { compression: "gzip" } },
    /transportLimits.compression is "gzip"/,
  ],
  ["an unknown limit", { listen: LISTEN, limits: { maxBytes: 1 } }, /limits.maxBytes is not an option/],
  ["a limit of nothing", { listen: LISTEN, limits: { maxPendingProposals: 0 } }, /whole number above 0/],
  [
    "elections as fast as heartbeats",
    { listen: LISTEN, timing: { electionTicks: 2 } },
    /greater than timing.heartbeat/,
  ],
  ["a negative stop timeout", { listen: LISTEN, stopTimeoutMs: -1 }, /stopTimeoutMs is -1/],
  ["a cluster name with spaces", { listen: LISTEN, clusterName: "my cluster" }, /clusterName may have/],
];

test.each(mistakes)("%s is refused", (_name, settings, message) => {
  const act = (): unknown => nodeConfig(settings as NodeSettings);
  expect(act).toThrow(message);
  expect(act).toThrow(expect.objectContaining({ code: "OPTIONS_INVALID", retryable: false }));
});
