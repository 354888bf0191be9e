/**
 * `raftoral/testing`: tests of workflows on virtual time, with mocks, faults on purpose, simulations and replays of histories.
 *
 * Works in every test runner: nothing here knows one.
 */
// First: what follows does not run on an old Node.
import "@raftoral/raft-core/require-node";

export type {
  ExportedOutcome,
  ExportedPayload,
  ExportedRecord,
  HistoryExport,
} from "../api/histories/history-format.ts";
export type { Who } from "./cluster/cluster-faults.ts";
export { TestCluster } from "./cluster/test-cluster.ts";
export type { TestClusterOptions } from "./cluster/test-cluster-options.ts";
export type { TestNode, TestNodeStatus } from "./cluster/test-node.ts";
export type { FaultAction, PlannedFault } from "./faults/fault-plan.ts";
export type {
  CallMoment,
  CommitMoment,
  Happening,
  Moment,
  RegistrationHappening,
  RegistrationMoment,
  RunCondition,
  RunHappening,
  StepMoment,
} from "./faults/moment.ts";
export type { PlatformUse } from "./guard/body-guard.ts";
export { parseHistory } from "./replay/parse-history.ts";
export { type ReplayOptions, type ReplayReport, replay } from "./replay/replay.ts";
export { type DeclareTest, type ReplayFolderOptions, replayFolder } from "./replay/replay-folder.ts";
export type { ReplayedCall } from "./replay/replayed-body.ts";
export { DISTURBANCE_KINDS, type DisturbanceKind } from "./simulate/disturbance.ts";
export { type Disturbing, disturb } from "./simulate/disturber.ts";
export {
  type SimulatedOutcome,
  type SimulateOptions,
  SimulationFailure,
  type SimulationReport,
  simulate,
} from "./simulate/simulate.ts";
export type { SignalOrder, SimulatedSignal, SimulatedUpdate } from "./simulate/simulated-signals.ts";
export type { StepCall } from "./steps/step-call.ts";
export { inTurn, type StepFilter, throws } from "./steps/step-mock.ts";
export type { StepCount, TestSteps } from "./steps/test-steps.ts";
export type { TestTime } from "./time/test-time.ts";
