/** What handlers of objects are given. */
import type { Variable, WorkflowContext } from "../workflow-context.ts";

/** The state of an object, for handlers that may not change it. */
export interface ObjectState<State> {
  /** As it is recorded, and frozen: an object without a state yet has the state of the definition. */
  readonly value: State;
}

/** Methods of a body that a handler of an object does not have: the object's own body uses them. */
type BodyOnly = "continueAsNew" | "on" | "onUpdate" | "onQuery";

/** What a handler of an object is given: the context of a workflow, whose names are the call's own, with the object's key and state. */
export interface SharedContext<State> extends Omit<WorkflowContext, BodyOnly> {
  /** The key of the object: `alice` of `account/alice`. */
  readonly key: string;
  /** The state as it is when it is read. Exclusive handlers may change it meanwhile. */
  readonly state: ObjectState<State>;
}

/** What an exclusive handler of an object is given. */
export interface ExclusiveContext<State> extends Omit<SharedContext<State>, "state"> {
  /**
   * The state, which nothing else changes while the handler runs. `set` and `update` resolve once the change is recorded, or will be together with the next record. A state
   * that JSON does not carry, or that is too large, fails the call (VariableFailedError), and the state stays as it was. Changes stand, also when the handler fails
   * afterwards.
   */
  readonly state: Variable<State>;
}
