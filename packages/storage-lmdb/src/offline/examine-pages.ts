/**
 * A look at the pages of an LMDB file before LMDB reads it. LMDB has no checksums on its pages and believes what they say: a
 * damaged reference ends the process. So whatever leads from page to page is checked here; what the records in them say has
 * checksums of its own.
 *
 * Layout (LMDB data format 2). A page: its number (8), transaction (8), padding (2), flags (2), then lower (2) and upper (2) end of the free room,
 * or, on an overflow page, the number of pages (4). Offsets of nodes follow, counted from the end of this header of 24 bytes. A node: low
 * and high half of the data's length (2 + 2), flags (2), length of the key (2), key, data. On a branch page length and flags are
 * the number of the page that it leads to.
 *
 * X1. No page is reached twice, none beyond the file's end, none of another kind than where it is reached as.
 * X2. Keys ascend, and those below a branch's node are between its key and the next: where they are found going along, they are
 *     found by looking them up as well.
 * X3. Of the two meta pages the newer one counts; what only the older leads to is not looked at.
 */
import { type FileHandle, open } from "node:fs/promises";
import type { DamageList } from "./damage.ts";

const HEADER_BYTES = 24;
const NODE_BYTES = 8;
const BRANCH = 0x01;
const LEAF = 0x02;
const OVERFLOW = 0x04;
const KINDS = 0x2f;
const BIG_DATA = 0x01;
const SUB_DATABASE = 0x02;
const DUPLICATES = 0x04;
/** page:8 transaction:8 pages:8 */
const OVERFLOW_REFERENCE_BYTES = 24;
/** padding:4 flags:2 depth:2 branches:8 leaves:8 overflows:8 entries:8 root:8 */
const TREE_BYTES = 48;
const DEPTH_AT = 6;
const ROOT_AT = 40;
const NO_ROOT = 0xffff_ffff_ffff_ffffn;
/** In a meta page. */
const TREES_AT = [48, 96] as const;
const LAST_PAGE_AT = 144;
const TRANSACTION_AT = 152;
const META_BYTES = 168;
const DEEPEST = 32;
/** Bytes read at once: pages that follow each other in a tree often do so in the file. */
const WINDOW_BYTES = 256 * 1024;
/** Bytes between two calls of `progress`. */
const PROGRESS_BYTES = 16 * 1024 * 1024;

/** Keys that a part of a tree may have. */
interface KeyBounds {
  readonly from: Buffer;
  /** Undefined: no end. */
  readonly to: Buffer | undefined;
}

const EVERY_KEY: KeyBounds = Object.freeze({ from: Buffer.alloc(0), to: undefined });

/**
 * Whether LMDB can be let at the file: every page that it would reach makes sense. `file` has two sound meta pages (data-file.ts). Damages are told, all that
 * can be reached without following one.
 */
export async function examinePages(
  file: string,
  damages: DamageList,
  progress?: (bytes: number) => void,
): Promise<boolean> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    const walk = new PageWalk(handle, file, size, damages, progress);
    await walk.run();
    return walk.isWalkable;
  } finally {
    await handle.close();
  }
}

class PageWalk {
  /** Whether LMDB can go where its pages lead. */
  isWalkable = true;
  readonly #handle: FileHandle;
  readonly #file: string;
  readonly #size: number;
  readonly #damages: DamageList;
  readonly #progress: ((bytes: number) => void) | undefined;
  readonly #window: Buffer = Buffer.alloc(WINDOW_BYTES);
  #windowAt = 0;
  #windowBytes = 0;
  #pageBytes = 4096;
  #pages = 0;
  #seen = new Uint8Array(0);
  #seenBytes = 0;

  constructor(
    handle: FileHandle,
    file: string,
    size: number,
    damages: DamageList,
    progress: ((bytes: number) => void) | undefined,
  ) {
    this.#handle = handle;
    this.#file = file;
    this.#size = size;
    this.#damages = damages;
    this.#progress = progress;
  }

  async run(): Promise<void> {
    const meta = await this.#newerMeta();
    const last = Number(meta.readBigUInt64LE(LAST_PAGE_AT));
    this.#pages = Math.min(last + 1, Math.floor(this.#size / this.#pageBytes));
    this.#seen = new Uint8Array(Math.ceil(this.#pages / 8));
    const [free, main] = TREES_AT;
    // The keys of the free pages' tree are numbers in the machine's own order.
    await this.#tree(meta.subarray(free, free + TREE_BYTES), undefined);
    await this.#tree(meta.subarray(main, main + TREE_BYTES), EVERY_KEY);
  }

