import type { IncomingMessage, RequestListener } from "node:http";
import { Agent, interceptors, request } from "undici";
import { describe, expect, test } from "vitest";
import { withSession, type Mdk, type Session } from "../index.ts";
import { deadUrl, libraryOver, serve } from "../testing/servers.ts";
import { mdkFetch } from "./fetch.ts";
import { mdkInterceptor } from "./undici.ts";

interface Answer {
  readonly status: number;
  readonly body: string;
}
type Call = (
  url: string,
  options?: { method?: string; body?: string; headers?: Record<string, string> },
) => Promise<Answer>;

const agent = new Agent().compose(mdkInterceptor(), interceptors.redirect({ maxRedirections: 5 }));
/** Both ways to call. */
const clients: Readonly<Record<string, Call>> = {
  mdkFetch: async (url, options = {}) => {
    const response = await mdkFetch(url, options);
    return { status: response.status, body: await response.text() };
  },
  mdkInterceptor: async (url, options = {}) => {
    const { statusCode, body } = await request(url, { dispatcher: agent, ...(options as object) });
    return { status: statusCode, body: await body.text() };
  },
};

/** A server that remembers what came. */
async function remembering(answer: RequestListener = (_req, res) => res.end("fine")) {
  const came: IncomingMessage[] = [];
  const url = await serve((req, res) => {
    came.push(req);
    answer(req, res);
  });
  return { url, came };
}
const contextOf = ({ headers }: IncomingMessage) => headers["x-mdk-context"] as string | undefined;
const within = <T>(mdk: Mdk, run: (session: Session) => Promise<T>): Promise<T> => {
  const session = mdk.session();
  return withSession(session, () => run(session));
};

