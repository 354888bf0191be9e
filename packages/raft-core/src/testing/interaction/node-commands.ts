/** `add-nodes` and `compact`. */
import type { Config } from "../../config.ts";
import { seededRng } from "../../ports/rng.ts";
import { RawNode } from "../../raw-node.ts";
import { EMPTY_BYTES, type LogIndex, type NodeId, type Snapshot } from "../../types.ts";
import {
  type Argument,
  parseBool,
  parseWhole,
  ScriptError,
  singleValue,
  wholeValues,
} from "../datadriven/arguments.ts";
import { bareAt, firstNodeId, withValues } from "./command-arguments.ts";
import { CommandError } from "./command-error.ts";
import type { Command } from "./interaction-group.ts";
import { InteractionStorage } from "./interaction-storage.ts";
import { printLog } from "./print-commands.ts";

/** `electionTicks` of every node. */
export const ELECTION_TICKS = 3;
/** `heartbeatTicks` of every node. */
export const HEARTBEAT_TICKS = 1;
/** High enough to have no effect. */
const MAX_INFLIGHT = 2 ** 31 - 1;

/** The options of `add-nodes`, while they are read. */
interface NewNodes {
  voters: NodeId[];
  learners: NodeId[];
  index: LogIndex;
  content: Uint8Array;
  config: { -readonly [Key in keyof Config]?: Config[Key] };
}

const OPTIONS: Readonly<Record<string, (nodes: NewNodes, argument: Argument) => void>> = {
  voters: (nodes, argument) => {
    nodes.voters = wholeValues(argument);
  },
  learners: (nodes, argument) => {
    nodes.learners = wholeValues(argument);
  },
  index: (nodes, argument) => {
    nodes.index = parseWhole(singleValue(argument));
    nodes.config.applied = nodes.index;
  },
  content: (nodes, argument) => {
    nodes.content = new TextEncoder().encode(singleValue(argument));
  },
  inflight: ({ config }, argument) => {
    config.maxInflightMessages = parseWhole(singleValue(argument));
  },
  "async-storage-writes": ({ config }, argument) => {
    config.asyncStorageWrites = parseBool(singleValue(argument));
  },
  prevote: ({ config }, argument) => {
    config.preVote = parseBool(singleValue(argument));
  },
  checkquorum: ({ config }, argument) => {
    config.checkQuorum = parseBool(singleValue(argument));
  },
  "max-committed-size-per-ready": ({ config }, argument) => {
    const bytes = parseWhole(singleValue(argument));
    if (bytes > 0) config.maxCommittedBytesPerReady = bytes;
  },
  "disable-conf-change-validation": ({ config }, argument) => {
    config.disableConfChangeValidation = parseBool(singleValue(argument));
  },
  "read-only": ({ config }, argument) => {
    const option = singleValue(argument);
    if (option !== "safe" && option !== "lease-based") throw new CommandError(`invalid read-only option "${option}"`);
    config.readOnly = option;
  },
  "step-down-on-removal": ({ config }, argument) => {
    config.stepDownOnRemoval = parseBool(singleValue(argument));
  },
};

const addNodes: Command = (env, directive) => {
  const nodes: NewNodes = { voters: [], learners: [], index: 0, content: EMPTY_BYTES, config: {} };
  for (const argument of withValues(directive)) {
    const option = OPTIONS[argument.key];
    if (option === undefined) throw new ScriptError(`add-nodes does not know ${argument.key}`);
    option(nodes, argument);
  }
  const first = firstSnapshot(nodes);
  const stepsDownAtOnce = env.likeEtcd && nodes.config.stepDownOnRemoval === true;
  if (stepsDownAtOnce) nodes.config.stepDownOnRemoval = false;
  for (let left = parseWhole(bareAt(directive, 0)); left > 0; left--) {
    const id = env.nodes.length + 1;
    const storage = new InteractionStorage(first);
    const raw = new RawNode({
      electionTicks: ELECTION_TICKS,
      heartbeatTicks: HEARTBEAT_TICKS,
      maxMessageBytes: Number.POSITIVE_INFINITY,
      maxInflightMessages: MAX_INFLIGHT,
      ...nodes.config,
      id,
      storage,
      rng: seededRng(id),
    });
    const asyncStorageWrites = nodes.config.asyncStorageWrites ?? false;
    env.nodes.push({ id, raw, storage, asyncStorageWrites, stepsDownAtOnce, appendWork: [], applyWork: [] });
  }
};

/** The first snapshot of every new node: at index 0, or at term 1. */
function firstSnapshot({ voters, learners, index, content }: NewNodes): Snapshot {
  const isEmpty = voters.length === 0 && learners.length === 0 && index === 0 && content.length === 0;
  if (!isEmpty && index <= 1) throw new CommandError("index must be specified as > 1 due to bootstrap");
  const confState = { voters, learners, votersOutgoing: [], learnersNext: [], autoLeave: false };
  return { metadata: { confState, index, term: isEmpty ? 0 : 1 }, data: content };
}

const compact: Command = (env, directive) => {
  const node = env.node(firstNodeId(directive));
  node.storage.compact(parseWhole(bareAt(directive, 1)));
  printLog(env, node);
};

/** The commands by name. */
export const nodeCommands: Readonly<Record<string, Command>> = { "add-nodes": addNodes, compact };
