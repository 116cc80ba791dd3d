import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClientMessage, Role, ServerMessage } from "@datawire/protocol";
import { noLog, systemChance } from "@datawire/runtime";
import { createFakeClock, type FakeClock } from "@datawire/runtime/testing";
import type { TokenOrder } from "../../access/token-service.ts";
import type { Store } from "../../store/contract.ts";
import { type MemoryAnswer, exchangeInMemory } from "./ask-in-memory.ts";
import { TEST_CONFIG } from "../config.ts";
import type { Guarded, GuardedLink, GuardedStores } from "../guarded.ts";
import { openMemoryDirectory } from "./memory-directory.ts";
import { MemoryStore } from "./memory-store.ts";
import { openClient, until } from "./served-in-memory.ts";

/** A directory that asks for tokens, with no port, on a clock that moves while a test waits for a message of a link. */
export interface GuardedInMemory extends Omit<Guarded, "port"> {
  readonly clock: FakeClock;
}

/** @param stores default: one in memory for each tenant. */
export async function serveGuardedInMemory(stores: GuardedStores = memoryStores()): Promise<GuardedInMemory> {
  const folder = await mkdtemp(join(tmpdir(), "datawire-access-"));
  const clock = createFakeClock();
  const own = await stores.open(null);
  const memory = await openMemoryDirectory(
    { ...TEST_CONFIG, protection: { auth: "token", tls: "own" }, folder, names: ["localhost"] },
    {
      stores: {
        own,
        open: ({ tenant }) => stores.open(tenant),
        listTenants: () => stores.listTenants(),
        listEnvironments: async () => [],
      },
      clock,
      log: noLog,
      chance: systemChance,
    },
  );
  const { handlers, tokens } = memory.directory;
  const stopping = new AbortController();
  const running = memory.run(stopping.signal);
  const { certificate: ca } = await tokens.authority();
  return {
    clock,
    folder,
    ca,
    tokens,
    async create(role: Role, order: Partial<TokenOrder> = {}) {
      const whole = { role, services: null, tenant: null, expiresMs: null, ...order };
      const { token, record } = await tokens.create(whole, "test");
      return { id: record.id, token };
    },
    ask(path, { token, method = "GET", body, headers: more } = {}): Promise<MemoryAnswer> {
      const headers = { ...more, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
      const isFile = body instanceof Uint8Array;
      const content = body === undefined ? {} : { body: isFile ? body : JSON.stringify(body) };
      return exchangeInMemory((req, res) => handlers.request(req, res), { method, path, headers, ...content });
    },
    async link(token: string, hello: ClientMessage): Promise<GuardedLink> {
      const client = await openClient(memory, clock, token);
      client.send(hello);
      return {
        send: (message) => client.send(message),
        next: <T extends ServerMessage["type"]>(type: T) => client.next<T>(type),
        async close() {
          client.socket.close();
          await client.closed();
        },
      };
    },
    async stop() {
      stopping.abort();
      await until(clock, running);
      await own.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function memoryStores(): GuardedStores {
  const stores = new Map<string | null, Store>();
  return {
    async open(tenant) {
      const store = stores.get(tenant) ?? new MemoryStore();
      stores.set(tenant, store);
      return store;
    },
    listTenants: async () => [...stores.keys()].filter((name) => name !== null),
  };
}
