import { PeerTraces } from "../api/peer-traces.ts";
import { noTelemetry } from "@datawire/telemetry";
import { explain, listRoutes, listService } from "@datawire/routing";
import { type ServerMessage, serverMessageSchema } from "@datawire/protocol";
import { type Chance, fuzz, mutateJson } from "@datawire/protocol/testing/fuzz";
import { type Logger, noLog } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { EVERYTHING } from "../access/grant.ts";
import { TokenService } from "../access/token-service.ts";
import { heldProblems, serviceProblems } from "../problems/service-problems.ts";
import type { Socket } from "../link/session/socket.ts";
import { LinkSession } from "../link/session/session.ts";
import { noTenants } from "../api/context.ts";
import { openTenant, type Tenant } from "./tenant.ts";
import { Logs } from "../traces/logs.ts";
import { TEST_CONFIG } from "../testing/config.ts";
import { MemoryStore } from "../testing/memory/memory-store.ts";
import { hello } from "../testing/served.ts";
import { openGate } from "../access/gate.ts";
import { registration } from "../testing/worlds.ts";

/** All that a directory does with messages and records, without its ports. */
async function open(store = new MemoryStore()) {
  const clock = createFakeClock();
  const errors: unknown[] = [];
  const log: Logger = { ...noLog, error: (message, fields) => void errors.push({ message, ...fields }) };
  const board = { set: () => {} };
  const tenant = await openTenant(TEST_CONFIG, {
    store,
    clock,
    log,
    metrics: { storing: () => () => {}, published() {}, refused() {}, recorded() {} },
    surroundings: {
      telemetry: noTelemetry,
      peerTraces: new PeerTraces({ clock, ca: async () => null }),
      store,
      tokens: new TokenService({ store: new MemoryStore(), clock, log, board, pins: false, changed() {} }),
      signIn: { gate: openGate, console: null, cookie: { path: "/", secure: false }, tls: false },
      address: "//localhost/directory",
      startedMs: 0,
      warnings: [],
      problems: () => [],
      tenants: noTenants,
      shared: null,
      logs: new Logs({ keep: async () => ({ state: "kept", body: new Uint8Array() }), clock }),
      originals: () => null,
    },
  });
  return { clock, tenant, errors, log };
}

const sent = (): { readonly socket: Socket; readonly frames: string[]; readonly closed: () => number | null } => {
  const frames: string[] = [];
  let code: number | null = null;
  const socket: Socket = {
    send(frame, done) {
      frames.push(typeof frame === "string" ? frame : Buffer.from(frame).toString());
      done?.();
    },
    bufferedBytes: 0,
    ping: () => {},
    close: (closed) => void (code = closed),
    terminate: () => void (code = 1006),
  };
  return { socket, frames, closed: () => code };
};

const counter = {
  service: "barker",
  version: "1",
  instance: "a",
  requests: 3,
  responses: [0, 3, 0, 0, 0],
  failures: 0,
  latencyMs: { average: 1, max: 2 },
  latencies: [1, 2, 3, 1],
};
/** What clients of every kind say. */
const SAMPLES: readonly object[] = [
  hello("watson", "vm1"),
  hello("sherlock", "monolith", { subscribe: { services: null, have: null }, zone: "a" }),
  hello("sherlock", "other", {
    subscribe: {
      services: ["barker", "constructor"],
      have: { epoch: "e", revision: 3, hash: "0123456789abcdef", sectors: "0123456789abcdef" },
    },
  }),
  {
    type: "register",
    seq: 1,
    instances: [registration("barker@a:1"), registration("barker@b:2.1"), registration("t@c", { protocol: "tcp" })],
  },
  { type: "update", seq: 2, instances: [registration("barker@a:1", { state: "draining" })], gone: ["barker@b"] },
  {
    type: "applied",
    epoch: "e",
    revision: 3,
    problems: [{ subject: "//barker", message: "why", severity: "error", remedy: "do" }],
  },
  {
    type: "counters",
    periodMs: 5_000,
    counters: [counter, { ...counter, instance: null, version: null, latencyMs: null }],
  },
  { type: "problems", problems: [{ subject: "file:1:1", message: "why" }] },
];

interface Talk {
  readonly kind: string;
  readonly id: string;
  readonly frames: readonly string[];
}

function talk(chance: Chance): Talk {
  const kind = chance.pick(["watson", "watson", "sherlock", "library", "dw"]);
  const frames = Array.from({ length: 1 + chance.int(4) }, () => mutateJson(chance.pick(SAMPLES), chance));
  return { kind, id: `identity-${chance.int(5)}`, frames };
}

