/** What readers of the API are given of recorded values, through the payload codecs of their process. */
import { decodedRecordValue, isEncoded, type PayloadCoder, type RecordedError, shownFailure } from "@raftoral/workflow";
import { Payload } from "./payload.ts";

/** Values that are decoded at the same time. */
const AT_ONCE = 64;

/** The payload decoded; one that says why it cannot be read where it cannot: the others of its page can be. Never rejects. */
export async function shown(coder: PayloadCoder, payload: Payload): Promise<Payload> {
  const { bytes, what } = payload;
  if (!isEncoded(bytes)) return payload;
  return reading(payload, () => coder.decode(bytes, what));
}

/** As {@link shown}, of the value of a record. */
export async function shownRecord(coder: PayloadCoder, path: string, kind: string, payload: Payload): Promise<Payload> {
  return reading(payload, () => decodedRecordValue(coder, { path, kind, value: payload.bytes }));
}

/** A failure with its details where they can be read. Never rejects. */
export async function shownError<E extends RecordedError | undefined>(
  coder: PayloadCoder,
  error: E,
  what: string,
): Promise<E> {
  return error === undefined ? error : await shownFailure(coder, error, what);
}

/** `show` of each, in their order, so many at the same time. */
export async function shownAll<T>(all: readonly T[], show: (one: T) => Promise<T>): Promise<readonly T[]> {
  const done: T[] = [];
  for (let at = 0; at < all.length; at += AT_ONCE) {
    done.push(...(await Promise.all(all.slice(at, at + AT_ONCE).map(show))));
  }
  return done;
}

async function reading({ bytes, what }: Payload, decode: () => Promise<Uint8Array>): Promise<Payload> {
  try {
    return Payload.ofBytes(await decode(), what);
  } catch (error) {
    return Payload.ofBytes(bytes, what, error instanceof Error ? error : undefined);
  }
}
