/**
 * The call's promise, with errors thrown on the way as rejections. A promise that the author drops must not end the process when it rejects (after
 * a cancellation, say): code that awaits it still gets the rejection.
 */
export function called<T>(fn: () => Promise<T>): Promise<T> {
  let promise: Promise<T>;
  try {
    promise = fn();
  } catch (error) {
    promise = Promise.reject(error);
  }
  promise.catch(ignore);
  return promise;
}

function ignore(): void {}
