/** One cluster for all tests of a `describe`: started before the first, ended after the last, its logs shown when one fails. */
import { afterAll, afterEach, beforeAll } from "vitest";
import { TestCluster, type TestClusterOptions } from "./test-cluster.ts";

const START_MS = 60_000;

/** To be called in a `describe`; what it returns, in its tests. */
export function useCluster(size: number, options: TestClusterOptions = {}): () => TestCluster {
  let cluster: TestCluster | undefined;
  beforeAll(async () => {
    cluster = await TestCluster.start(size, options);
  }, START_MS);
  afterEach(({ task }) => {
    if (task.result?.state === "fail") cluster?.showLogs();
  });
  afterAll(async () => {
    await cluster?.end();
  });
  return () => {
    if (cluster === undefined) throw new Error("the cluster runs only while tests do");
    return cluster;
  };
}
