// Real processes with a node each: for the tests of this package and for the quickstart.
export { DeadlineError, eventually, within } from "./deadline.ts";
export { freeAddresses } from "./free-ports.ts";
export { type HostedNode, hostNode, type Tell } from "./node-host.ts";
export { type Exit, NodeProcess, type NodeProcessOptions } from "./node-process.ts";
export { RefusedError, UnansweredError } from "./questions.ts";
export { type Routes, routeConnections } from "./routes.ts";
export { copyOf, endedCopyOf, type RecordCopy, type RunCopy } from "./run-copy.ts";
export { stdoutLogger } from "./stdout-logger.ts";
export { type Execution, type LoggedExecution, WorkLog } from "./work-log.ts";
