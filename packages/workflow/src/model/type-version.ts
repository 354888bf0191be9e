/** Workflow types with their versions: what nodes register and runs need. */
import { string, uint } from "../wire/fields.ts";
import { messageCodec } from "../wire/message-codec.ts";

/** One version of a workflow type. */
export interface TypeVersion {
  readonly type: string;
  readonly version: number;
}

/** A `raftoral.WorkflowTypeVersion`. */
export const typeVersionCodec = messageCodec<TypeVersion>({ type: string(1), version: uint(2) }, {});
