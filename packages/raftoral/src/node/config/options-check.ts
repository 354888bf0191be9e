/**
 * Checks the options of a node that are no plain settings: its workflows, its logger, and that every name is one.
 *
 * Role: callers without types must not get a node that forgets everything because `dataDir` was misspelt. Opens nothing.
 */
import type { MeterProvider } from "@opentelemetry/api";
import type { Clock, Logger } from "@raftoral/raft-core";
import type { PayloadCodecs, WorkflowDefinition } from "@raftoral/workflow";
import { NodeError } from "../../api/errors.ts";
import { payloadCoderOf } from "../../api/payloads/payload-coder.ts";
import { SETTING_NAMES } from "./node-config.ts";

const PART_NAMES = [
  "workflows",
  "archive",
  "transport",
  "storage",
  "clock",
  "logger",
  "meterProvider",
  "payloadCodec",
] as const;
const LOG_METHODS = ["debug", "info", "warn", "error"] as const;
const CLOCK_METHODS = ["wallMs", "monotonicMs", "after", "every", "soon"] as const;

/** Throws OPTIONS_INVALID for the first mistake found. */
export function checkOptions(options: object): void {
  const names: readonly string[] = [...SETTING_NAMES, ...PART_NAMES];
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw invalid(name, `is not an option; there are ${names.join(", ")}`);
  }
  const { workflows, archive, clock, logger, meterProvider, payloadCodec } = options as Readonly<
    Record<string, unknown>
  >;
  if (workflows !== undefined) checkWorkflows(workflows);
  if (archive !== undefined && typeof archive !== "function")
    throw invalid("archive", "is no function; give one that keeps a finished run, or leave it out");
  if (clock !== undefined) checkClock(clock);
  if (logger !== undefined) checkLogger(logger);
  if (meterProvider !== undefined) checkMeterProvider(meterProvider);
  payloadCoderOf(payloadCodec as PayloadCodecs | undefined);
}

function checkWorkflows(workflows: unknown): void {
  if (!Array.isArray(workflows)) throw invalid("workflows", "must be a list of workflows");
  for (const [place, each] of workflows.entries()) {
    const { type, version, run } = (each ?? {}) as Partial<WorkflowDefinition>;
    if (typeof type === "string" && typeof version === "number" && typeof run === "function") continue;
    throw invalid(
      `workflows[${place}]`,
      "is no workflow; make one with workflow(type, { version }, async (ctx, input) => ...)",
    );
  }
}

function checkClock(clock: unknown): void {
  for (const method of CLOCK_METHODS) {
    if (typeof (clock as Partial<Clock> | null)?.[method] === "function") continue;
    throw invalid("clock", `has no method ${method}; leave it out, or give an object with ${CLOCK_METHODS.join(", ")}`);
  }
}

function checkLogger(logger: unknown): void {
  for (const method of LOG_METHODS) {
    if (typeof (logger as Partial<Logger> | null)?.[method] === "function") continue;
    throw invalid("logger", `has no method ${method}; give a pino logger, or an object with ${LOG_METHODS.join(", ")}`);
  }
}

function checkMeterProvider(provider: unknown): void {
  if (typeof (provider as Partial<MeterProvider> | null)?.getMeter === "function") return;
  throw invalid("meterProvider", "has no method getMeter; give a MeterProvider of OpenTelemetry, or leave it out");
}

function invalid(option: string, problem: string): NodeError {
  return new NodeError("OPTIONS_INVALID", `Option ${option} ${problem}.`, { details: { option } });
}
