/**
 * What every command of the replicated workflow state is: a type, its fields on the wire, a pure function that applies it, and a bound on its work.
 *
 * One file defines one command, and one line of `registry.ts` makes it known: codec, state machine, property tests, the check against `proto/` and
 * docs/commands.md follow.
 *
 * C1. Commands are plain, structured-cloneable data.
 * C2. Every command carries the proposer's wall time in ms (`atMs`), from which the state keeps its log clock.
 * C3. A command on behalf of a run's owner carries (owner, epoch), and is refused once the run has another.
 * C4. A command may be applied twice without harm: a proposal whose outcome is unknown is made again.
 * C7. A command that an operator asks for says who does (`by`). When it changes something, it has an entry in the audit.
 * C5. `apply` is synchronous and deterministic, never throws for a command that the codec gave, and changes nothing when it refuses.
 * C6. `apply` touches at most `maxRuns` runs, whatever the state holds, and a bounded number of records of each.
 */
import type { AuditedCommand } from "../state/operators/audit-log.ts";
import type { Tables } from "../state/tables.ts";
import { messageCodec, type WireFields } from "../wire/message-codec.ts";
import type { MessageCodec } from "../wire/wire-types.ts";
import type { Refused } from "./refusal.ts";

/** What all commands have. */
export interface AnyCommand {
  readonly kind: string;
  /** Wall time of the proposer in ms since the epoch. */
  readonly atMs: number;
}

/** One kind of command. */
export interface CommandDefinition<Command extends AnyCommand, Result> {
  readonly kind: Command["kind"];
  /** Number and name of its field in `raftoral.WorkflowCommand`. */
  readonly field: number;
  /** What it does, for docs/commands.md. */
  readonly summary: string;
  /** Runs that applying it changes at most (C6). */
  readonly maxRuns: number;
  /** What the audit says of it; absent for commands that no operator asks for. */
  readonly audited?: (command: Command) => AuditedCommand;
  readonly codec: MessageCodec<Command>;
  readonly apply: (tables: Tables, command: Command) => Result | Refused;
}

/** A definition as it is written down. */
interface CommandParts<Command extends AnyCommand, Result>
  extends Omit<CommandDefinition<Command, Result>, "codec" | "apply"> {
  /** A field for each property. */
  readonly fields: WireFields<Command, "kind">;
  apply(tables: Tables, command: Command): Result | Refused;
}

/** Defines a command whose properties are the fields of its message. */
export function defineCommand<Command extends AnyCommand, Result>(
  parts: CommandParts<Command, Result>,
): CommandDefinition<Command, Result> {
  const { fields, ...definition } = parts;
  const fixed = { kind: parts.kind } as Pick<Command, "kind">;
  return { ...definition, codec: messageCodec<Command, "kind">(fields, fixed) };
}
