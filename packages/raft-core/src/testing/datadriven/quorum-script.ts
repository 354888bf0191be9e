/** Runs scripts about quorums: `committed` and `vote` over a majority or a joint configuration. */
import { JointConfig } from "../../quorum/joint.ts";
import {
  type AckedIndexer,
  describeMajority,
  majorityCommittedIndex,
  majorityVoteResult,
} from "../../quorum/majority.ts";
import { NodeSet } from "../../quorum/node-set.ts";
import type { LogIndex, NodeId } from "../../types.ts";
import { parseWhole, ScriptError, wholeValues } from "./arguments.ts";
import type { ScriptRunner } from "./run-script.ts";
import type { Directive } from "./script.ts";

/** A runner of such scripts. Directives are independent of each other. */
export function quorumScript(): ScriptRunner {
  return (directive) => {
    const question = readQuestion(directive);
    switch (directive.command) {
      case "committed":
        return committed(question);
      case "vote":
        return vote(question);
      default:
        throw new ScriptError(`unknown command: ${directive.command}`);
    }
  };
}

interface Question {
  readonly config: JointConfig;
  /** Whether the directive names an outgoing half, which may be empty. */
  readonly joint: boolean;
  /** The value of each voter, except those marked `_`. */
  readonly said: ReadonlyMap<NodeId, string>;
}

function readQuestion({ command, args }: Directive): Question {
  let ids: number[] = [];
  let idsOutgoing: number[] = [];
  let joint = false;
  let words: readonly string[] = [];
  for (const argument of args) {
    switch (argument.key) {
      case "cfg":
        ids = wholeValues(argument);
        break;
      case "cfgj":
        joint = true;
        idsOutgoing = argument.values?.[0] === "zero" ? [] : wholeValues(argument);
        break;
      case "idx":
      case "votes":
        words = argument.values ?? [];
        break;
      default:
        throw new ScriptError(`${command} does not know ${argument.key}`);
    }
  }
  const voters = [...new Set([...ids, ...idsOutgoing])];
  if (voters.length !== words.length) {
    throw new ScriptError(`${voters.length} voters, but ${words.length} values: each needs one, or _`);
  }
  const said = new Map(voters.map((id, i) => [id, words[i] as string] as const).filter(([, word]) => word !== "_"));
  return { config: new JointConfig(NodeSet.of(ids), NodeSet.of(idsOutgoing)), joint, said };
}

function committed({ config, joint, said }: Question): string {
  const indexes = new Map<NodeId, LogIndex>([...said].map(([id, word]) => [id, parseWhole(word)]));
  const acked: AckedIndexer = { ackedIndex: (id) => indexes.get(id) };
  const chart = joint ? config.describe(acked) : describeMajority(config.incoming, acked);
  const index = joint ? config.committedIndex(acked) : majorityCommittedIndex(config.incoming, acked);
  return `${chart}${Number.isFinite(index) ? index : "∞"}\n`;
}

function vote({ config, joint, said }: Question): string {
  const votes = new Map<NodeId, boolean>();
  for (const [id, word] of said) {
    if (word !== "y" && word !== "n") throw new ScriptError(`unknown vote: ${word}`);
    votes.set(id, word === "y");
  }
  return joint ? config.voteResult(votes) : majorityVoteResult(config.incoming, votes);
}
