/** The log of a body, as authors write to it. */

/** Writes one line: a message, or fields with a message. Never throws. */
export interface WriteLine {
  (message: string): void;
  (fields: object, message: string): void;
}

/** Lines of a run's log by level, in pino's calling convention, or with a message alone. */
export interface WorkflowLog {
  readonly debug: WriteLine;
  readonly info: WriteLine;
  readonly warn: WriteLine;
  readonly error: WriteLine;
}
