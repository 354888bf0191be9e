/** What a seed decides about a run before it begins: how many nodes, which features, which bounds. */
import type { RaftLimits, RaftTiming } from "@raftoral/raft-core";
import { CALM, type Weather } from "../network/weather.ts";
import type { Random } from "./random.ts";

export interface Settings {
  readonly nodes: number;
  readonly clients: number;
  /** Each client keeps to one node for as long as that runs. */
  readonly staysAtNode: boolean;
  /** Registers in use at one time. */
  readonly keys: number;
  /** Milliseconds between a client's operations, at most. */
  readonly thinkMs: number;
  /** Of the operations, how many are reads by ReadIndex. */
  readonly readShare: number;
  readonly timing: RaftTiming;
  readonly limits: Partial<RaftLimits>;
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  readonly readOnly: "safe" | "lease-based";
  /** Heartbeats travel by rosters, as those of many groups do. */
  readonly coalescesHeartbeats: boolean;
  /** How old a state a read may see: 0, unless reads rely on a leader's lease. */
  readonly staleMs: number;
  /** Messages pass through the wire format. */
  readonly throughCodec: boolean;
  /** The storage shows a write before it is durable. */
  readonly seesEarly: boolean;
  /** Of the disks, how many are slow all the time. */
  readonly slowDisks: number;
  /** How long applying a batch takes, at most; 0 for none. */
  readonly applyMs: number;
  /** What the network is like all the time; faults make it worse. */
  readonly weather: Weather;
  /** Milliseconds between two faults, on average. */
  readonly faultGapMs: number;
}

/** The longest that a message is under way, with all faults of the network together. */
const MAX_DELAY_MS = 1_500;

/**
 * A lease as etcd has it is ended by the leader's own check of its quorum, once in an election timeout: a deposed leader may
 * answer for two of them after it was last heard, by a slow clock, and an answer that was under way counts as being heard.
 */
function leaseMs({ electionTicks, tickMs }: RaftTiming): number {
  return (2 * electionTicks * tickMs) / 0.9 + MAX_DELAY_MS;
}

function drawWeather(random: Random): Weather {
  return {
    ...CALM,
    maxDelayMs: random.oneOf(2, 10, 50),
    dropRate: random.oneOf(0, 0.02, 0.1),
    duplicateRate: random.oneOf(0, 0.1, 0.5),
    reorderRate: random.oneOf(0, 0.1, 0.5),
    reorderMs: random.oneOf(10, 100, 800),
  };
}

/** Draws the settings of one run. */
export function drawSettings(random: Random): Settings {
  const checkQuorum = random.chance(0.7);
  const tickMs = random.oneOf(10, 20, 50);
  const electionTicks = random.whole(5, 12);
  const timing = { tickMs, electionTicks, heartbeatTicks: random.whole(1, 2), nodeLostTicks: electionTicks + 2 };
  const readOnly = checkQuorum && random.chance(0.2) ? "lease-based" : "safe";
  const maxMessageBytes = random.oneOf(1, 100, 1_000, 65_536);
  return {
    nodes: random.oneOf(1, 2, 3, 3, 3, 4, 5, 5, 5, 6, 7),
    clients: random.whole(2, 5),
    keys: random.oneOf(1, 3),
    thinkMs: random.oneOf(20, 100, 400),
    readShare: random.oneOf(0.1, 0.4, 0.7),
    timing,
    limits: {
      maxPendingProposals: random.oneOf(4, 64, 8192),
      maxMessageBytes,
      maxInflightMessages: random.oneOf(1, 2, 8, 256),
      maxCommittedBytesPerReady: random.oneOf(1, 200, 1_048_576),
      maxUncommittedBytes: random.oneOf(100, 4_000, 67_108_864),
      snapshotEveryEntries: random.oneOf(5, 20, 100, 20_000),
      keepEntries: random.oneOf(0, 0, 5, 50, 5_000),
    },
    preVote: random.chance(0.6),
    checkQuorum,
    readOnly,
    staleMs: readOnly === "lease-based" ? leaseMs(timing) : 0,
    throughCodec: random.chance(0.15),
    seesEarly: random.chance(0.5),
    applyMs: random.chance(0.3) ? random.between(1, 30) : 0,
    weather: random.chance(0.5) ? CALM : drawWeather(random),
    faultGapMs: random.oneOf(200, 500, 1_500),
    staysAtNode: random.chance(0.5),
    coalescesHeartbeats: random.chance(0.4),
    slowDisks: random.oneOf(0, 0, 0.3, 1),
  };
}
