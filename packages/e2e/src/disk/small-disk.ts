/**
 * A disk of a few megabytes, mounted over a folder: a file system in memory, so that filling it up disturbs no other program.
 *
 * Linux and root are needed; {@link smallDiskProblem} says what is missing.
 */
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PIECE_BYTES = 64 * 1024;

/** Why there can be no small disk on this machine; undefined if there can. */
export function smallDiskProblem(): string | undefined {
  if (process.platform !== "linux") return "small disks are file systems in memory, Linux's";
  if (process.getuid?.() !== 0) return "only root may mount";
  try {
    new SmallDisk(1).remove();
    return undefined;
  } catch (error) {
    return `nothing can be mounted here: ${error instanceof Error ? error.message.trim() : error}`;
  }
}

/** One mounted disk. `remove` unmounts it; so does the end of this process. */
export class SmallDisk {
  readonly folder: string;
  readonly #filler: string;
  readonly #removeOnExit = (): void => this.remove();

  /** Throws when it cannot be mounted; nothing is left then. */
  constructor(megabytes: number) {
    const place = mkdtempSync(join(tmpdir(), "raftoral-disk-"));
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", place], {
        stdio: ["ignore", "ignore", "pipe"],
      });
    } catch (error) {
      rmdirSync(place);
      throw error;
    }
    this.folder = place;
    this.#filler = join(place, "filler");
    process.on("exit", this.#removeOnExit);
  }

  /** Takes all the room that there is. */
  fill(): void {
    const file = openSync(this.#filler, "a");
    try {
      for (let bytes = PIECE_BYTES; bytes > 0; bytes = Math.floor(bytes / 2)) while (wrote(file, bytes));
    } finally {
      closeSync(file);
    }
  }

  /** Gives back what {@link fill} took. */
  free(): void {
    rmSync(this.#filler, { force: true });
  }

  /** With everything on it. Nothing may have a file of it open. */
  remove(): void {
    process.off("exit", this.#removeOnExit);
    execFileSync("umount", [this.folder], { stdio: ["ignore", "ignore", "pipe"] });
    rmdirSync(this.folder);
  }
}

/** Whether all of it fitted. */
function wrote(file: number, bytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(bytes)) === bytes;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOSPC") return false;
    throw error;
  }
}
