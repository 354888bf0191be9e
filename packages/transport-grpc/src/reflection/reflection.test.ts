// Server reflection: what a client without schemas learns is enough to call, in both versions.
import { create, createFileRegistry, fromBinary, type Message } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterEach, describe, expect, test } from "vitest";
import { ServerReflection, type ServerReflectionResponse } from "../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { RecordingNode } from "../testing/recording-node.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

type Asked = {
  case: "listServices" | "fileByFilename" | "fileContainingSymbol" | "allExtensionNumbersOfType";
  value: string;
};

describe.each([
  ["v1", ServerReflection],
  ["v1alpha", ServerReflectionAlpha as unknown as typeof ServerReflection],
])("server reflection %s", (_, service) => {
  async function ask(...questions: (Asked | { case: undefined })[]) {
    const node = await RecordingNode.start(1);
    cleanUps.push(() => node.stop());
    const client = createClient(service, createGrpcTransport({ baseUrl: `http://${node.address}` }));
    const answers: ServerReflectionResponse["messageResponse"][] = [];
    const requests = async function* () {
      for (const messageRequest of questions) yield { host: "here", messageRequest };
    };
    for await (const response of client.serverReflectionInfo(requests())) {
      expect(response.originalRequest?.host).toBe("here");
      answers.push(response.messageResponse);
    }
    return answers;
  }

  test("lists every service of the port", async () => {
    const [answer] = await ask({ case: "listServices", value: "" });
    const listed = answer?.case === "listServicesResponse" ? answer.value.service : [];
    expect(listed.map(({ name }) => name)).toEqual([
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "raftoral.RaftService",
      "raftoral.v1.PeerService",
    ]);
  });

  test("gives files from which a client can be built, whichever way it asks", async () => {
    const answers = await ask(
      { case: "fileContainingSymbol", value: "raftoral.RaftService" },
      { case: "fileContainingSymbol", value: ".raftoral.RaftService.Discover" },
      { case: "fileContainingSymbol", value: "raftoral.DiscoveryResponse" },
      { case: "fileContainingSymbol", value: "grpc.health.v1.HealthCheckResponse.ServingStatus" },
      { case: "fileByFilename", value: "raftoral/raft_service.proto" },
    );
    const names = answers.map(({ value }) => {
      const bytes = (value as Message & { fileDescriptorProto: Uint8Array[] }).fileDescriptorProto;
      const files = bytes.map((file) => fromBinary(FileDescriptorProtoSchema, file));
      // Throws where a file lacks one that it needs.
      const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: files }));
      return [...registry.files].map(({ name }) => name);
    });
    expect(names).toEqual([
      ["raftoral/raft_service"],
      ["raftoral/raft_service"],
      ["raftoral/raft_service"],
      ["grpc/health/v1/health"],
      ["raftoral/raft_service"],
    ]);
  });

  test("says so where it knows nothing, and goes on", async () => {
    const answers = await ask(
      { case: "fileContainingSymbol", value: "unknown.Knows" },
      { case: "fileByFilename", value: "unknown.proto" },
      { case: "allExtensionNumbersOfType", value: "unknown.Knows" },
      { case: "allExtensionNumbersOfType", value: "raftoral.RaftMessage" },
      { case: undefined },
    );
    expect(answers.map(({ case: kind }) => kind)).toEqual([
      "errorResponse",
      "errorResponse",
      "errorResponse",
      "allExtensionNumbersResponse",
      "errorResponse",
    ]);
    expect(answers[0]?.value).toMatchObject({ errorCode: 5, errorMessage: expect.stringContaining("unknown.Knows") });
    expect(answers[4]?.value).toMatchObject({ errorCode: 3 });
  });
});
