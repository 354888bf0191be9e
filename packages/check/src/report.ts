import type { CheckError } from "./errors.ts";
import type { RuleId } from "./rules.ts";

/** A place in a file. Lines and columns count from 1; a column is a UTF-16 code unit, as editors count. */
export interface Location {
  /** The file as the caller named it; for a file that is imported by one, its path relative to the same folder. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** One violation of a rule. */
export interface Finding extends Location {
  readonly rule: RuleId;
  /** What is wrong. Contains names from the file: remove control characters before printing. */
  readonly message: string;
  /** What to write instead, in one line. */
  readonly advice: string;
  /** Type of the workflow whose body runs the code; absent when the type is no literal, and for a function outside of workflows. */
  readonly workflow?: string;
  /** The call in the body that leads to the code, when the code is in another function. */
  readonly calledFrom?: Location;
}

/** One definition of a workflow. */
export interface CheckedWorkflow extends Location {
  /** Absent when the type is no literal. */
  readonly type?: string;
  /** False when the body is not in a file that the check can follow; nothing is known about the body then. */
  readonly checked: boolean;
}

/** What a check of files found. */
export interface CheckReport {
  /** The files that were asked for, in that order. */
  readonly files: readonly string[];
  /** Workflows that the files define. */
  readonly workflows: readonly CheckedWorkflow[];
  /** In the order of the files, lines and columns. Empty when nothing is wrong. */
  readonly findings: readonly Finding[];
  /** Files that cannot be checked, and why. The report is complete only when this is empty. */
  readonly failures: readonly CheckError[];
}
