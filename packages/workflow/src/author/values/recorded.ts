/**
 * What the record does to types: the compile-time half of json-value.ts.
 *
 * Role: types alone. `Recorded<T>` is what comes back of a `T`, `Recordable<T>` refuses a `T` that the record refuses, and `Unchanged<T>` refuses a
 * `T` that comes back as something else. recorded.test.ts holds each of them against json-value.ts, value by value.
 *
 * RE1. A type that comes back as it is stays the same type, with its name: no reader of an error or a hint meets a mapped copy of their interface.
 * RE2. Recursive types are followed lazily: through properties and lists, never through a condition that has to be decided first.
 * RE5. Bytes are recorded as a whole value, and refused as a part of one.
 * RE3. What a type does not tell is let through: `unknown`, `any`, `object`, subtypes. json-value.ts decides at run time then.
 * RE4. The types are stricter than the run time in one place: methods. A type does not tell whether a function is a property, which the record
 *      refuses, or belongs to the class, which the record would drop in silence.
 *
 * Properties with symbols as keys stay: in types they are brands, which no value has. The run time refuses real ones.
 */

declare const reason: unique symbol;

/** Stands in the place of a type that cannot be recorded. No value has this type; its parameter says what to do. */
export interface NotRecordable<Reason extends string> {
  readonly [reason]: Reason;
}

/** What comes back from the record where a `T` was given: a `Date` as text, a property that may be `undefined` as one that may be missing. */
export type Recorded<T> = unknown extends T
  ? T
  : [Extract<T, Uint8Array>] extends [never]
    ? RecordedPart<T>
    : RecordedBytes<Extract<T, Uint8Array>> | RecordedPart<Exclude<T, Uint8Array>>;

/** For type parameters, as in `<T extends Recordable<T>>`: refuses types of which the record would refuse every value. */
export type Recordable<T> = [Exclude<T, Uint8Array>] extends [Checked<Exclude<T, Uint8Array>, "given">]
  ? unknown
  : Checked<Exclude<T, Uint8Array>, "given">;

/** For type parameters, as in `<T extends Unchanged<T>>`: refuses types whose values come back from the record as something else. */
export type Unchanged<T> = [Exclude<T, KeptBytes<T>>] extends [Checked<Exclude<T, KeptBytes<T>>, "taken">]
  ? unknown
  : Checked<Exclude<T, KeptBytes<T>>, "taken">;

/** As {@link Unchanged}, for what is a part of a value: bytes are refused there, too. */
export type UnchangedPart<T> = [T] extends [Checked<T, "taken">] ? unknown : Checked<T, "taken">;

/** What comes back of a part of a value. */
type RecordedPart<T> = unknown extends T ? T : [T] extends [Kept<T>] ? T : Converted<T>;

/** What comes back of bytes: a Buffer comes back as a Uint8Array. */
type RecordedBytes<T> = T extends HasToJson<unknown> ? Uint8Array : T;

/** The bytes among types that come back as what they are. */
type KeptBytes<T> = T extends Uint8Array ? (T extends HasToJson<unknown> ? never : T) : never;

// biome-ignore lint/suspicious/noConfusingVoidType: a step without a result has this type
type Primitive = string | number | boolean | null | undefined | void;
type AnyFunction = ((...args: never[]) => unknown) | (abstract new (...args: never[]) => unknown);

interface HasToJson<T> {
  toJSON(...args: never[]): T;
}

interface AnyResponse {
  readonly status: number;
  json(): unknown;
  text(): unknown;
}

/** Why the record refuses a type as it stands, without a look at its properties; never when nothing is wrong. */
type Refusal<T> = T extends bigint
  ? NotRecordable<"A bigint cannot be recorded. Give String(n).">
  : T extends symbol
    ? NotRecordable<"A symbol cannot be recorded. Give text.">
    : T extends AnyFunction
      ? NotRecordable<"A function or method cannot be recorded. Give plain data.">
      : T extends Uint8Array
        ? NotRecordable<"Bytes are recorded as the whole value alone. Give the Uint8Array itself, or Buffer.from(bytes).toString('base64').">
        : T extends HasToJson<infer Replaced>
          ? ToJsonRefusal<Replaced>
          : T extends PromiseLike<unknown>
            ? NotRecordable<"A promise cannot be recorded. Await it first.">
            : T extends ReadonlyMap<unknown, unknown>
              ? NotRecordable<"A Map cannot be recorded. Give Object.fromEntries(map) or [...map].">
              : T extends ReadonlySet<unknown>
                ? NotRecordable<"A Set cannot be recorded. Give [...set].">
                : T extends ArrayBufferView | ArrayBufferLike
                  ? NotRecordable<"A buffer cannot be recorded. Give new Uint8Array(buffer) as the whole value.">
                  : T extends AnyResponse
                    ? NotRecordable<"A Response cannot be recorded. Give await response.json(), or what is needed of it.">
                    : IsError<T> extends true
                      ? NotRecordable<"An Error cannot be recorded. Throw it, or give what is needed of it.">
                      : never;

type ToJsonRefusal<Replaced> = unknown extends Replaced
  ? never
  : MayBeUndefined<Replaced> extends true
    ? NotRecordable<"A toJSON that gives undefined cannot be recorded. Give null.">
    : Replaced extends HasToJson<unknown>
      ? NotRecordable<"A toJSON that gives something with a toJSON cannot be recorded. Call that, too.">
      : [Replaced] extends [Checked<Replaced, "given">]
        ? never
        : NotRecordable<"A toJSON that gives what cannot be recorded cannot be recorded. Give plain data.">;

