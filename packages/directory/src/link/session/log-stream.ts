import type { ClientMessage, ServerMessage } from "@datawire/protocol";
import { requireRight } from "../../access/grant.ts";
import type { Permit } from "../../access/gate.ts";
import type { Logs } from "../../traces/logs.ts";
import type { Socket } from "./socket.ts";

type Logged = Extract<ClientMessage, { type: "logs" }>;
type Wish = Extract<ClientMessage, { type: "followLogs" }>;

/** Who logs. */
interface Client {
  readonly id: string;
  readonly name: string;
}

interface LogStreamDeps {
  readonly logs: Logs;
  readonly permit: Permit;
  readonly socket: Pick<Socket, "bufferedBytes">;
  readonly send: (message: ServerMessage) => void;
}

/** The most bytes that may wait to be sent to one follower; events beyond that are not sent to it. */
const BUFFERED_BYTES_MAX = 2 * 1024 * 1024;

/** The events that one client logs, and those of all clients that it follows. */
export class LogStream {
  readonly #deps: LogStreamDeps;
  #stop: (() => void) | null = null;
  #ended = false;

  constructor(deps: LogStreamDeps) {
    this.#deps = deps;
  }

  /**
   * Keeps what a client has logged, each event once, and acknowledges what is on the disk.
   * @throws ProtocolError `permission_denied`
   */
  take({ seq, events }: Logged, { id: node, name: service }: Client): void {
    const { logs, permit, send } = this.#deps;
    requireRight(permit.grant, "log", "keep log events");
    const keeping = events.map((event, i) => logs.keep(seq + i, { ...event, node, service }));
    void Promise.all(keeping).then((kept) => {
      // What is not acknowledged comes again with the next link.
      if (kept.every(Boolean) && !this.#ended) send({ type: "logged", seq: seq + events.length });
    });
  }

  /**
   * Follows what is logged from now on, in place of what was followed before.
   * @throws ProtocolError `permission_denied`
   */
  follow({ trace, level }: Wish): void {
    const { logs, permit, socket, send } = this.#deps;
    requireRight(permit.grant, "trace", "show log events");
    this.#stop?.();
    this.#stop = null;
    if (level === null) return;
    this.#stop = logs.follow({ trace, level }, (event) => {
      if (socket.bufferedBytes <= BUFFERED_BYTES_MAX) send({ type: "log", events: [event] });
    });
  }

  /** Acknowledges and tells nothing more. */
  end(): void {
    this.#ended = true;
    this.#stop?.();
    this.#stop = null;
  }
}