describe.each(Object.entries(clients))("%s", (_name, call) => {
  test("resolves a service of the table, and sends the context to it", async () => {
    const { url, came } = await remembering();
    const { mdk } = libraryOver([{ service: "barker", version: "1", address: `${url}/base` }]);
    await within(mdk, async (session) => {
      session.setDeadline(60);
      expect(await call("http://barker/bark?loud=1", { headers: { "x-own": "yes" } })).toEqual({
        status: 200,
        body: "fine",
      });
      const [first] = came as [IncomingMessage];
      expect(first.url).toBe("/base/bark?loud=1");
      expect(first.headers).toMatchObject({ "x-own": "yes", host: new URL(url).host });
      expect(contextOf(first)).toContain(session.traceId);
      expect(Number(first.headers["x-mdk-remaining"])).toBeGreaterThan(50_000);
      expect(first.headers["traceparent"]).toMatch(
        new RegExp(`^00-${session.traceId.replaceAll("-", "")}-[0-9a-f]{16}-01$`),
      );
      await call("http://barker/");
      expect(contextOf(came[1] as IncomingMessage)).toContain('"clocks":[1]');
    });
  });

  test("is a plain call without a session", async () => {
    const { url, came } = await remembering();
    expect(await call(url)).toMatchObject({ status: 200 });
    expect(contextOf(came[0] as IncomingMessage)).toBe(undefined);
    await expect(call("http://barker.invalid/")).rejects.toBeInstanceOf(Error);
  });

  test("tells hosts that are none of ours nothing, and those that are named everything", async () => {
    const { url, came } = await remembering();
    // A name of this machine that is not loopback by its looks.
    const elsewhere = url.replace("127.0.0.1", "0.0.0.0");
    const { mdk } = libraryOver([]);
    await within(mdk, async () => {
      await call(url);
      await call(elsewhere);
    });
    await within(libraryOver([], { propagate: ["0.0.0.0"] }).mdk, () => call(elsewhere));
    expect(came.map((req) => contextOf(req) !== undefined)).toEqual([true, false, true]);
    expect(came.map(({ headers }) => headers["traceparent"] !== undefined)).toEqual([true, false, true]);
  });

  test("tells nobody by a redirect who would not be told", async () => {
    const { url: target, came } = await remembering();
    const elsewhere = target.replace("127.0.0.1", "0.0.0.0");
    const url = await serve((_req, res) => res.writeHead(302, { location: `${elsewhere}/there` }).end());
    await within(libraryOver([]).mdk, async () => expect(await call(url)).toEqual({ status: 200, body: "fine" }));
    expect(came.map((req) => [req.url, contextOf(req)])).toEqual([["/there", undefined]]);
  });

  test("ends at the deadline, and sends nothing after it", async () => {
    const { mdk } = libraryOver([{ service: "barker", address: "http://127.0.0.1:9" }]);
    await within(mdk, async (session) => {
      // Far away until the request has come: how fast this machine is must not matter.
      session.setDeadline(600);
      const { url, came } = await remembering(() => session.setDeadline(0.01));
      await expect(call(url)).rejects.toMatchObject({ code: "deadline_exceeded" });
      await expect(call(url)).rejects.toMatchObject({ code: "deadline_exceeded" });
      await expect(call("http://barker/")).rejects.toMatchObject({ code: "deadline_exceeded" });
      expect(came).toHaveLength(1);
    });
  });

  test("goes to another node where nothing was sent, whatever the method", async () => {
    const { url, came } = await remembering();
    const nodes = [
      { service: "barker", address: await deadUrl() },
      { service: "barker", address: url },
    ];
    await within(libraryOver(nodes).mdk, async () => {
      for (let i = 0; i < 4; i++)
        expect(await call("http://barker/", { method: "POST", body: "x" })).toMatchObject({ status: 200 });
    });
    expect(came).toHaveLength(4);
  });

  test("repeats elsewhere what may be done twice, and nothing else", async () => {
    const busy = await remembering((_req, res) => res.writeHead(503).end("busy"));
    const fine = await remembering();
    const nodes = [busy, fine].map(({ url }, i) => ({ service: "barker", address: url, id: `n${i}` }));
    await within(libraryOver(nodes, { breaker: { failures: 0 } }).mdk, async () => {
      for (let i = 0; i < 4; i++) expect(await call("http://barker/")).toEqual({ status: 200, body: "fine" });
      const statuses = [];
      for (let i = 0; i < 4; i++) statuses.push((await call("http://barker/", { method: "POST", body: "x" })).status);
      expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 200, 503, 503]);
    });
  });

  test("trips the breaker of a node that fails, and says so in the log", async () => {
    const bad = await remembering((_req, res) => res.writeHead(500).end());
    const { mdk, logged } = libraryOver([{ service: "barker", address: bad.url }]);
    await within(mdk, async (session) => {
      for (let i = 0; i < 3; i++) expect(await call("http://barker/")).toMatchObject({ status: 500 });
      await expect(session.resolve("barker", null, { timeout: 0 })).rejects.toMatchObject({ code: "unavailable" });
      session.setDeadline(0.05);
      await expect(call("http://barker/")).rejects.toMatchObject({ code: "deadline_exceeded" });
    });
    expect(bad.came).toHaveLength(3);
    expect(logged.filter(({ level }) => level === "WARN")).toHaveLength(1);
  });

  test("hands on what it cannot resolve as the error that it is", async () => {
    await within(libraryOver([{ service: "barker", version: "1", address: "http://127.0.0.1:1" }]).mdk, async () => {
      await expect(mdkFetch("http://barker/", { version: "7 8" })).rejects.toMatchObject({ code: "invalid_argument" });
      await expect(call("http://127.0.0.1:1/")).rejects.toBeInstanceOf(Error);
    });
  });
});

test.each<[string, NonNullable<Parameters<typeof request>[1]>["headers"]]>([
  ["none", undefined],
  ["null", null],
  ["an object", { "X-Own": ["a", "b"], "x-mdk-CONTEXT": "old", traceparent: "old", "x-none": undefined }],
  ["names and values in turn", ["X-Own", "a", "X-OWN", "b", "X-MDK-Context", "old", "Traceparent", "old"]],
  [
    "pairs",
    new Map([
      ["x-own", ["a", "b"]],
      ["x-mdk-context", ["old"]],
    ]),
  ],
])(
  "mdkInterceptor() sends its context once, and all else as it is, beside headers given as %s",
  async (_kind, headers) => {
    const { url, came } = await remembering();
    const { mdk } = libraryOver([{ service: "barker", address: url }]);
    await within(mdk, async (session) => {
      await request("http://barker/", { dispatcher: agent, headers: headers as string[] });
      expect(came[0]?.headersDistinct).toMatchObject({
        "x-mdk-context": [expect.stringContaining(session.traceId)],
        traceparent: [expect.stringContaining(session.traceId.replaceAll("-", ""))],
      });
    });
    expect(came[0]?.headersDistinct["x-own"]).toEqual(headers == null ? undefined : ["a", "b"]);
    expect(came[0]?.headersDistinct["x-none"]).toBe(undefined);
  },
);

