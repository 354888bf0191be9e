/** The types that an object has for its callers, apart from its code: what calls know of it. */

/** The types of a handler for its callers. Every handler is one. */
export interface TypedHandler<Given = never, Answer = unknown> {
  /** Types alone; no handler has this property. */
  readonly "~types"?: { readonly given: (given: Given) => void; readonly answer: Answer };
}

/** An object's type, with the types of its state and its handlers. Every definition is one. */
export interface TypedObject<State = unknown, Handlers = unknown, Type extends string = string> {
  readonly type: Type;
  /** Types alone; no definition has this property. */
  readonly "~object"?: { readonly state: State; readonly handlers: Handlers };
}

/** The type of an object by its definition's type: `"account"` of `object("account", ...)`. */
export type ObjectType<Definition> =
  Definition extends TypedObject<infer _State, infer _Handlers, infer Type> ? Type : never;

/** What the state of an object is: of a definition, or of `typeof definition`. */
export type StateOf<Definition> =
  Definition extends TypedObject<infer State, infer _Handlers, string> ? State : unknown;

/** The names of an object's handlers. */
export type HandlerName<Definition> =
  Definition extends TypedObject<infer _State, infer Handlers, string>
    ? unknown extends Handlers
      ? string
      : keyof Handlers & string
    : string;

/** What callers of a handler give. */
export type HandlerGiven<Definition, Name> =
  HandlerOf<Definition, Name> extends TypedHandler<infer Given, infer _Answer> ? Given : unknown;

/** What callers of a handler get. */
export type HandlerAnswer<Definition, Name> =
  HandlerOf<Definition, Name> extends TypedHandler<infer _Given, infer Answer> ? Answer : unknown;

type HandlerOf<Definition, Name> =
  Definition extends TypedObject<infer _State, infer Handlers, string>
    ? Name extends keyof Handlers
      ? Handlers[Name]
      : unknown
    : unknown;
