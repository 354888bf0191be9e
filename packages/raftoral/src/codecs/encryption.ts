/**
 * Encryption of values with AES-256-GCM, with keys that can be rotated.
 *
 * EN1. Every value has a fresh random nonce of 24 bytes, and from its first half a key of its own is derived (XAES-256-GCM, C2SP). So there is no number of values after which a key has to
 *      be replaced.
 * EN2. What the envelope says is authenticated: content type, inner codecs and their metadata, digest, and the id of the key. A value whose envelope was changed does not decode.
 * EN3. A value is not bound to its run or place: results go to parents, records to forks, answers to callers. Who can write to the log can put one encrypted value in the place of another. A
 *      `context` keeps values of different applications apart.
 * EN4. The digest is keyed, too: without the key an input cannot be found out by trying. Equal inputs of starts and answers have equal digests, and can be seen to be equal.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import type { PayloadCodec } from "@raftoral/workflow";
import { NodeError } from "../api/errors.ts";

/** Options of {@link encryption}. */
export interface EncryptionOptions {
  /**
   * Keys of 32 random bytes by id. The first one also keys the digests of inputs and answers, so new keys go behind it. A key is needed for as long as a value that it encrypted is
   * kept.
   */
  readonly keys: Readonly<Record<string, Uint8Array>>;
  /** The id of the key that encrypts. All others only decrypt. */
  readonly activeKeyId: string;
  /** The id of the key of digests. The first of `keys` by default. */
  readonly digestKeyId?: string;
  /** Text that is authenticated with every value: values of another context do not decode. None by default. */
  readonly context?: string;
}

const KEY_BYTES = 32;
const NONCE_BYTES = 24;
const TAG_BYTES = 16;
const BLOCK_BYTES = 16;
const MAX_ID_LENGTH = 100;
const KEY_ID = "keyId";

/** A codec that encrypts every value. Throws OPTIONS_INVALID for keys that are none. The name in envelopes is `encryption`. */
export function encryption(options: EncryptionOptions): PayloadCodec {
  const { activeKeyId, context = "" } = options;
  const keys = checkedKeys(options.keys);
  const active = keys.get(activeKeyId);
  if (active === undefined) throw invalid(`activeKeyId ${activeKeyId} is not among the keys`);
  const digestKeyId = options.digestKeyId ?? [...keys.keys()][0];
  const digestKey = keys.get(digestKeyId ?? "");
  if (digestKey === undefined) throw invalid(`digestKeyId ${String(digestKeyId)} is not among the keys`);
  const digestSubkey = createHmac("sha256", digestKey.raw).update("raftoral payload digest").digest();
  const authenticated = (keyId: string, associated: Uint8Array): Buffer =>
    Buffer.concat([Buffer.from(JSON.stringify(["encryption", keyId, context])), Buffer.of(0), associated]);
  return {
    name: "encryption",
    encode(bytes, { associated }) {
      const nonce = randomBytes(NONCE_BYTES);
      const sealed = active.seal(nonce, bytes, authenticated(activeKeyId, associated));
      return { bytes: Buffer.concat([nonce, sealed]), metadata: { [KEY_ID]: activeKeyId } };
    },
    decode(bytes, { metadata, associated }) {
      const keyId = metadata[KEY_ID] ?? "";
      const key = keys.get(keyId);
      if (key === undefined) throw new Error(`there is no key ${keyId} among the keys that were given`);
      if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new Error("it is too short to be an encrypted value");
      try {
        return key.open(bytes.subarray(0, NONCE_BYTES), bytes.subarray(NONCE_BYTES), authenticated(keyId, associated));
      } catch (cause) {
        throw new Error(`key ${keyId} does not fit, or the value was changed`, { cause });
      }
    },
    digest(bytes) {
      return createHmac("sha256", digestSubkey).update(bytes).digest();
    },
  };
}

/** A key's XAES-256-GCM. For tests. `key`: 32 bytes. */
export function xaesGcm(key: Uint8Array): Pick<RootKey, "seal" | "open"> {
  return new RootKey(key);
}

/** A key, and the keys that are derived from it for single values (EN1). */
class RootKey {
  readonly raw: Uint8Array;
  /** The subkey K1 of CMAC. */
  readonly #mask: Buffer;

  constructor(raw: Uint8Array) {
    // A copy: what the caller does with its bytes later changes nothing.
    this.raw = Uint8Array.from(raw);
    this.#mask = doubled(this.#blocks(Buffer.alloc(BLOCK_BYTES)));
  }

  /** The encrypted bytes, and the tag. `nonce`: 24 bytes that this key has never had. */
  seal(nonce: Uint8Array, plain: Uint8Array, associated: Uint8Array): Buffer {
    const cipher = createCipheriv("aes-256-gcm", this.#derived(nonce), nonce.subarray(12));
    cipher.setAAD(associated);
    return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** The plain bytes. Throws when anything differs from what was sealed. */
  open(nonce: Uint8Array, sealed: Uint8Array, associated: Uint8Array): Buffer {
    const end = sealed.length - TAG_BYTES;
    const decipher = createDecipheriv("aes-256-gcm", this.#derived(nonce), nonce.subarray(12), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(associated);
    decipher.setAuthTag(sealed.subarray(end));
    return Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]);
  }

  /** The key of the value with this nonce, of which the first 12 bytes count. */
  #derived(nonce: Uint8Array): Buffer {
    const message = Buffer.alloc(2 * BLOCK_BYTES);
    for (const [at, counter] of [1, 2].entries()) {
      const block = message.subarray(at * BLOCK_BYTES, (at + 1) * BLOCK_BYTES);
      block.set([0, counter, 0x58, 0]);
      block.set(nonce.subarray(0, 12), 4);
      for (let i = 0; i < BLOCK_BYTES; i++) block[i] = (block[i] as number) ^ (this.#mask[i] as number);
    }
    return this.#blocks(message);
  }

  /** Each block encrypted by itself. */
  #blocks(blocks: Buffer): Buffer {
    const cipher = createCipheriv("aes-256-ecb", this.raw, null).setAutoPadding(false);
    return Buffer.concat([cipher.update(blocks), cipher.final()]);
  }
}

/** A block doubled in GF(2^128), as CMAC does. */
function doubled(block: Buffer): Buffer {
  const twice = Buffer.alloc(BLOCK_BYTES);
  let carry = 0;
  for (let at = BLOCK_BYTES - 1; at >= 0; at--) {
    const byte = block[at] as number;
    twice[at] = ((byte << 1) & 0xff) | carry;
    carry = byte >> 7;
  }
  if (carry === 1) twice[BLOCK_BYTES - 1] = (twice[BLOCK_BYTES - 1] as number) ^ 0x87;
  return twice;
}

function checkedKeys(keys: Readonly<Record<string, Uint8Array>>): ReadonlyMap<string, RootKey> {
  const checked = new Map<string, RootKey>();
  for (const [id, key] of Object.entries(keys ?? {})) {
    if (id === "" || id.length > MAX_ID_LENGTH) throw invalid(`the id of a key has 1 to ${MAX_ID_LENGTH} characters`);
    if (!(key instanceof Uint8Array) || key.length !== KEY_BYTES)
      throw invalid(`key ${id} is no Uint8Array of ${KEY_BYTES} random bytes`);
    checked.set(id, new RootKey(key));
  }
  return checked;
}

function invalid(problem: string): NodeError {
  return new NodeError("OPTIONS_INVALID", `The options of encryption cannot be used: ${problem}. Correct them.`);
}
