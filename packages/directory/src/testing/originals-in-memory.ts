import { noLog } from "@datawire/runtime";
import { createFakeClock, type FakeClock } from "@datawire/runtime/testing";
import { EVERYTHING, type Grant } from "../access/grant.ts";
import { Publisher } from "../feed/publisher.ts";
import { Originals } from "../mdk/originals.ts";
import { Relay } from "../mdk/relay.ts";
import { MdkSession } from "../mdk/session.ts";
import { worldOf } from "../mdk/world.ts";
import { momentOf } from "../model/moment.ts";
import type { State } from "../registry/state.ts";
import { Logs } from "../traces/logs.ts";
import type { MdkFrame } from "./original.ts";
import { createState, LEASE_MS, registration } from "./worlds.ts";

/** Originals of one environment without a port, on a clock that a test moves. */
export interface OriginalsInMemory {
  readonly clock: FakeClock;
  readonly state: State;
  readonly originals: Originals;
  readonly relay: Relay;
  /** How many messages and nodes were dropped. */
  dropped(): number;
  connect(options?: { readonly local?: boolean; readonly grant?: Grant }): OriginalInMemory;
  /** A Watson that is connected states its whole set. */
  watson(id: string, ...instances: readonly string[]): void;
  /** Moves the clock on, a second at a time, and ends the leases that are over. */
  pass(ms: number): Promise<void>;
  /** Makes the table known to those who follow it. */
  flush(): void;
}

/** One original: what it is sent is read at once, unless it is told otherwise. */
export interface OriginalInMemory {
  readonly session: MdkSession;
  readonly frames: readonly MdkFrame[];
  /** `active hello@h-1(1.0)`: what it was told of nodes, in its order. */
  told(): string[];
  say(message: object | string): void;
  open(fields?: object): void;
  active(service: string, address: string, fields?: object, ttl?: number): void;
  expire(service: string, address: string, fields?: object): void;
  /** Whether it answers pings. */
  answers: boolean;
  readonly pings: () => number;
  readonly closed: () => number | null;
}

/** Starts them with an empty table. */
export function originalsInMemory(guard = { share: 1, minimum: 1_000 }): OriginalsInMemory {
  const clock = createFakeClock();
  const state = createState(guard);
  const publisher = new Publisher(state.writer, { clock, epoch: "e", published() {} });
  publisher.begin();
  const registered = (): void => publisher.touch();
  const relay = new Relay({
    clock,
    environment: "sandbox",
    open: () => Promise.reject(new Error("Cannot open an environment: there is one")),
    failed(_, error) {
      throw error;
    },
  });
  relay.follow(worldOf("sandbox", { state, publisher, clock, leaseMs: LEASE_MS, registered }));
  const originals = new Originals({
    relay,
    logs: new Logs({ keep: async () => ({ state: "kept", body: new Uint8Array() }), clock }),
  });
  let dropped = 0;
  return {
    clock,
    state,
    originals,
    relay,
    dropped: () => dropped,
    connect({ local = true, grant = EVERYTHING } = {}) {
      const frames: MdkFrame[] = [];
      let closed: number | null = null;
      let pings = 0;
      const original = { answers: true };
      const session: MdkSession = new MdkSession({
        socket: {
          send: (frame) => void frames.push(JSON.parse(String(frame)) as MdkFrame),
          bufferedBytes: 0,
          ping() {
            pings += 1;
            if (original.answers) session.ponged();
          },
          close: (code) => void (closed = code),
          terminate: () => void (closed = 1006),
        },
        peer: { address: "10.0.0.9", local },
        permit: { grant, ended: () => null },
        relay,
        logs: originals.logs,
        interactions: originals.interactions,
        counts: { connected() {}, dropped: () => void (dropped += 1), interaction() {} },
        failed(_, error) {
          throw error;
        },
        clock,
        log: noLog,
      });
      originals.enter(session);
      const say = (message: object | string): void =>
        session.receive(typeof message === "string" ? message : JSON.stringify(message));
      const node = (service: string, address: string, fields: object = {}) => {
        const environment = { name: "sandbox", fallbackName: null };
        return { id: "n1", service, version: "1.0", address, properties: {}, environment, ...fields };
      };
      return Object.assign(original, {
        session,
        frames,
        told: () =>
          frames.flatMap(({ type, node: said }) =>
            said === undefined
              ? []
              : [`${type} ${said.service}@${said.id}${type === "active" ? `(${said.version})` : ""}`],
          ),
        say,
        open: (fields: object = {}) => say({ type: "open", version: "2.0.0", nodeId: "n1", ...fields }),
        active: (service: string, address: string, fields: object = {}, ttl = 30) =>
          say({ type: "active", node: node(service, address, fields), ttl }),
        expire: (service: string, address: string, fields: object = {}) =>
          say({ type: "expire", node: node(service, address, fields) }),
        pings: () => pings,
        closed: () => closed,
      });
    },
    watson(id, ...instances) {
      const moment = momentOf(clock);
      state.registry.attach({ id: `id-of-${id}`, name: id, version: "1" }, moment);
      const set = instances.map((text) => registration(text));
      state.registry.register(`id-of-${id}`, set, { moment, local: true });
      publisher.flush();
    },
    async pass(ms) {
      for (let passed = 0; passed < ms; passed += 1_000) {
        await clock.advance(Math.min(1_000, ms - passed));
        state.registry.endLeases(momentOf(clock));
        publisher.flush();
      }
    },
    flush: () => publisher.flush(),
  };
}
