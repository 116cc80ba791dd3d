import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type Microserver } from "@datawire/microserver";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { freePorts } from "@datawire/runtime/testing";
import type { Child } from "./harness/child.ts";
import { RouterProcess } from "./harness/router/router-process.ts";
import { Stack } from "./harness/stack.ts";
import { eventually, sleep } from "./harness/wait.ts";

/** examples/bookshelf, as its README starts it, each service a process. */
const SETTINGS = parse(readFileSync(join(import.meta.dirname, "../examples/bookshelf/router.yaml"), "utf8")) as object;
type ServiceName = "newbook" | "readbook" | "booklist" | "lastreadbooks" | "gateway";

let stack: Stack;
let router: RouterProcess;
beforeEach(async () => {
  stack = new Stack();
  router = await RouterProcess.prepare(stack, SETTINGS);
});
afterEach(() => stack.dispose());

async function start(service: ServiceName, instance: string, ...args: readonly string[]): Promise<Child> {
  const env = { DATAWIRE_DIRECTORY: await stack.directoryAddress(), DATAWIRE_ROUTER: `127.0.0.1:${router.port}` };
  return stack.startExample(`bookshelf/${service}.ts`, ["--instance", instance, ...args], env);
}

const isRegistered = (line: string): boolean => line.includes("is registered at");

/** Where a service answers, once it does. */
async function urlOf(child: Child): Promise<string> {
  const line = await child.line(isRegistered);
  return line.slice(line.indexOf("http"));
}

interface Book {
  readonly id: string;
  readonly title: string;
}

interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

