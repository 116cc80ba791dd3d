import { createServer, type IncomingMessage, request as httpRequest, type Server } from "node:http";
import express from "express";
import fastify from "fastify";
import Koa from "koa";
import { describe, expect, test } from "vitest";
import { currentSession, type Mdk } from "../index.ts";
import { libraryOver, serve } from "../testing/servers.ts";
import { mdkErrors, mdkMiddleware } from "./connect.ts";
import { mdkPlugin } from "./fastify.ts";
import { mdkMiddleware as koaMiddleware } from "./koa.ts";

/** What each server does: `/boom` throws, `/missing` throws what makes a 404, `/busy` answers 503, all else says its session. */
type Framework = (mdk: Mdk) => Promise<Server> | Server;

async function said(path: string): Promise<object> {
  // A session is the current one in what goes on later too.
  await new Promise((resolve) => setImmediate(resolve));
  const session = currentSession();
  return { path, traceId: session?.traceId, remaining: session?.getRemainingTime() ?? null };
}
const refused = () => Object.assign(new Error("no such page"), { status: 404, statusCode: 404 });

const frameworks: Readonly<Record<string, Framework>> = {
  "node:http": (mdk) => {
    const middleware = mdkMiddleware(mdk);
    return createServer((req, res) =>
      middleware(req, res, async () => {
        const path = req.url ?? "";
        if (path === "/boom") res.writeHead(500);
        if (path === "/missing") res.writeHead(404);
        if (path === "/busy") res.writeHead(503);
        if (path === "/slow") return;
        res.end(JSON.stringify(await said(path)));
        if (path === "/boom") throw new Error("boom");
      }),
    );
  },
  express: (mdk) => {
    const app = express();
    app.use(mdkMiddleware(mdk));
    app.get("/boom", () => {
      throw new Error("boom");
    });
    app.get("/missing", () => {
      throw refused();
    });
    app.get("/busy", (_req, res) => void res.status(503).end());
    app.get("/slow", () => {});
    app.get("/same", (req, res) => void res.json({ same: req.mdk === currentSession() }));
    app.use((req, res, next) => {
      said(req.url).then((body) => res.json(body), next);
    });
    app.use(mdkErrors());
    app.use((_error: unknown, _req: unknown, res: express.Response, next: () => void) => {
      if (res.headersSent) return next();
      res.status((_error as { status?: number }).status ?? 500).end();
    });
    return createServer(app);
  },
  fastify: async (mdk) => {
    const app = fastify();
    await app.register(mdkPlugin, { mdk });
    app.get("/boom", () => {
      throw new Error("boom");
    });
    app.get("/missing", () => {
      throw refused();
    });
    app.get("/busy", (_request, reply) => reply.code(503).send());
    app.get("/slow", () => new Promise(() => {}));
    app.get("/*", (request) => said(request.url));
    await app.ready();
    return app.server;
  },
  koa: (mdk) => {
    const app = new Koa();
    app.silent = true;
    app.use(koaMiddleware(mdk));
    app.use(async (ctx) => {
      if (ctx.path === "/boom") throw new Error("boom");
      if (ctx.path === "/missing") throw refused();
      if (ctx.path === "/busy") ctx.status = 503;
      else if (ctx.path === "/slow") await new Promise((resolve) => ctx.req.once("close", resolve));
      else ctx.body = await said(ctx.url);
    });
    return createServer((req, res) => void app.callback()(req, res));
  },
};

describe.each(Object.entries(frameworks))("the middleware of %s", (_name, framework) => {
  const open = async () => {
    const library = libraryOver([]);
    return { ...library, url: await serve(await framework(library.mdk)) };
  };
  const trace = "0b1a9c2e-5d4f-4a7b-8c9d-0e1f2a3b4c5d";
  const context = `{"traceId":"${trace}","clock":{"clocks":[3]}}`;

  test("joins the context, with what the caller says is left of its time", async () => {
    const { url, logged } = await open();
    const headers = {
      "x-mdk-context": context,
      "x-mdk-remaining": "60000",
      traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-01`,
    };
    const body = (await (await fetch(`${url}/a?b`, { headers })).json()) as { remaining: number };
    expect(body).toMatchObject({ path: "/a?b", traceId: trace });
    expect(body.remaining).toBeGreaterThan(50);
    expect(body.remaining).toBeLessThanOrEqual(60);
    await expect.poll(() => logged.map(({ text }) => text)).toEqual(["Starting interaction.", "Finished interaction."]);
    expect(logged[0]?.clock).toEqual([4, 1]);
  });

  test("joins a traceparent where there is no context, and begins anew with a bad one of either", async () => {
    const { url } = await open();
    const traceOf = async (headers: Record<string, string>) =>
      ((await (await fetch(url, { headers })).json()) as { traceId: string }).traceId;
    expect(await traceOf({ traceparent: "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01" })).toBe(
      "01234567-89ab-cdef-0123-456789abcdef",
    );
    for (const headers of [{ traceparent: "00-xyz" }, { "x-mdk-context": "{{{" }, { "x-mdk-remaining": "soon" }])
      expect(await traceOf(headers as unknown as Record<string, string>)).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each([
    ["/fine", null],
    ["/missing", null],
    ["/busy", /503/],
    ["/boom", /boom|500/],
  ])("finishes the interaction of %s once", async (path, failure) => {
    const { url, interactions } = await open();
    await (await fetch(url + path)).text();
    await expect.poll(() => interactions.length).toBe(1);
    if (failure === null) expect(interactions[0]?.failure).toBeNull();
    else expect(interactions[0]?.failure).toMatch(failure);
  });

  test("takes a client that went away for no failure", async () => {
    const { url, interactions } = await open();
    const going = httpRequest(`${url}/slow`).on("error", () => {});
    going.end();
    const other = await fetch(`${url}/fine`);
    await other.text();
    going.destroy();
    await expect.poll(() => interactions.length).toBe(2);
    expect(interactions.map(({ failure }) => failure)).toEqual([null, null]);
  });
});

test("mdkMiddleware() sets req.mdk, and fails with the error that was handed to next", async () => {
  const { mdk, interactions } = libraryOver([]);
  const url = await serve(await frameworks["express"]!(mdk));
  expect(await (await fetch(`${url}/same`)).json()).toEqual({ same: true });
  await (await fetch(`${url}/boom`)).text();
  await expect.poll(() => interactions.map(({ failure }) => failure)).toEqual([null, "Error: boom"]);
});

test("mdkMiddleware() refuses what is no library", () => {
  expect(() => mdkMiddleware({} as Mdk)({ headers: {} } as IncomingMessage, {} as never, () => {})).toThrow(/init\(\)/);
});
