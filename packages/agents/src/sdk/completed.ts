/** Reading a streamed result of the SDK to its end, in a body. */

/** A result of `streamText`, as far as it is read. */
export interface StreamedResult {
  readonly stream: AsyncIterable<{ readonly type: string; readonly error?: unknown }>;
}

/**
 * Reads a result of `streamText` to its end, and gives the same result. Rejects with the error that ended it: the step's (StepFailedError), or the cancellation of the run. The
 * result's own promises reject with the SDK's NoOutputGeneratedError instead, which does not name it.
 */
export async function completed<Result extends StreamedResult>(result: Result): Promise<Result> {
  for await (const part of result.stream) if (part.type === "error") throw part.error;
  return result;
}