test("mdkFetch() takes the caller's own abort for no failure", async () => {
  const { url } = await remembering(() => {});
  const { mdk, logged } = libraryOver([{ service: "barker", address: url }], { breaker: { failures: 1 } });
  await within(mdk, async () => {
    const abort = new AbortController();
    const call = mdkFetch("http://barker/", { signal: abort.signal });
    setImmediate(() => abort.abort());
    await expect(call).rejects.toThrow(/abort/);
  });
  expect(logged.filter(({ level }) => level === "WARN")).toEqual([]);
});

test("mdkFetch() takes a Request, asks for a version, and sends a stream once", async () => {
  const { url, came } = await remembering((req, res) => {
    let body = "";
    req.on("data", (chunk: Buffer) => (body += chunk.toString()));
    req.on("end", () => res.end(`${req.method} ${body}`));
  });
  const nodes = [
    { service: "barker", version: "1.0", address: await deadUrl() },
    { service: "barker", version: "2.0", address: url },
  ];
  await within(libraryOver(nodes).mdk, async () => {
    const asked = new Request("http://barker/x", { method: "POST", body: "hello", headers: { "x-own": "1" } });
    expect(await (await mdkFetch(asked, { version: "2.0" })).text()).toBe("POST hello");
    expect(came[0]?.headers["x-own"]).toBe("1");
    const stream = { method: "POST", body: new Blob(["x"]).stream(), duplex: "half" as const };
    await expect(mdkFetch("http://barker/", { ...stream, version: "1.0" })).rejects.toBeInstanceOf(Error);
  });
});

test.each(["2048", "shop.2", "0x10"])(
  "mdkFetch() finds the service %s, which a URL takes for a number",
  async (service) => {
    const { url, came } = await remembering((req, res) => {
      if (req.url === "/base/a?b=1") res.writeHead(302, { location: "c" });
      res.end();
    });
    await within(libraryOver([{ service, version: "1", address: `${url}/base` }]).mdk, async (session) => {
      expect((await mdkFetch(`http://${service}/a?b=1`)).status).toBe(200);
      expect((await mdkFetch(`HTTP://${service}`, { method: "POST", body: "x" })).status).toBe(200);
      expect(came.map((req) => req.url)).toEqual(["/base/a?b=1", "/base/c", "/base/"]);
      expect(contextOf(came[0] as IncomingMessage)).toContain(session.traceId);
      await expect(mdkFetch(`http://${service}:99999/`)).rejects.toThrow(/URL/);
    });
  },
);

test.each<[number, string, string]>([
  [301, "POST", "GET "],
  [303, "PUT", "GET "],
  [307, "POST", "POST x"],
  [308, "PUT", "PUT x"],
])("mdkFetch() follows a %s of %s as %s", async (status, method, expected) => {
  const url = await serve((req, res) => {
    let body = "";
    req.on("data", (chunk: Buffer) => (body += chunk.toString()));
    req.on("end", () => {
      if (req.url === "/there") res.end(`${req.method} ${body}`);
      else res.writeHead(status, { location: "/there" }).end();
    });
  });
  await within(libraryOver([]).mdk, async () => {
    expect(await (await mdkFetch(url, { method, body: "x" })).text()).toBe(expected);
    expect((await mdkFetch(url, { redirect: "manual" })).status).toBe(status);
    await expect(mdkFetch(url, { redirect: "error" })).rejects.toThrow(/redirects/);
  });
});

test("mdkFetch() passes on baggage and tracestate that came with the request", async () => {
  const { url, came } = await remembering();
  const { mdk } = libraryOver([]);
  const { joinRequest } = await import("../app/join-request.ts");
  const headers = new Map([
    ["baggage", "user=ann"],
    ["tracestate", "vendor=1"],
  ]);
  await withSession(
    joinRequest(mdk, (name) => headers.get(name)),
    () => mdkFetch(url),
  );
  expect(came[0]?.headers).toMatchObject({ baggage: "user=ann", tracestate: "vendor=1" });
});
