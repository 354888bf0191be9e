/** What the next generation of a run begins with. */
export interface NextGeneration {
  readonly input: Uint8Array;
  /** As before by default. */
  readonly version?: number | undefined;
  /** Whether the run ends in its place unless updates wait for it. */
  readonly orEnd?: boolean;
}