  async #newerMeta(): Promise<Buffer> {
    const first = Buffer.from(await this.#bytes(0, META_BYTES));
    this.#pageBytes = first.readUInt32LE(TREES_AT[0]);
    const second = Buffer.from(await this.#bytes(this.#pageBytes, META_BYTES));
    return first.readBigUInt64LE(TRANSACTION_AT) > second.readBigUInt64LE(TRANSACTION_AT) ? first : second;
  }

  async #tree(tree: Buffer, keys: KeyBounds | undefined): Promise<void> {
    const root = tree.readBigUInt64LE(ROOT_AT);
    if (root === NO_ROOT) return;
    const depth = tree.readUInt16LE(DEPTH_AT);
    if (depth === 0 || depth > DEEPEST) this.#damaged("tree", `its depth, ${depth}, makes no sense`);
    else await this.#page(Number(root), depth, keys);
  }

  /** `depth`: of the tree from here on; 1 is a leaf. */
  async #page(page: number, depth: number, keys: KeyBounds | undefined): Promise<void> {
    if (!this.#reach(page, 1)) return;
    const bytes = Buffer.from(await this.#bytes(page * this.#pageBytes, this.#pageBytes));
    const kind = depth === 1 ? LEAF : BRANCH;
    const flaw = this.#flawOf(bytes, page, kind);
    if (flaw !== undefined) {
      this.#damaged(`page ${page}`, flaw);
      return;
    }
    const count = bytes.readUInt16LE(20) >>> 1;
    const disorder = keys === undefined ? undefined : disorderOf(bytes, count, kind, keys);
    // It leads LMDB astray when it looks a key up, and nowhere else.
    if (disorder !== undefined) this.#damages.add({ file: this.#file, record: `page ${page}`, found: disorder });
    for (let node = 0; node < count; node++) {
      const at = nodeAt(bytes, node);
      if (kind === LEAF) {
        await this.#leafNode(bytes, at, page);
        continue;
      }
      const within = keys && {
        from: node === 0 ? keys.from : keyOf(bytes, at),
        to: node + 1 < count ? keyOf(bytes, nodeAt(bytes, node + 1)) : keys.to,
      };
      // 48 bits: the length's two halves, then the flags.
      await this.#page(bytes.readUIntLE(at, 6), depth - 1, within);
    }
  }

  async #leafNode(bytes: Buffer, at: number, page: number): Promise<void> {
    const flags = bytes.readUInt16LE(at + 4);
    const dataAt = at + NODE_BYTES + bytes.readUInt16LE(at + 6);
    const length = bytes.readUInt32LE(at);
    if ((flags & BIG_DATA) !== 0) await this.#overflow(bytes, dataAt, length, page);
    else if ((flags & SUB_DATABASE) !== 0) await this.#tree(bytes.subarray(dataAt, dataAt + TREE_BYTES), EVERY_KEY);
  }

  async #overflow(bytes: Buffer, at: number, length: number, from: number): Promise<void> {
    const page = Number(bytes.readBigUInt64LE(at));
    const pages = Math.ceil((HEADER_BYTES + length) / this.#pageBytes);
    if (!this.#reach(page, pages)) return;
    const header = await this.#bytes(page * this.#pageBytes, HEADER_BYTES);
    const isOurs =
      Number(header.readBigUInt64LE(0)) === page &&
      (header.readUInt16LE(18) & KINDS) === OVERFLOW &&
      header.readUInt32LE(20) >= pages &&
      Number(bytes.readBigUInt64LE(at + 16)) >= pages;
    if (!isOurs) this.#damaged(`page ${page}`, `not the overflow of ${pages} pages that page ${from} says`);
  }

  #flawOf(bytes: Buffer, page: number, kind: number): string | undefined {
    const number = bytes.readBigUInt64LE(0);
    if (number !== BigInt(page)) return `it says that it is page ${number}`;
    const flags = bytes.readUInt16LE(18);
    if ((flags & KINDS) !== kind) return `its kind is ${flags & KINDS}, not ${kind}`;
    const lower = bytes.readUInt16LE(20);
    const upper = bytes.readUInt16LE(22);
    const room = this.#pageBytes - HEADER_BYTES;
    if (lower % 2 !== 0 || lower > upper || upper > room) return "the ends of its free room make no sense";
    if (kind === BRANCH && lower < 4) return "a branch that leads nowhere";
    for (let node = 0; node < lower >>> 1; node++) {
      const at = bytes.readUInt16LE(HEADER_BYTES + 2 * node);
      if (at % 2 !== 0 || at < upper || at + NODE_BYTES > room) return `node ${node} is outside`;
      const end = at + this.#nodeBytes(bytes, HEADER_BYTES + at, kind);
      if (end > room) return `node ${node} ends outside`;
      const flag = bytes.readUInt16LE(HEADER_BYTES + at + 4);
      if (kind === LEAF && (flag & DUPLICATES) !== 0) return `node ${node} has flags that are not used here`;
      if (kind === LEAF && flag > (BIG_DATA | SUB_DATABASE)) return `node ${node} has unknown flags`;
    }
    return undefined;
  }

