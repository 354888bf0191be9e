// First: what follows does not run on an old Node.
import "@raftoral/raft-core/require-node";

// To check workflow files: `checkFiles` for files, `checkSource` for text.

export { checkFiles, checkSource, MAX_FILE_BYTES } from "./check-files.ts";
export { CheckError, type CheckErrorCode, type Position } from "./errors.ts";
export type { CheckedWorkflow, CheckReport, Finding, Location } from "./report.ts";
export { RULES, type Rule, type RuleId } from "./rules.ts";