/** Everything that others ask of the table, whatever clients have made of it. */
function lookAtAll({ state, publisher, links }: Tenant): void {
  publisher.flush();
  serviceProblems(state.table);
  heldProblems(state.table);
  links.clients();
  for (const name of state.table.serviceNames()) {
    listService(state.table, name);
    explain(state.table, name, { caller: "*", zone: null }, { path: "/x?y=1" });
  }
  for (const table of state.table.routeTables()) listRoutes(state.table, table);
}

const WORLD_TALKS = 200;

test("whatever clients of the link say, the directory fails at none of it, and goes on telling others", async () => {
  let world = await open();
  let talks = 0;
  const follower = sent();
  const connect = (socket: Socket) =>
    new LinkSession(
      { directory: "//localhost/directory", heartbeatMs: 5_000, leaseMs: 15_000 },
      {
        socket,
        peer: { address: "127.0.0.1", local: true },
        sessions: world.tenant.links,
        permit: { grant: EVERYTHING, ended: () => null },
        clock: world.clock,
        log: world.log,
      },
    );
  const follow = (): void => {
    follower.frames.length = 0;
    connect(follower.socket).receive(
      JSON.stringify(hello("sherlock", "good", { subscribe: { services: null, have: null } })),
    );
  };
  follow();
  await fuzz({ test: 600, soak: 300_000 }, talk, async ({ kind, id, frames }) => {
    if (talks++ % WORLD_TALKS === WORLD_TALKS - 1) {
      world = await open();
      follow();
    }
    const { socket, frames: answers, closed } = sent();
    const session = connect(socket);
    session.receive(JSON.stringify(hello(kind, `client-of-${kind}`, { id })));
    for (const frame of frames) session.receive(frame);
    await world.clock.advance(1);
    lookAtAll(world.tenant);
    for (const answer of answers) serverMessageSchema.parse(JSON.parse(answer));
    for (const told of follower.frames) {
      const message = JSON.parse(told) as ServerMessage;
      if (message.type === "delta") serverMessageSchema.parse(message);
    }
    follower.frames.length = 0;
    session.closed();
    await world.clock.advance(1);
    expect(world.errors).toEqual([]);
    expect(closed()).not.toBe(1011);
  });
});

const ROUTE = {
  target: "//barker(2)",
  share: 1_000,
  slots: [[0, 1_000]],
  when: "path:/beta",
  reading: "caller",
  order: 0,
};
const TABLE = {
  caller: "m",
  service: "barker",
  sticky: "header:x-user",
  routes: [{ ...ROUTE, expiry: { atMs: 9e12, before: null } }],
};
const SERVICE = {
  name: "barker",
  declared: true,
  protocol: null,
  primary: "1",
  settings: { defaultUrl: "http://h:1" },
};
const DRAIN = { key: "barker@a", atMs: 1, who: "ann" };
const RECORDS: readonly (readonly [key: string, value: object])[] = [
  ["table/m>barker", TABLE],
  ["service/barker", SERVICE],
  ["drain/barker@a", DRAIN],
  ["caller/m", { name: "m", kind: "sherlock", seenMs: 1 }],
  [
    "history/1",
    {
      id: 1,
      atMs: 1,
      who: "ann",
      verified: false,
      action: "x",
      undone: false,
      undoable: true,
      change: {
        tables: [{ key: "m>barker", before: TABLE, after: null }],
        services: [{ key: "barker", before: null, after: SERVICE }],
        drains: [{ key: "barker@a", before: DRAIN, after: null }],
      },
    },
  ],
];

test("whatever a store has, the directory starts with what can be read of it, and works", async () => {
  const make = (chance: Chance) =>
    RECORDS.map(([key, value]) => {
      const text = mutateJson(value, chance);
      let read: unknown;
      try {
        read = JSON.parse(text);
      } catch {
        read = text; // as a store gives what is no JSON
      }
      return {
        key: chance.once(10) ? chance.pick(["constructor/x", "table/", "", "history/x", "x"]) : key,
        value: read,
      };
    });
  await fuzz({ test: 200, soak: 50_000 }, make, async (records) => {
    const store = new MemoryStore();
    for (const { key, value } of records) store.records.set(key, { key, value, version: 1 });
    const { tenant, errors, clock } = await open(store);
    lookAtAll(tenant);
    tenant.state.registry.attach({ id: "id-of-vm1", name: "vm1", version: "1" }, { wallMs: 1, monotonicMs: 1 });
    tenant.state.registry.register("id-of-vm1", [registration("barker@a:1")], {
      moment: { wallMs: 1, monotonicMs: 1 },
      local: true,
    });
    await tenant.executor.note("something", { who: "ann", verified: false });
    await clock.advance(1_000);
    lookAtAll(tenant);
    const unexpected = errors.filter((one) => !(one as { message: string }).message.startsWith("Left out"));
    expect(unexpected).toEqual([]);
  });
});
