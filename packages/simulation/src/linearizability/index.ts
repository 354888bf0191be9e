// Histories of registers and whether they are linearizable: also for clusters of real processes.
export { type Call, History, type Operation } from "../client/history.ts";
export { checkRegister, type Verdict } from "./checker.ts";