async function ask<T>(method: string, url: string, body?: unknown, key?: string): Promise<Answer<T>> {
  const answer = await fetch(url, {
    method,
    headers: { "content-type": "application/json", ...(key !== undefined && { "idempotency-key": key }) },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, body: (text.startsWith("<") || text === "" ? text : JSON.parse(text)) as T };
}

test("the shelf, started in reverse order, is reached through Sherlock, and a request is one trace of spans within spans", async () => {
  const services = await Promise.all([
    start("gateway", "gateway-1"),
    start("lastreadbooks", "lastreadbooks-1"),
    start("booklist", "booklist-1"),
    start("readbook", "readbook-1"),
    start("newbook", "newbook-1"),
  ]);
  const sherlock = stack.startSherlock();
  await router.start();
  await stack.startDirectory();
  await Promise.all([sherlock, ...services.map(urlOf)]);
  const shelf = await stack.url("/bookshelf");
  const books = `${shelf}/books`;
  await eventually(async () => expect((await ask("GET", books)).status).toBe(200));

  const added = await ask<Book>("POST", books, { title: "Emma", author: "Jane Austen" });
  expect(added).toEqual({ status: 201, body: { title: "Emma", author: "Jane Austen", id: expect.any(String) } });
  expect(await ask("GET", books)).toEqual({ status: 200, body: [added.body] });
  const key = "0b1a9c2e";
  const once = await ask<Book>("POST", books, { title: "Ulysses" }, key);
  expect(await ask("POST", books, { title: "Ulysses" }, key)).toEqual(once);
  expect((await ask("POST", books, { title: "Persuasion" }, key)).status).toBe(422);
  expect((await ask<Book[]>("GET", books)).body.map(({ title }) => title)).toEqual(["Emma", "Ulysses"]);
  for (const bad of [{}, { title: "" }, { title: 7 }, [], null])
    expect((await ask("POST", books, bad)).status).toBe(400);
  expect((await fetch(books, { method: "POST", body: "{title" })).status).toBe(400);

  const ids: string[] = [];
  for (const title of ["a", "b", "c", "d", "e", "f"]) ids.push((await ask<Book>("POST", books, { title })).body.id);
  for (const id of ids) expect(await ask("POST", `${books}/${id}/finished`)).toEqual({ status: 204, body: "" });
  const last = await ask<Book[]>("GET", `${books}/last/read`);
  expect(last.body.map(({ title }) => title)).toEqual(["b", "c", "d", "e", "f"]);
  expect((await ask("POST", `${books}/nobody/finished`)).status).toBe(404);
  expect((await ask("GET", `${shelf}/nothing`)).status).toBe(404);
  expect((await ask("DELETE", books)).status).toBe(405);
  expect((await ask("GET", `${shelf}/`)).body).toContain("POST /bookshelf/books");

  // Of the request that added the first book: each span but the first within one of another service.
  const spans = await eventually(async () => {
    const { traces } = await stack.read<{ traces: { traceId: string }[] }>("/v1/traces?limit=100");
    for (const { traceId } of traces.toReversed()) {
      const { spans } = await stack.read<{ spans: Span[] }>(`/v1/traces/${traceId}`);
      if (spans.some(({ name }) => name === "POST /bookshelf/books") && spans.length >= 6) return spans;
    }
    throw new Error("no trace of a request that added a book is whole yet");
  });
  const parentOf = ({ parentId }: Span): string | null =>
    spans.find(({ spanId }) => spanId === parentId)?.service ?? null;
  expect(spans.map((span) => `${parentOf(span)} > ${span.service}: ${span.name} (${span.kind})`).toSorted()).toEqual([
    "bookshelf > newbook: POST / (server)",
    "newbook > booklist: topic/bookshelf process (consumer)",
    "newbook > lastreadbooks: topic/bookshelf process (consumer)",
    "newbook > newbook: topic/bookshelf process (consumer)",
    "newbook > readbook: topic/bookshelf process (consumer)",
    "null > bookshelf: POST /bookshelf/books (server)",
  ]);

  // Withdrawn before it stops, with nothing lost meanwhile.
  const [gateway, , view] = services;
  await urlOf(await start("booklist", "booklist-2"));
  const asking = Promise.all(Array.from({ length: 50 }, () => ask("GET", books)));
  view?.kill("SIGTERM");
  expect(await view?.exited).toEqual({ code: 0, signal: null });
  expect((await asking).filter(({ status }) => status !== 200)).toEqual([]);
  gateway?.kill("SIGTERM");
  await stack.lists("bookshelf", {});
  expect(await gateway?.exited).toEqual({ code: 0, signal: null });
});

interface Span {
  readonly spanId: string;
  readonly parentId: string | null;
  readonly service: string;
  readonly name: string;
  readonly kind: string;
}

test("no book is lost and none is doubled, whatever is killed with -9 under a loop of POSTs", async () => {
  await Promise.all([stack.startDirectory([], { lease: "1s" }), router.start()]);
  const running = new Map<ServiceName, Child>();
  // The loop asks at one address, which the gateway has again after it was killed.
  const [port] = await freePorts(1);
  const startService = (service: ServiceName): Promise<Child> =>
    start(service, service, ...(service === "gateway" ? ["--port", `${port}`] : []));
  for (const service of ["newbook", "readbook", "booklist", "lastreadbooks", "gateway"] as const)
    running.set(service, await startService(service));
  const shelf = await urlOf(running.get("gateway") as Child);
  await Promise.all([...running.values()].map(urlOf));

  const made = new Map<string, Book>();
  const stop = new AbortController();
  const posting = (async () => {
    for (let n = 0; !stop.signal.aborted; n++) {
      const key = `book ${n}`;
      // What a client does: the same request again until it has its answer.
      for (;;) {
        const answer = await ask<Book>("POST", `${shelf}/books`, { title: key }, key).catch(() => null);
        if (answer?.status === 201) made.set(key, answer.body);
        if (answer?.status === 201) break;
        // As clients do; without, what asks would take the CPU from what starts again.
        await sleep(20);
      }
    }
  })();
  const goesOn = async (): Promise<void> => {
    const count = made.size;
    await eventually(() => expect(made.size).toBeGreaterThan(count + 5));
  };
  await goesOn();
  for (const service of ["newbook", "booklist", "gateway", "newbook"] as const) {
    await router.end("SIGKILL");
    running.get(service)?.kill("SIGKILL");
    await running.get(service)?.exited;
    running.set(service, await startService(service));
    await router.start();
    await running.get(service)?.line(isRegistered);
    await goesOn();
  }
  stop.abort();
  await posting;

  const titles = [...made.keys()].toSorted();
  // A view whose lease has ended on a busy machine is back in a moment.
  const listed = await eventually(async () => {
    const { status, body } = await ask<Book[]>("GET", `${shelf}/books`);
    expect(status).toBe(200);
    return body;
  });
  expect(listed.map(({ title }) => title).toSorted()).toEqual(titles);
  // What the views drop would be hidden by them: the topic itself has each once.
  const reader: Microserver = await connect({ url: `amqp://127.0.0.1:${router.port}` });
  const events: string[] = [];
  const last = await reader.lastOffset("topic/bookshelf");
  for await (const { body, offset } of reader.subscribe("topic/bookshelf", { from: "first" })) {
    events.push((body as unknown as { payload: Book }).payload.title);
    if (offset === last) break;
  }
  await reader.close();
  expect(events.toSorted()).toEqual(titles);
});
