import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { json } from "node:stream/consumers";
import { systemClock } from "@datawire/runtime";
import { freePorts } from "@datawire/runtime/testing";
import { afterEach, expect, test } from "vitest";
import { Gateway } from "./gateway.ts";

let server: Server | null = null;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** An etcd that knows one token at a time, and answers with what it is asked. */
async function startEtcd() {
  const state = { token: "", logins: 0, requests: 0 };
  const etcd = createServer((req, res) => {
    void json(req).then((body) => {
      if (req.url === "/v3/auth/authenticate") {
        state.logins += 1;
        state.token = `token-${state.logins}`;
        return res.end(JSON.stringify({ token: state.token }));
      }
      state.requests += 1;
      const { authorization = "" } = req.headers;
      if (authorization === state.token) return res.end(JSON.stringify(body));
      const error = authorization === "" ? "etcdserver: user name is empty" : "etcdserver: invalid auth token";
      return res.writeHead(400).end(JSON.stringify({ error, code: 3 }));
    });
  });
  server = etcd;
  // It listens there a second time too.
  const [port = 0] = await freePorts(1);
  etcd.listen(port, "127.0.0.1");
  await once(etcd, "listening");
  const url = `http://127.0.0.1:${port}`;
  const user = { name: "datawire", password: "secret" };
  const gateway = new Gateway({ endpoints: [url], user, tls: null }, { clock: systemClock });
  return { state, etcd, port, gateway };
}

const askAll = (gateway: Gateway) =>
  Promise.all([1, 2, 3, 4, 5].map((n) => gateway.call("/v3/kv/txn", { n }, { idempotent: false })));
const answers = [1, 2, 3, 4, 5].map((n) => ({ n }));

test("requests at the same time share one login, at the start and when the token has ended", async () => {
  const { state, gateway } = await startEtcd();
  expect(await askAll(gateway)).toEqual(answers);
  expect(state.logins).toBe(1);
  state.token = "another, since etcd was started again";
  expect(await askAll(gateway)).toEqual(answers);
  expect(state.logins).toBe(2);
  await gateway.close();
});

test("a token that is given up is replaced with the next request, which is asked once", async () => {
  const { state, gateway } = await startEtcd();
  await gateway.call("/v3/kv/range", {}, { idempotent: true });
  gateway.forgetToken();
  await gateway.call("/v3/kv/range", {}, { idempotent: true });
  expect(state).toMatchObject({ logins: 2, requests: 2 });
  await gateway.close();
});

test("a login that fails is tried again by the next request", async () => {
  const { state, etcd, port, gateway } = await startEtcd();
  etcd.close();
  etcd.closeAllConnections();
  await expect(gateway.call("/v3/kv/range", {}, { idempotent: true })).rejects.toMatchObject({ code: "unavailable" });
  etcd.listen(port, "127.0.0.1");
  expect(await askAll(gateway)).toEqual(answers);
  expect(state.logins).toBe(1);
  await gateway.close();
});
