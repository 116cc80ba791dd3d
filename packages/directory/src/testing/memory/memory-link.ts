import type { Connection, ConnectionEvents } from "@datawire/link";
import { describeError } from "@datawire/runtime";
import type { LinkSession } from "../../link/session/session.ts";
import type { Accepted, LinkSessions } from "../../link/sessions.ts";

/** What carries frames in one direction: each arrives once and in order, later, or never. */
export interface Wire {
  carry(bytes: number, arrive: () => void): void;
  /** What was given to it and has not arrived. */
  readonly waitingBytes: number;
}

/** The two directions of one connection. */
export interface Wires {
  readonly toDirectory: Wire;
  readonly toClient: Wire;
}

/** A link through memory: the client's end, and means to break it as a network does. */
export interface MemoryLink {
  readonly connection: Connection;
  /** Whether both ends know that it has ended. */
  readonly over: boolean;
  /** Tells the client alone that the connection is gone. */
  breakAtClient(): void;
  /** Tells the directory alone that the connection is gone. */
  breakAtDirectory(): void;
}

/** RFC 6455, section 7.4.1, and its registry at IANA. */
const INTERNAL_ERROR = 1011;
const NORMAL_CLOSURE = 1000;
const ABNORMAL_CLOSURE = 1006;

type End = "open" | "closed";

/**
 * Opens a link between the client of a directory and a session of it, with no socket between them: frames are text, a
 * ping is answered as long as the client's end is there, and an end is told to the other side over the same wire.
 */
export function linkThroughMemory(
  sessions: LinkSessions,
  events: ConnectionEvents,
  {
    wires,
    admit,
    onCode = () => {},
  }: {
    readonly wires: Wires;
    /** Lets it in, or says why not. */
    readonly admit: () => Promise<Omit<Accepted, "socket">>;
    /** Told the code with which the link has ended, which a client of ours does not look at. */
    readonly onCode?: ((code: number) => void) | undefined;
  },
): MemoryLink {
  const { toDirectory, toClient } = wires;
  let client: End = "open";
  let directory: End = "open";
  let session: LinkSession | null = null;

  const endClient = (reason: string, code: number): void => {
    if (client === "closed") return;
    client = "closed";
    events.closed(reason, false);
    onCode(code);
  };
  const endDirectory = (code: number): void => {
    if (directory === "closed") return;
    directory = "closed";
    if (session === null) return;
    if (code === INTERNAL_ERROR) session.abandoned();
    sessions.ended(session);
  };
  const toSession = (bytes: number, arrive: (open: LinkSession) => void): void =>
    toDirectory.carry(bytes, () => {
      if (directory === "open" && session !== null) arrive(session);
    });

  const open = (accept: Omit<Accepted, "socket">): void => {
    if (directory === "closed") return;
    session = sessions.open({
      ...accept,
      socket: {
        send: (frame, done) => {
          if (directory === "closed") return;
          const text = typeof frame === "string" ? frame : Buffer.from(frame).toString("utf8");
          toClient.carry(Buffer.byteLength(text), () => {
            if (client === "open") events.text(text);
            done?.();
          });
        },
        get bufferedBytes() {
          return toClient.waitingBytes;
        },
        ping: () => {
          if (directory === "closed") return;
          toClient.carry(0, () => {
            if (client === "closed") return;
            events.alive();
            toSession(0, (open) => open.heard());
          });
        },
        close: (code, reason) => {
          if (directory === "closed") return;
          toClient.carry(0, () => {
            endClient(reason === "" ? `the directory closed the link (${code})` : reason, code);
            toDirectory.carry(0, () => endDirectory(code === INTERNAL_ERROR ? NORMAL_CLOSURE : code));
          });
        },
        terminate: () => {
          toClient.carry(0, () => endClient("the connection broke", ABNORMAL_CLOSURE));
          queueMicrotask(() => endDirectory(NORMAL_CLOSURE));
        },
      },
    });
    toClient.carry(0, () => {
      if (client === "open") events.opened();
    });
  };
  const refuse = (error: unknown): void => {
    directory = "closed";
    toClient.carry(0, () => endClient(describeError(error), ABNORMAL_CLOSURE));
  };
  toDirectory.carry(0, () => void admit().then(open, refuse));

  return {
    connection: {
      send: (text) => {
        if (client === "open") toSession(Buffer.byteLength(text), (open) => open.receive(text));
      },
      get bufferedBytes() {
        return toDirectory.waitingBytes;
      },
      close: (code = NORMAL_CLOSURE) => {
        toDirectory.carry(0, () => {
          endDirectory(code);
          toClient.carry(0, () => endClient("the connection broke", code));
        });
      },
      terminate: () => {
        client = "closed";
        toDirectory.carry(0, () => endDirectory(NORMAL_CLOSURE));
      },
    },
    get over() {
      return client === "closed" && directory === "closed";
    },
    breakAtClient: () => endClient("the connection broke", ABNORMAL_CLOSURE),
    breakAtDirectory: () => endDirectory(NORMAL_CLOSURE),
  };
}
