/** How the conformance suites declare their cases, whatever test runner they run in. */

/** The test runner's functions; those of Vitest and of node:test both fit. */
export interface TestFunctions {
  describe(name: string, body: () => void): void;
  test(name: string, body: () => Promise<void>): void;
}

/** Declares a case: the body gets a fresh subject, which is released whatever happens. */
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
