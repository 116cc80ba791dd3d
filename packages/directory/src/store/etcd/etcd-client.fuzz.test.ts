import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Chance, fuzz, mutateJson } from "@datawire/protocol/testing/fuzz";
import { systemClock } from "@datawire/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { registration } from "../../testing/worlds.ts";
import { encodeText } from "./codec.ts";
import { type Entry, EtcdClient } from "./etcd-client.ts";
import { EtcdError } from "./etcd-error.ts";
import { Gateway } from "./gateway.ts";
import { Keys } from "./keys.ts";
import { readEntries } from "./news.ts";

const header = { revision: "7", raft_term: "2" };
const watson = { id: "id-of-vm1", name: "vm1", version: "1" };
const VALUES: readonly (readonly [key: string, value: unknown])[] = [
  ["/p/format/directory", { form: 1 }],
  ["/p/records/table/m>barker", { caller: "m", service: "barker", routes: [] }],
  ["/p/instances/barker@a", { watson, registration: registration("barker@a:1"), order: 1, sinceMs: 1 }],
  ["/p/watsons/id-of-vm1", { ...watson, replica: "r", sinceMs: 1 }],
  ["/p/replicas/r", { id: "r", address: "//a/directory", version: "1", startedMs: 1 }],
  ["/p/challenges/id-of-vm1", { watson: "id-of-vm1", by: "r", of: "s", nonce: "n", alive: null }],
];
const kv = (chance: Chance): object => {
  const [key, value] = chance.pick(VALUES);
  return { key: encodeText(key), value: encodeText(mutateJson(value, chance)), mod_revision: "5" };
};

/** What etcd answers to each kind of request, as far as the client reads it. */
function answerOf(path: string, chance: Chance): object {
  const kvs = [kv(chance), kv(chance), kv(chance)];
  switch (path) {
    case "/v3/kv/range":
      return { header, kvs, more: false };
    case "/v3/kv/txn":
      return { header, succeeded: chance.once(2), responses: [{ response_range: { kvs } }, { response_put: {} }] };
    case "/v3/lease/grant":
      return { ID: "77", TTL: "3" };
    case "/v3/lease/keepalive":
      return { result: { ID: "77", TTL: "3" } };
    case "/v3/auth/authenticate":
      return { token: "t" };
    default:
      return chance.once(3)
        ? { result: { header, created: true } }
        : { result: { header, events: kvs.map((one) => ({ type: chance.pick(["PUT", "DELETE"]), kv: one })) } };
  }
}

let answer: (path: string) => { readonly status: number; readonly text: string };
const etcd = createServer((req, res) => {
  req.resume().on("end", () => {
    const { status, text } = answer(req.url ?? "");
    res.writeHead(status, { "content-type": "application/json" }).end(text);
  });
});
let client: EtcdClient;
beforeAll(async () => {
  etcd.listen(0, "127.0.0.1");
  await once(etcd, "listening");
  const { port } = etcd.address() as AddressInfo;
  const user = { name: "datawire", password: "secret" };
  client = new EtcdClient(
    new Gateway({ endpoints: [`http://127.0.0.1:${port}`], user, tls: null }, { clock: systemClock }),
  );
});
afterAll(async () => {
  await client.close();
  etcd.closeAllConnections();
  etcd.close();
});

const PATHS = [
  "/v3/kv/range",
  "/v3/kv/txn",
  "/v3/lease/grant",
  "/v3/lease/keepalive",
  "/v3/auth/authenticate",
  "/v3/watch",
];

/** An answer to each request: some are as they should be, and some refuse. */
const make = (chance: Chance): Record<string, { status: number; text: string }> =>
  Object.fromEntries(
    PATHS.map((path) => {
      const good = answerOf(path, chance);
      const refused = chance.once(6)
        ? { error: "etcdserver: mvcc: required revision has been compacted", code: 11 }
        : null;
      const lines = path === "/v3/watch" ? 2 : 1;
      const text = Array.from({ length: lines }, () =>
        chance.once(3) ? JSON.stringify(refused ?? good) : mutateJson(refused ?? good, chance),
      ).join("\n");
      return [path, { status: refused === null && !chance.once(8) ? 200 : chance.pick([400, 404, 500, 503]), text }];
    }),
  );

test("whatever etcd answers, the client gives what it means or throws EtcdError, and entries are read one by one", async () => {
  const keys = new Keys("/p");
  await fuzz({ test: 150, soak: 20_000 }, make, async (answers) => {
    answer = (path) => answers[path] ?? { status: 404, text: "" };
    const taken: Entry[] = [];
    const ask = async (work: () => Promise<unknown>): Promise<void> => {
      await work().catch((error: unknown) => expect(error).toBeInstanceOf(EtcdError));
    };
    await ask(() => client.list("/p/", (entries) => taken.push(...entries)));
    await ask(() => client.read(["/p/records/x"]).then((entries) => taken.push(...entries)));
    await ask(() => client.swap([{ key: "/p/records/x", value: "1", expected: 0 }]));
    await ask(() => client.firstKey("/p/", "/p/"));
    await ask(() => client.grantLease(3));
    await ask(() => client.keepAlive("77"));
    await ask(async () => {
      const batches = client.watch("/p/", 1, new AbortController().signal);
      for await (const batch of batches) if (batch.state === "events") taken.push(...batch.entries);
    });
    const read = readEntries(taken, keys);
    for (const { reason } of read.unreadable) expect(reason).not.toBe("");
  });
});