/** Errors have no methods that would tell them from data. What does is a `cause` of any type beside a `stack`. */
type IsError<T> = T extends Error
  ? keyof Error extends keyof T
    ? "stack" extends keyof T
      ? "cause" extends keyof T
        ? unknown extends T["cause"]
          ? true
          : false
        : true
      : false
    : false
  : false;

/** False where the compiler does not tell `undefined` from other types (`strictNullChecks: false`). */
type MayBeUndefined<T> = undefined extends string ? false : undefined extends T ? true : false;

/** `T`, with a NotRecordable in each place where the record would refuse it, or (`taken`) give something else back. */
type Checked<T, Way> = unknown extends T ? T : T extends Primitive ? T : CheckedObject<T, Refusal<T>, Way>;

type CheckedObject<T, Refused, Way> = [Refused] extends [never]
  ? T extends HasToJson<unknown>
    ? Way extends "given"
      ? T
      : NotRecordable<"A Date arrives as text, and what has a toJSON as what that gives. Declare that, or parse it with a schema.">
    : T extends readonly unknown[]
      ? readonly (CheckedItem<ItemOf<T>, Way> | OptionalItem<T>)[]
      : { [Key in keyof T]: Key extends symbol ? Brand<T[Key]> : Checked<T[Key], Way> }
  : Refused;

type CheckedItem<Item, Way> = unknown extends Item
  ? Item
  : Item extends undefined
    ? NotRecordable<"undefined cannot be recorded in a list. Give null.">
    : Checked<Item, Way>;

type Brand<T> = T extends AnyFunction ? Refusal<T> : T;

/** `T`, with `never` or something narrower in each place where what comes back is of another type. */
type Kept<T> = unknown extends T
  ? T
  : T extends Primitive
    ? T
    : T extends bigint | symbol | AnyFunction | HasToJson<unknown>
      ? never
      : T extends readonly unknown[]
        ? KeptList<T>
        : IsOfPublicFields<T> extends true
          ? { [Key in keyof T]: Key extends symbol ? T[Key] : Kept<Exclude<T[Key], undefined>> }
          : never;

type KeptList<T extends readonly unknown[]> =
  IsTuple<T> extends true
    ? readonly (Kept<ItemOf<T>> | OptionalItem<T>)[]
    : T[number][] extends T
      ? readonly Kept<T[number]>[]
      : never;

/** False for classes with private members, which are lost with the class. */
type IsOfPublicFields<T> = [{ [Key in keyof T]: T[Key] }] extends [T] ? true : false;

type Converted<T> = T extends Primitive
  ? T
  : [Refusal<T>] extends [never]
    ? T extends HasToJson<infer Replaced>
      ? RecordedPart<Replaced>
      : T extends readonly unknown[]
        ? ConvertedList<T>
        : ConvertedObject<T, DroppedKeys<T>>
    : Refusal<T>;

type ConvertedList<T extends readonly unknown[]> =
  IsTuple<T> extends true
    ? { [Key in keyof T]: RecordedPart<T[Key]> }
    : T extends unknown[]
      ? RecordedPart<T[number]>[]
      : readonly RecordedPart<T[number]>[];

type ConvertedObject<T, Dropped> = [Dropped] extends [never]
  ? { [Key in keyof T]: ConvertedProperty<T, Key> }
  : Shown<
      { [Key in keyof T as Exclude<Key, Dropped>]: ConvertedProperty<T, Key> } & {
        [Key in keyof T as Extract<Key, Dropped>]?: ConvertedProperty<T, Key>;
      }
    >;

type ConvertedProperty<T, Key extends keyof T> = Key extends symbol
  ? T[Key]
  : IsIndex<Key> extends true
    ? RecordedPart<T[Key]>
    : RecordedPart<Exclude<T[Key], undefined>>;

/** The properties that must be there and may be `undefined`: they come back optional. */
type DroppedKeys<T> = {
  [Key in keyof T]-?: IsIndex<Key> extends true
    ? never
    : unknown extends T[Key]
      ? never
      : MayBeUndefined<T[Key]> extends true
        ? Record<never, never> extends Pick<T, Key>
          ? never
          : Key
        : never;
}[keyof T];

/** Whether a key stands for all keys of its type, as in `{ [key: string]: number }`. */
type IsIndex<Key> = string extends Key ? true : number extends Key ? true : symbol extends Key ? true : false;

/** One object type in place of an intersection. */
type Shown<T> = { [Key in keyof T]: T[Key] };

/** Whether a list's type tells positions: neither an array nor an interface that extends one. */
type IsTuple<T extends readonly unknown[]> = { [Key in keyof T]: 0 } extends readonly (0 | undefined)[]
  ? T[number][] extends T
    ? false
    : readonly T[number][] extends T
      ? false
      : true
  : false;

/** What stands in a list. Places of a tuple that may be missing do not make it `undefined`. */
type ItemOf<T extends readonly unknown[]> = [OptionalItem<T>] extends [never]
  ? T[number]
  : Exclude<T[number], undefined>;

/** `undefined` for tuples with places that may be missing, and never for all other lists. */
type OptionalItem<T extends readonly unknown[]> =
  IsTuple<T> extends true ? (T extends Required<T> ? never : undefined) : never;
