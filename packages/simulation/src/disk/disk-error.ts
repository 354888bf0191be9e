/** A failure of the disk that the simulation wanted. A node that stops because of one did right. */
export class DiskError extends Error {
  override readonly name = "DiskError";
  readonly kind: "fsync" | "full" | "corrupt";

  constructor(kind: DiskError["kind"], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Whether `error`, or anything that caused it, is a {@link DiskError}. */
export function isFromDisk(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof DiskError) return true;
  return false;
}
