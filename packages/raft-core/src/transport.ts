// For those who build a transport: what it implements, the codec of messages, and what all transports share.
//
// First: what follows does not run on an old Node.
import "./require-node.ts";

export { decodePeerMessage, encodeMessage, messageSize, writeMessage } from "./eraftpb/message.ts";
export { type Message, type MessageType, message, type PeerMessageType } from "./message.ts";
export type { GroupChannel, GroupDescription, GroupReceiver, PeerTransport } from "./ports/peer-transport.ts";
export { joinedCrc32 } from "./ports/snapshot-crc.ts";
export type { FixedContent, SnapshotStream } from "./ports/snapshot-stream.ts";
export { ClusterRegistry } from "./transport-kit/cluster-registry.ts";
export { NodeDirectory, type NodeDirectoryListener } from "./transport-kit/node-directory.ts";
