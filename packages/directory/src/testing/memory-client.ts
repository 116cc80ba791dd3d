import { type ClientMessage, type ServerMessage, serverMessageSchema } from "@datawire/protocol";
import type { FakeClock } from "@datawire/runtime/testing";
import type { MemoryDirectory } from "./memory-directory.ts";
import type { Wire } from "./memory-link.ts";

/** A client of the link, made by hand, on a clock that stands still until it is moved. */
export interface MemoryClient {
  /** What came and was not looked at yet. */
  readonly received: ServerMessage[];
  send(message: ClientMessage | Record<string, unknown>): void;
  /** Breaks off without a word. */
  terminate(): void;
}

/** Opens a link through memory; the clock has to be moved for anything to come. */
export function connectClient(directory: MemoryDirectory, clock: FakeClock): MemoryClient {
  const wire: Wire = { carry: (_, arrive) => void clock.setTimer(0, arrive), waitingBytes: 0 };
  const received: ServerMessage[] = [];
  const { connection } = directory.link(
    {
      opened() {},
      alive() {},
      text: (data) => void received.push(serverMessageSchema.parse(JSON.parse(data))),
      closed() {},
    },
    { toDirectory: wire, toClient: wire },
  );
  return {
    received,
    send: (message) => connection.send(JSON.stringify(message)),
    terminate: () => connection.terminate(),
  };
}
