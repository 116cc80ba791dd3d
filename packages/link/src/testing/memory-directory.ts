import type { ClientMessage, ServerMessage } from "@datawire/protocol";
import type { Connect, ConnectionEvents, ConnectTarget } from "../transport/connection.ts";

/** The directory's end of one connection in memory. */
export interface MemoryConnection {
  readonly target: ConnectTarget;
  readonly events: ConnectionEvents;
  /** What the client has sent. */
  readonly received: ClientMessage[];
  state: "open" | "closing" | "terminated";
  /** The code that the client closed it with. */
  closed: number | null;
  bufferedBytes: number;
  send(message: ServerMessage): void;
}

/** Directories in memory: a test holds every connection in its hand. */
export interface MemoryNetwork {
  readonly connect: Connect;
  readonly connections: MemoryConnection[];
  /** The newest connection. */
  last(): MemoryConnection;
}

/** Makes a network on which nothing happens but by the hand of a test. */
export function createMemoryNetwork(): MemoryNetwork {
  const connections: MemoryConnection[] = [];
  return {
    connections,
    last: () => {
      const last = connections.at(-1);
      if (last === undefined) throw new Error("Cannot give the last connection: there was none");
      return last;
    },
    connect(target, events) {
      const connection: MemoryConnection = {
        target,
        events,
        received: [],
        state: "open",
        closed: null,
        bufferedBytes: 0,
        send: (message) => events.text(JSON.stringify(message)),
      };
      connections.push(connection);
      return {
        send: (text) => void connection.received.push(JSON.parse(text) as ClientMessage),
        get bufferedBytes() {
          return connection.bufferedBytes;
        },
        close(code = 1000) {
          connection.state = "closing";
          connection.closed = code;
        },
        terminate: () => (connection.state = "terminated"),
      };
    },
  };
}
