/** `grpc.health.v1.Health` over a {@link HealthBoard}: for grpc_health_probe, load balancers and Kubernetes. */
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import {
  Health,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as WireStatus,
} from "../gen/grpc/health/v1/health_pb.ts";
import type { HealthBoard } from "./health-board.ts";

/** Adds `grpc.health.v1.Health` to a router. `Check` answers NOT_FOUND for an unknown service; `Watch` ends when the caller goes. */
export function routeHealth(router: ConnectRouter, board: HealthBoard): void {
  router.service(Health, {
    check({ service }) {
      const status = board.get(service);
      if (status === undefined) throw new ConnectError(`there is no service "${service}" here`, Code.NotFound);
      return { status: WireStatus[status] };
    },
    list: () => ({
      statuses: Object.fromEntries(board.services().map((service) => [service, responseOf(board, service)])),
    }),
    watch: ({ service }, { signal }: HandlerContext) => watch(board, service, signal),
  });
}

/** The status now and after each change, until the caller goes, or the server stops: then NOT_SERVING is the last word. */
async function* watch(board: HealthBoard, service: string, signal: AbortSignal): AsyncGenerator<HealthCheckResponse> {
  let wake = Promise.withResolvers<void>();
  const stop = board.onChange(() => wake.resolve());
  const onAbort = () => wake.resolve();
  signal.addEventListener("abort", onAbort);
  try {
    let last: WireStatus | undefined;
    while (!signal.aborted) {
      const response = responseOf(board, service);
      if (response.status !== last) yield response;
      last = response.status;
      if (board.isDrained) return;
      await wake.promise;
      wake = Promise.withResolvers();
    }
  } finally {
    stop();
    signal.removeEventListener("abort", onAbort);
  }
}

function responseOf(board: HealthBoard, service: string): HealthCheckResponse {
  return create(HealthCheckResponseSchema, { status: WireStatus[board.get(service) ?? "SERVICE_UNKNOWN"] });
}
