/** Payload codecs from a file: `--codec FILE`. Node runs `.ts` files by stripping their types. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { PayloadCodecs } from "@raftoral/workflow";
import { NodeError } from "../api/errors.ts";
import { payloadCoderOf } from "../api/payloads/payload-coder.ts";

/** The codecs that a module exports as default. Throws OPTIONS_INVALID, naming the file and what is wrong with it. */
export async function loadCodecs(file: string): Promise<PayloadCodecs> {
  let exported: unknown;
  try {
    exported = ((await import(pathToFileURL(resolve(file)).href)) as { readonly default?: unknown }).default;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw invalid(`The file of payload codecs ${file} cannot be loaded: ${reason}`, cause);
  }
  if (exported === undefined)
    throw invalid(`${file} has no default export. Export a payload codec, or a list of them, as default.`);
  try {
    payloadCoderOf(exported as PayloadCodecs);
  } catch (cause) {
    throw invalid(`The default export of ${file} cannot be used. ${(cause as Error).message}`, cause);
  }
  return exported as PayloadCodecs;
}

function invalid(message: string, cause?: unknown): NodeError {
  return new NodeError("OPTIONS_INVALID", message, { cause, details: { option: "codec" } });
}
