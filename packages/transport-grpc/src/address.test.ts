import http2 from "node:http2";
import { expect, test } from "vitest";
import { formatAddress, parseAddress } from "./address.ts";

test.each(["127.0.0.1:5001", "[::1]:5001", "node-1.example.com:1", "my_host:65535", "localhost:0"])(
  "%s is an address that can be connected to",
  (address) => {
    const session = http2.connect(`http://${formatAddress(parseAddress(address))}`);
    session.on("error", () => {});
    session.destroy();
  },
);

// A node that connects to what is no host would throw in the middle of sending, and every member learns every address.
test.each([
  "999.999.999.999:1",
  "1.2.3.256:99",
  "1.2.3.4.5:1",
  "[12345]:80:1",
  "[fe80::1%eth0]:5000",
  "a@b:1",
  "a?b:1",
  "host",
  "host:",
  ":1",
  "host:65536",
])("%s is refused", (address) => {
  expect(() => parseAddress(address)).toThrow(expect.objectContaining({ code: "TRANSPORT_ADDRESS_INVALID" }));
});
