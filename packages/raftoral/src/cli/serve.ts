/**
 * A node as a process: starts it, stops it in order at a signal, ends with a reason when it cannot go on.
 */
import type { Logger } from "@raftoral/raft-core";
import { createLogger } from "../logging/logger.ts";
import { RaftoralNode } from "../node/raftoral-node.ts";
import { loadCodecs } from "./codec-file.ts";
import type { StartSettings } from "./commands/start.ts";
import type { CliIo } from "./io.ts";
import { loadWorkflows } from "./workflow-files.ts";

/** 128 and the number of the signal, as shells expect it. */
const EXIT_BY_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const;

/** Runs a node until it stops; resolves with the exit code. Rejects when it cannot be started. */
export async function serve(settings: StartSettings, io: CliIo): Promise<number> {
  const logger = createLogger({
    level: settings.logLevel,
    format: settings.logFormat,
    target: { isTty: io.isTty, write: (text, tone) => io.out(text, tone) },
  });
  const workflows = await loadWorkflows(settings.workflowFiles);
  const { codecFile } = settings;
  const codecs = codecFile === undefined ? {} : { payloadCodec: await loadCodecs(codecFile) };
  // Listened to from here on, so that a signal during a long join is not lost.
  const signal = nextSignal(io);
  const starting = RaftoralNode.start({ ...settings.node, ...codecs, workflows, logger });
  const node = await Promise.race([starting, signal.first]);
  if (typeof node === "string") {
    logger.info({ signal: node }, "stopped before the node had started");
    signal.dispose();
    return EXIT_BY_SIGNAL[node];
  }
  // Where there is nothing to reload the end of a terminal ends the node, too.
  const stopReloading = settings.node.tls ? io.onHangUp(() => reload(node, logger)) : () => {};
  const end = await Promise.race([signal.first, node.failed, node.left]);
  stopReloading();
  if (end instanceof Error) {
    signal.dispose();
    await node.stop({ timeoutMs: 1_000 });
    throw end;
  }
  if (end === "left") {
    logger.info({}, "this node is no member of the cluster any more");
  } else {
    logger.info({ signal: end }, "stopping; a second signal ends the process at once");
    void signal.second.then((second) => io.exit(EXIT_BY_SIGNAL[second]));
  }
  await node.stop();
  signal.dispose();
  return 0;
}

function reload(node: RaftoralNode, logger: Logger): void {
  try {
    const isNew = node.reloadTls();
    logger.info({ signal: "SIGHUP" }, isNew ? "the certificates were read again" : "the certificates have not changed");
  } catch (error) {
    logger.error({ err: error }, "the certificates cannot be used; going on with those before");
  }
}

type Signal = "SIGINT" | "SIGTERM";

function nextSignal(io: CliIo): { readonly first: Promise<Signal>; readonly second: Promise<Signal>; dispose(): void } {
  const first = Promise.withResolvers<Signal>();
  const second = Promise.withResolvers<Signal>();
  let seen = 0;
  const dispose = io.onSignal((signal) => {
    seen += 1;
    (seen === 1 ? first : second).resolve(signal);
  });
  return { first: first.promise, second: second.promise, dispose };
}
