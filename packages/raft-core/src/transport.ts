// Entry for authors of a transport: the ports that it implements, the codec of messages, and the parts that all transports share.
//
// The first import refuses a Node that is too old to run the rest.
import "./require-node.ts";

export { decodePeerMessage, encodeMessage, messageSize, writeMessage } from "./eraftpb/message.ts";
export { type Message, type MessageType, message, type PeerMessageType } from "./message.ts";
export {
  type GroupChannel,
  type GroupDescription,
  type GroupReceiver,
  MAX_PEER_REQUEST_BYTES,
  type PeerTransport,
} from "./ports/peer-transport.ts";
export { joinedCrc32 } from "./ports/snapshot-crc.ts";
export type { FixedContent, SnapshotStream } from "./ports/snapshot-stream.ts";
export { ClusterRegistry } from "./transport-kit/cluster-registry.ts";
export { NodeDirectory, type NodeDirectoryListener } from "./transport-kit/node-directory.ts";
export { removedFrom } from "./transport-kit/removed-from.ts";
