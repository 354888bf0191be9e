/** What a test decides about its cluster. */
import type { Logger, NodeId } from "@raftoral/raft-core";
import type { LinkFaults } from "@raftoral/transport-memory";
import type { WorkflowDefinition } from "@raftoral/workflow";
import type { RaftoralNodeOptions } from "../../node/raftoral-node.ts";

/** Options of a test cluster. Defaults in parentheses. */
export interface TestClusterOptions {
  /** Nodes, 1 to 7 (3). */
  readonly nodes?: number;
  /** Decides everything that is left to chance (1). */
  readonly seed?: number;
  /** What every node can execute; a function gives each node its own. */
  readonly workflows: readonly WorkflowDefinition[] | ((nodeId: NodeId) => readonly WorkflowDefinition[]);
  /** When virtual time begins (2026-01-01T00:00:00Z). */
  readonly startAt?: Date | string | number;
  /** How long a step's real work may hold virtual time, in real milliseconds (1,000). Time is not held for steps while the process has no timer, socket or file under way. */
  readonly realWaitMs?: number;
  /** Loss, repetition, delay and reordering of messages between nodes (none). */
  readonly network?: Partial<LinkFaults>;
  /** What a body that uses the platform instead of its context leads to: its run fails, or it is only noted in `platformUses` ("fail"). */
  readonly onPlatformUse?: "fail" | "note";
  /**
   * What a body leads to that makes a call after awaiting something that is not recorded (a promise of other code, an event) while other calls of it are open, so
   * that a replay may come to another order: its call rejects, or it is only noted in `foreignAwaits` ("fail"). Awaiting it while nothing else is open changes no
   * order, and is allowed.
   */
  readonly onForeignAwait?: "fail" | "note";
  /** Further options of the nodes, such as limits. */
  readonly nodeOptions?: Partial<
    Omit<RaftoralNodeOptions, "workflows" | "transport" | "storage" | "clock" | "nodeId" | "members">
  >;
  readonly logger?: Logger;
}
