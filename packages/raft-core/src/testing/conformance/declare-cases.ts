/** Declares the cases of the conformance suites in any test runner. */

/** The functions of a test runner. Those of Vitest and of node:test fit. */
export interface TestFunctions {
  describe(name: string, body: () => void): void;
  test(name: string, body: () => Promise<void>): void;
}

/** Declares a case. The body gets a new subject, which is released also when the body fails. */
export type DeclareCase<Subject> = (name: string, body: (subject: Subject) => Promise<void>) => void;

/** Declares cases in `runner`, each with a subject that `create` makes for it. */
export function casesOf<Subject extends { dispose(): Promise<void> }>(
  runner: TestFunctions,
  create: () => Promise<Subject> | Subject,
): DeclareCase<Subject> {
  return (name, body) => {
    runner.test(name, async () => {
      const subject = await create();
      try {
        await body(subject);
      } finally {
        await subject.dispose();
      }
    });
  };
}
