/** Downloads of files that a prompt names by their URLs: the SDK makes them in the body, where nothing may be read. */
import type { WorkflowContext } from "@raftoral/workflow";
import type { Experimental_DownloadFunction as Download } from "ai";
import { AgentError } from "../errors.ts";
import { packed, unpacked } from "../packed-value.ts";

/** What a download gives. */
export type Downloaded = Awaited<ReturnType<Download>>;

/** The SDK's download function, as a step. URLs that the model reads itself are handed to it. Rejects with DOWNLOAD_NOT_GIVEN without a `download`. */
export function recordedDownload(ctx: WorkflowContext, download: Download | undefined): Download {
  return async (asked) => {
    const urls = asked.filter(({ isUrlSupportedByModel }) => !isUrlSupportedByModel).map(({ url }) => url.href);
    if (urls.length === 0) return asked.map(() => null);
    if (download === undefined) {
      throw new AgentError(
        "DOWNLOAD_NOT_GIVEN",
        `The model does not read ${urls[0]?.slice(0, 200)} itself, and a body cannot read it. Give durable() a download, which runs as a step, or put the file's bytes into the prompt.`,
      );
    }
    const files = await ctx.step("download", async (step) => {
      const given = await download(asked.map((one) => ({ ...one, abortSignal: step.signal })));
      return { files: packed(given, "a downloaded file") };
    });
    // What was packed is what the download gave.
    return unpacked(files.files) as Downloaded;
  };
}
