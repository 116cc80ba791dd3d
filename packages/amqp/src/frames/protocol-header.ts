/** What a protocol header announces: AMQP itself, or a security layer before it. */
export const PROTOCOL = { amqp: 0, tls: 2, sasl: 3 } as const;

/** The subprotocol of a WebSocket whose binary messages are the bytes of a connection, cut anyhow. */
export const WEBSOCKET_PROTOCOL = "amqp";

/** How many bytes a protocol header has. */
export const HEADER_BYTES = 8;

/** "AMQP", the protocol, and version 1.0.0. */
export function protocolHeader(protocol: number): Uint8Array {
  return Uint8Array.of(0x41, 0x4d, 0x51, 0x50, protocol, 1, 0, 0);
}

/** Which of `PROTOCOL` the header at `at` announces; null for another protocol or version. */
export function readProtocolHeader(bytes: Uint8Array, at: number): number | null {
  const protocol = bytes[at + 4] ?? -1;
  const wanted = protocolHeader(protocol);
  return wanted.every((byte, i) => bytes[at + i] === byte) ? protocol : null;
}
