import { type ServerMessage, serverMessageSchema } from "@datawire/protocol";
import { noLog, systemChance } from "@datawire/runtime";
import { createFakeClock, type FakeClock } from "@datawire/runtime/testing";
import type { DirectoryConfig } from "../../app/assemble.ts";
import type { Store } from "../../store/contract.ts";
import { askInMemory, type MemoryRequest } from "./ask-in-memory.ts";
import { TEST_CONFIG } from "../config.ts";
import { loneStore, type MemoryDirectory, openMemoryDirectory } from "./memory-directory.ts";
import type { Wire } from "./memory-link.ts";
import { MemoryStore } from "./memory-store.ts";
import type { Answer, Client, Reachable } from "../served.ts";

/** What a test does with a client's end of a link, beside speaking over it. */
export interface MemorySocket {
  /** Breaks off without a word. */
  terminate(): void;
  /** Says good-bye. */
  close(): void;
  /** Takes nothing in from now on: as if what is sent to it went nowhere. */
  pause(): void;
  /** Resolves with the next ping. */
  pinged(): Promise<void>;
}

/** A directory on a clock of its own, which moves while a test waits for something, and only then. */
export interface ServedInMemory extends Reachable<MemorySocket> {
  readonly clock: FakeClock;
  readonly directory: MemoryDirectory;
  stop(): Promise<void>;
}

interface Options extends Partial<DirectoryConfig> {
  /** The same again is the same directory after a restart; default: an empty one. */
  readonly store?: Store;
  /** Default: one that nobody else has. */
  readonly clock?: FakeClock;
}

/** How far the clock moves between two looks, and in all. */
const STEP_MS = 5;
const WAIT_MS_MAX = 120_000;

/** Starts a directory without a port. */
export async function serveInMemory({
  store = new MemoryStore(),
  clock = createFakeClock(),
  ...config
}: Options = {}): Promise<ServedInMemory> {
  const deps = { stores: loneStore(store), clock, log: noLog, chance: systemChance };
  const directory = await until(clock, openMemoryDirectory({ ...TEST_CONFIG, ...config }, deps));
  const stopping = new AbortController();
  const running = directory.run(stopping.signal);
  const { handlers } = directory.directory;
  const ask = (request: MemoryRequest): Promise<Answer> =>
    until(
      clock,
      askInMemory((req, res) => handlers.request(req, res), request),
    );
  return {
    clock,
    directory,
    get: (path, headers = {}) => ask({ method: "GET", path, headers }),
    send: (method, path, body, headers = {}) =>
      ask({ method, path, headers, body: typeof body === "string" ? body : JSON.stringify(body) }),
    link: () => openClient(directory, clock),
    async stop() {
      stopping.abort();
      await until(clock, running);
      await until(clock, store.close());
    },
  };
}

/** Moves the clock until something is there. */
async function look<T>(clock: FakeClock, find: () => T | undefined): Promise<T> {
  for (let waitedMs = 0; waitedMs < WAIT_MS_MAX; waitedMs += STEP_MS) {
    const found = find();
    if (found !== undefined) return found;
    await clock.advance(waitedMs === 0 ? 0 : STEP_MS);
  }
  throw new Error(`Cannot find what was waited for: it did not come within ${WAIT_MS_MAX} ms of the clock`);
}

/** Moves the clock until a promise is settled. */
export async function until<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
  let settled = false;
  const noted = promise.finally(() => (settled = true));
  noted.catch(() => {}); // whoever waits for the promise is told
  await look(clock, () => (settled ? true : undefined));
  return noted;
}

/** Opens a link, which has said nothing yet. */
export async function openClient(
  directory: MemoryDirectory,
  clock: FakeClock,
  token?: string,
): Promise<Client<MemorySocket>> {
  const received: ServerMessage[] = [];
  let opened = false;
  let pings = 0;
  let code: number | undefined;
  let isPaused = false;
  const wire = (takes: () => boolean): Wire => ({
    carry: (_, arrive) => void clock.setTimer(0, () => takes() && arrive()),
    waitingBytes: 0,
  });
  const { connection } = directory.link(
    {
      opened: () => void (opened = true),
      alive: () => void (pings += 1),
      text: (data) => void received.push(serverMessageSchema.parse(JSON.parse(data))),
      closed() {},
    },
    { toDirectory: wire(() => true), toClient: wire(() => !isPaused) },
    { ...(token !== undefined && { token }), onCode: (ended) => void (code = ended) },
  );
  await look(clock, () => (opened ? true : undefined));
  return {
    socket: {
      terminate: () => connection.terminate(),
      close: () => connection.close(),
      pause: () => void (isPaused = true),
      pinged() {
        const before = pings;
        return look(clock, () => (pings > before ? null : undefined)).then(() => {});
      },
    },
    send: (message) => connection.send(typeof message === "string" ? message : JSON.stringify(message)),
    next<T extends ServerMessage["type"]>(type: T | readonly T[]) {
      const types = new Set<string>([type].flat());
      return look(clock, () => {
        for (let message = received.shift(); message !== undefined; message = received.shift())
          if (types.has(message.type)) return message as Extract<ServerMessage, { type: T }>;
        return undefined;
      });
    },
    closed: () => look(clock, () => code),
  };
}
