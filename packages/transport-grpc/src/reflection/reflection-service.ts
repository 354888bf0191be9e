/** Server reflection, both versions, which differ by name alone: for grpcurl and other clients without the schemas. */
import { Code, type ConnectRouter } from "@connectrpc/connect";
import { ServerReflection } from "../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import type { Descriptors } from "./descriptors.ts";

/** A request of either version. */
type Question =
  | {
      readonly case: "listServices" | "fileByFilename" | "fileContainingSymbol" | "allExtensionNumbersOfType";
      readonly value: string;
    }
  | {
      readonly case: "fileContainingExtension";
      readonly value: { readonly containingType: string; readonly extensionNumber: number };
    }
  | { readonly case: undefined };

/** A response of either version. */
type Answer =
  | { case: "listServicesResponse"; value: { service: { name: string }[] } }
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: "allExtensionNumbersResponse"; value: { baseTypeName: string; extensionNumber: number[] } }
  | { case: "errorResponse"; value: { errorCode: number; errorMessage: string } };

/** `descriptors` is asked at the first request: by then every service has been added. */
export function routeReflection(router: ConnectRouter, descriptors: () => Descriptors): void {
  router.service(ServerReflection, {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        const messageResponse = answer(request.messageRequest, descriptors());
        yield { validHost: request.host, originalRequest: request, messageResponse };
      }
    },
  });
  router.service(ServerReflectionAlpha, {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        const messageResponse = answer(request.messageRequest, descriptors());
        yield { validHost: request.host, originalRequest: request, messageResponse };
      }
    },
  });
}

function answer(asked: Question, descriptors: Descriptors): Answer {
  switch (asked.case) {
    case "listServices":
      return { case: "listServicesResponse", value: { service: descriptors.services.map((name) => ({ name })) } };
    case "fileByFilename":
      return files(descriptors.fileNamed(asked.value), `file "${asked.value}"`);
    case "fileContainingSymbol":
      return files(descriptors.fileWith(asked.value), `symbol "${asked.value}"`);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = asked.value;
      const found = descriptors.fileWithExtension(containingType, extensionNumber);
      return files(found, `extension ${extensionNumber} of "${containingType}"`);
    }
    case "allExtensionNumbersOfType": {
      const numbers = descriptors.extensionNumbers(asked.value);
      if (numbers === undefined) return missing(`message "${asked.value}"`);
      return {
        case: "allExtensionNumbersResponse",
        value: { baseTypeName: asked.value, extensionNumber: [...numbers] },
      };
    }
    default:
      return failure(Code.InvalidArgument, "the request asks nothing that this version knows");
  }
}

function files(found: readonly Uint8Array[] | undefined, what: string): Answer {
  if (found === undefined) return missing(what);
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto: [...found] } };
}

function missing(what: string): Answer {
  return failure(Code.NotFound, `there is no ${what} here`);
}

function failure(errorCode: Code, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
