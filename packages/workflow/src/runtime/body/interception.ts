/** One body's way to the runtime's interceptor. Made only where there is one. */
import type { StepContext } from "../../author/workflow-context.ts";
import type { RecordKind } from "../../model/record.ts";
import type { RunOutcome } from "../../model/runs/run-outcome.ts";
import type { InterceptedBody, RuntimeInterceptor } from "../runtime-interceptor.ts";

/** Calls the interceptor on behalf of one body, with the run's facts filled in. */
export class Interception {
  readonly #interceptor: RuntimeInterceptor;
  readonly #input: Uint8Array;
  readonly #body: InterceptedBody;

  constructor(interceptor: RuntimeInterceptor, input: Uint8Array, body: InterceptedBody) {
    this.#interceptor = interceptor;
    this.#input = input;
    this.#body = body;
  }

  runBody(run: () => Promise<RunOutcome>): Promise<RunOutcome> {
    return this.#interceptor.runBody(this.#body, run);
  }

  callBegins(path: string, kind: RecordKind, isReplay: boolean): void {
    this.#interceptor.callBegins({ body: this.#body, path, kind, isReplay });
  }

  callAnswered(path: string, kind: RecordKind, isReplay: boolean): void {
    this.#interceptor.callAnswered({ body: this.#body, path, kind, isReplay });
  }

  aside<T>(run: () => T): T {
    return this.#interceptor.runAside(run);
  }

  /** The rejection of the call, if the interceptor refuses it. */
  foreignAwait(call: string): Promise<never> | undefined {
    try {
      this.#interceptor.foreignAwait(this.#body, call);
      return undefined;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** A step's function with the interceptor around each of its attempts. */
  step(path: string, fn: (step: StepContext) => unknown): (step: StepContext) => unknown {
    const [body, input] = [this.#body, this.#input];
    return (step) => {
      const { attempt, signal } = step;
      return this.#interceptor.runStep({ body, path, attempt, input, signal }, () => fn(step));
    };
  }
}