  #nodeBytes(bytes: Buffer, at: number, kind: number): number {
    const keyBytes = bytes.readUInt16LE(at + 6);
    if (kind === BRANCH) return NODE_BYTES + keyBytes;
    const flags = bytes.readUInt16LE(at + 4);
    if ((flags & BIG_DATA) !== 0) return NODE_BYTES + keyBytes + OVERFLOW_REFERENCE_BYTES;
    const length = bytes.readUInt32LE(at);
    return NODE_BYTES + keyBytes + ((flags & SUB_DATABASE) !== 0 ? Math.max(length, TREE_BYTES) : length);
  }

  /** X1. */
  #reach(page: number, pages: number): boolean {
    if (page < 2 || page + pages > this.#pages) {
      this.#damaged(`page ${page}`, `referred to, though the file has ${this.#pages}`);
      return false;
    }
    for (let each = page; each < page + pages; each++) {
      const at = each >>> 3;
      const bit = 1 << (each & 7);
      const seen = this.#seen[at] ?? 0;
      if ((seen & bit) !== 0) {
        this.#damaged(`page ${each}`, "referred to twice");
        return false;
      }
      this.#seen[at] = seen | bit;
    }
    const before = Math.floor(this.#seenBytes / PROGRESS_BYTES);
    this.#seenBytes += pages * this.#pageBytes;
    if (Math.floor(this.#seenBytes / PROGRESS_BYTES) > before) this.#progress?.(this.#seenBytes);
    return true;
  }

  /** Bytes of the file, valid until the next call; zeros past its end. */
  async #bytes(at: number, bytes: number): Promise<Buffer> {
    if (at < this.#windowAt || at + bytes > this.#windowAt + this.#windowBytes) {
      this.#windowAt = at;
      const { bytesRead } = await this.#handle.read(this.#window, 0, WINDOW_BYTES, at);
      this.#window.fill(0, bytesRead);
      this.#windowBytes = WINDOW_BYTES;
    }
    return this.#window.subarray(at - this.#windowAt, at - this.#windowAt + bytes);
  }

  #damaged(record: string, found: string): void {
    this.isWalkable = false;
    this.#damages.add({ file: this.#file, record, found });
  }
}

function nodeAt(page: Buffer, node: number): number {
  return HEADER_BYTES + page.readUInt16LE(HEADER_BYTES + 2 * node);
}

function keyOf(page: Buffer, nodeAtByte: number): Buffer {
  const start = nodeAtByte + NODE_BYTES;
  return page.subarray(start, start + page.readUInt16LE(nodeAtByte + 6));
}

/** X2. The first key of a branch means everything below the second, whatever it is. */
function disorderOf(page: Buffer, count: number, kind: number, { from, to }: KeyBounds): string | undefined {
  let before: Buffer | undefined;
  for (let node = kind === BRANCH ? 1 : 0; node < count; node++) {
    const key = keyOf(page, nodeAt(page, node));
    const isInOrder = before === undefined ? Buffer.compare(key, from) >= 0 : Buffer.compare(key, before) > 0;
    if (!isInOrder || (to !== undefined && Buffer.compare(key, to) >= 0))
      return `the key of node ${node} is out of order`;
    before = key;
  }
  return undefined;
}
