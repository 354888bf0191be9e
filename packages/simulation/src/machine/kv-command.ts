/** Commands of the key-value registers, and how they look as bytes. */

export type KvCommand =
  | { readonly id: number; readonly kind: "put"; readonly key: string; readonly value: number; readonly pad: number }
  | { readonly id: number; readonly kind: "get"; readonly key: string; readonly pad: number }
  | {
      readonly id: number;
      readonly kind: "cas";
      readonly key: string;
      readonly expected: number;
      readonly value: number;
      readonly pad: number;
    };

/** `value` after the command; `swapped` is false only for a compare-and-set that did not. A register begins at 0. */
export interface KvResult {
  readonly value: number;
  readonly swapped: boolean;
}

/** Text fields, then `pad` bytes that only take space. */
export function encodeKvCommand(command: KvCommand): Uint8Array {
  const { id, kind, key, pad } = command;
  const value = kind === "get" ? 0 : command.value;
  const expected = kind === "cas" ? command.expected : 0;
  const text = `${id} ${kind} ${key} ${value} ${expected} ${pad} `;
  const bytes = new Uint8Array(text.length + pad);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** The command that the bytes hold. Throws for bytes that hold none. */
export function decodeKvCommand(bytes: Uint8Array): KvCommand {
  let text = "";
  for (let at = 0; at < bytes.length && bytes[at] !== 0; at++) text += String.fromCharCode(bytes[at] as number);
  const [id, kind, key = "", value, expected, pad] = text.split(" ");
  const head = { id: Number(id), key, pad: Number(pad) };
  switch (kind) {
    case "put":
      return { ...head, kind, value: Number(value) };
    case "cas":
      return { ...head, kind, value: Number(value), expected: Number(expected) };
    case "get":
      return { ...head, kind };
    default:
      throw new Error(`not a command of the registers: ${text}`);
  }
}
