import { once } from "node:events";
import http2 from "node:http2";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { routeConnections } from "./routes.ts";

let server: Server;
let route: string;
let calls = 0;

beforeEach(async () => {
  calls = 0;
  server = createServer((socket) => {
    calls += 1;
    socket.on("error", () => {});
    // Read, so that the other side's end is seen.
    socket.resume().end("here");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  route = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

test("connections of every kind are led to where the route says, and others are left alone", async () => {
  // No process listens on port 1; the routes stay in force until this file's process ends.
  routeConnections({ "127.0.0.1:1": route });
  const byOptions = connect({ host: "127.0.0.1", port: 1 });
  expect(String((await once(byOptions, "data"))[0])).toBe("here");
  const byArguments = connect(1, "127.0.0.1");
  expect(String((await once(byArguments, "data"))[0])).toBe("here");
  const session = http2.connect("http://127.0.0.1:1");
  session.on("error", () => {});
  await once(session, "close");
  const direct = connect({ host: "127.0.0.1", port: Number(route.split(":")[1]) });
  expect(String((await once(direct, "data"))[0])).toBe("here");
  expect(calls).toBe(4);
});
