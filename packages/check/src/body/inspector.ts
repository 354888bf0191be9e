/**
 * Follows the code of bodies: from the definition of a workflow through the functions that the body calls, within the files that
 * can be read.
 *
 * I1. A function is followed once for each difference in what it is given and how it is run; a function that calls itself is
 *     not followed again.
 * I2. The number of functions followed for one body is bounded by MAX_FOLLOWED, and how deep calls are followed by MAX_CALLS.
 */
import type { Node } from "@babel/types";
import { CheckError } from "../errors.ts";
import type { ModuleGraph } from "../modules/module-graph.ts";
import type { SourceModule } from "../modules/source-module.ts";
import type { FunctionNode } from "../syntax/nodes.ts";
import { Evaluator } from "../values/evaluator.ts";
import type { Frame } from "../values/frame.ts";
import type { Keys } from "../values/keys.ts";
import type { FunctionValue } from "../values/value.ts";
import type { Findings } from "./findings.ts";
import { FunctionWalk } from "./function-walk.ts";
import { type Arguments, NO_OUTCOME, type Outcome, type Region } from "./region.ts";

const MAX_FOLLOWED = 50_000;
const MAX_CALLS = 40;

/** Inspects the bodies of one set of files (I1, I2), and puts what it finds into its {@link Findings}. */
export class Inspector {
  readonly evaluator: Evaluator;
  readonly keys: Keys;
  readonly findings: Findings;
  /** Type of the workflow, for messages. */
  readonly workflow: string | undefined;
  /** The function that is the body. */
  readonly body: FunctionValue;
  readonly #drops = new Set<Node>();
  readonly #outcomes = new Map<string, Outcome>();
  readonly #open: Frame[] = [];
  readonly #followed: { readonly module: SourceModule; readonly fn: FunctionNode }[] = [];

  constructor(graph: ModuleGraph, keys: Keys, findings: Findings, body: FunctionValue, workflow: string | undefined) {
    this.evaluator = new Evaluator(graph, keys);
    this.keys = keys;
    this.findings = findings;
    this.body = body;
    this.workflow = workflow;
  }

  /** Whether no finding is at this end of a promise yet. */
  isNewDrop(at: Node): boolean {
    const isNew = !this.#drops.has(at);
    this.#drops.add(at);
    return isNew;
  }

  /** Follows a body whose context is its parameter `index`. */
  inspect(index: number): Outcome {
    const context = this.keys.of(`context of body ${this.keys.ofObject(this.body.fn)}`);
    const region: Region = { mode: "body", context, calledFrom: undefined };
    return this.follow(this.body, (at) => (at === index ? { type: "context", id: context } : undefined), region);
  }

  /** The functions that were followed so far, in that order, some of them several times. */
  followed(): readonly { readonly module: SourceModule; readonly fn: FunctionNode }[] {
    return this.#followed;
  }

  /** Follows one call of a function. Throws CHECK_FILE_TOO_COMPLEX when there is too much to follow. */
  follow(value: FunctionValue, argumentOf: Arguments, region: Region): Outcome {
    const frame = this.evaluator.frameOf(value, argumentOf);
    const key = [frame.key, region.mode, region.context].join();
    const known = this.#outcomes.get(key);
    if (known !== undefined) return known;
    if (this.#open.filter(({ fn }) => fn === value.fn).length >= 2) return NO_OUTCOME;
    this.#followed.push(value);
    if (this.#followed.length > MAX_FOLLOWED || this.#open.length >= MAX_CALLS) throw tooComplex(this.body.module);
    this.#outcomes.set(key, NO_OUTCOME);
    this.#open.push(frame);
    try {
      const outcome = new FunctionWalk(this, { module: value.module, frame }, region).run();
      this.#outcomes.set(key, outcome);
      return outcome;
    } finally {
      this.#open.pop();
    }
  }
}

function tooComplex(module: SourceModule): CheckError {
  return new CheckError(
    "CHECK_FILE_TOO_COMPLEX",
    module.path,
    `${module.path} has a body that calls too many functions to follow. Split the workflow into smaller ones.`,
  );
}
