/** Creates a folder and those above it. */
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * As Node's recursive `mkdir`, which never ends where a file system says of an existing folder that it does not exist when
 * something is to be created in it (/proc does). Rejects with the system's error.
 */
export async function createFolder(path: string): Promise<void> {
  if (await created(path)) return;
  const parent = dirname(path);
  if (parent !== path) await createFolder(parent);
  if (!(await created(path))) await mkdir(path);
}

/** False when its parent does not exist. */
async function created(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return false;
    // Also of a root or a read-only file system's folder that is there.
    const isThere = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isThere) return true;
    throw error;
  }
}
