import { RaftoralError } from "@raftoral/raft-core";

/** Why a file cannot be checked. docs/errors.md has an entry for each. */
export type CheckErrorCode =
  | "CHECK_FILE_TOO_COMPLEX"
  | "CHECK_FILE_TOO_LARGE"
  | "CHECK_FILE_UNPARSABLE"
  | "CHECK_FILE_UNREADABLE";

/** Where in a file. Lines and columns count from 1; a column is a UTF-16 code unit, as editors count. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A file cannot be checked. The message names the file, says why, and says what to do. */
export class CheckError extends RaftoralError<CheckErrorCode> {
  override readonly name = "CheckError";
  /** The file as the caller named it, or the path of a file that is imported by one. */
  readonly path: string;
  /** Where the file cannot be parsed, if the parser says where. */
  readonly position: Position | undefined;

  constructor(code: CheckErrorCode, path: string, message: string, at: { position?: Position; cause?: unknown } = {}) {
    super(code, message, { details: { path, ...at.position }, cause: at.cause });
    this.path = path;
    this.position = at.position;
  }
}
