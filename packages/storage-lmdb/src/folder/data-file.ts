/**
 * A look at an LMDB file before LMDB opens it: lmdb-js 3.5 crashes the process when the file is not LMDB's or is cut
 * short, and a node that finds a damaged file must say so instead.
 *
 * Layout (LMDB data format 2): two meta pages at the beginning, each with a page header of 24 bytes, then magic,
 * version, and further on the page size and the root pages of LMDB's two own trees.
 */
import { open } from "node:fs/promises";

const MAGIC = 0xbeef_c0de;
const DATA_VERSION = 2;
const META_BYTES = 168;
const MAGIC_AT = 24;
const VERSION_AT = 28;
const PAGE_BYTES_AT = 48;
/** Root page numbers of the tree of free pages and of the main tree. */
const ROOTS_AT = [88, 136];
const NO_ROOT = 0xffff_ffff_ffff_ffffn;

/** What is wrong with the file; undefined when nothing is, or when there is no file yet. */
export async function damageOf(file: string): Promise<string | undefined> {
  const handle = await open(file, "r").catch((error: { code?: string }) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    if (size === 0) return undefined;
    let pageBytes = 0;
    for (const page of [0, 1]) {
      const meta = Buffer.alloc(META_BYTES);
      const { bytesRead } = await handle.read(meta, 0, META_BYTES, page * pageBytes);
      if (bytesRead < META_BYTES) return `it ends within meta page ${page}`;
      if (meta.readUInt32LE(MAGIC_AT) !== MAGIC) return `meta page ${page} is not LMDB's`;
      const version = meta.readUInt32LE(VERSION_AT) & 0xffff;
      if (version !== DATA_VERSION)
        return `meta page ${page} has LMDB data format ${version} instead of ${DATA_VERSION}`;
      if (page === 0) pageBytes = meta.readUInt32LE(PAGE_BYTES_AT);
      if (pageBytes < 512 || meta.readUInt32LE(PAGE_BYTES_AT) !== pageBytes) return "its page size makes no sense";
      for (const at of ROOTS_AT) {
        const root = meta.readBigUInt64LE(at);
        if (root !== NO_ROOT && (Number(root) + 1) * pageBytes > size) return "it was cut short";
      }
    }
    return undefined;
  } finally {
    await handle.close();
  }
}
