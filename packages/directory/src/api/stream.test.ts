import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type Client, type Served, serve, sherlockOf, watsonOf } from "../testing/served.ts";
import { registration } from "../testing/worlds.ts";

let served: Served;
let watson: Client;

beforeAll(async () => {
  served = await serve();
  const { client } = await watsonOf(served, "vm1", [registration("barker@a:1"), registration("barker@b:2")]);
  watson = client;
});
afterAll(() => served.stop());

interface StreamEvent {
  readonly topic: string;
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Follows topics until the test ends. */
async function follow(topics: string, headers: Readonly<Record<string, string>> = {}) {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const url = `http://127.0.0.1:${served.port}/v1/stream?topics=${topics}`;
  const response = await fetch(url, { headers, signal: stop.signal });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  /** Resolves with the next event that fits; those before it are passed over. */
  return async (fits: (event: StreamEvent) => boolean = () => true): Promise<StreamEvent> => {
    for (;;) {
      const end = text.indexOf("\n\n");
      if (end < 0) {
        const { value, done } = await reader.read();
        if (done) throw new Error("Cannot read on: the stream has ended");
        text += value;
        continue;
      }
      const fields = new Map(
        text
          .slice(0, end)
          .split("\n")
          .map((line) => line.split(/: (.*)/s, 2) as [string, string]),
      );
      text = text.slice(end + 2);
      const [topic, id, data] = [fields.get("event"), fields.get("id"), fields.get("data")];
      if (topic === undefined || id === undefined || data === undefined) continue;
      const event = { topic, id, data: JSON.parse(data) as StreamEvent["data"] };
      if (fits(event)) return event;
    }
  };
}

const about = (topic: string) => (event: StreamEvent) => event.topic === topic;
const route = (percent: number) => ({ source: "//monolith", target: "//barker(2)", percent });

test("each topic is whole at first, as its GET answers", async () => {
  const next = await follow("status,services,service/barker,callers,map,history");
  const found = new Map<string, StreamEvent>();
  while (found.size < 6) {
    const event = await next();
    found.set(event.topic, event);
  }
  for (const [topic, path] of [
    ["services", "/v1/services"],
    ["service/barker", "/v1/services/barker"],
    ["callers", "/v1/callers"],
    ["map", "/v1/map"],
    ["history", "/v1/routes/history"],
  ] as const) {
    const { body } = await served.get(path);
    expect(found.get(topic)?.data).toEqual(body);
  }
  expect(found.get("status")?.data).toMatchObject({ counts: { services: 1 } });
  const { epoch, revision } = found.get("services")!.data;
  expect(found.get("services")?.id).toBe(`${String(epoch)}.${String(revision)}`);
});

test("what changes comes as rows with the revision that it is of, and what goes by its key", async () => {
  const next = await follow("services,service/barker,history");
  await next(about("history"));
  const answer = await served.send("POST", "/v1/routes", { ...route(10), ahead: true, source: "//barker" });
  const [rows, one, history] = [
    await next(about("services")),
    await next(about("service/barker")),
    await next(about("history")),
  ];
  expect(rows.data).toMatchObject({ changed: [{ service: "barker", counts: { instances: 2 } }], gone: [] });
  expect(rows.id.endsWith(`.${String(answer.body["revision"])}`)).toBe(true);
  expect(one.data).toMatchObject({ changed: [{ distributions: [{ shares: [{ percent: 10 }, { percent: 90 }] }] }] });
  expect(history.data).toMatchObject({ changed: [{ action: expect.stringContaining("route add") }], gone: [] });
  await served.send("POST", "/v1/services", { service: "//fresh" });
  expect((await next(about("services"))).data).toMatchObject({ changed: [{ service: "fresh" }], gone: [] });
  await served.send("DELETE", "/v1/services/fresh", {});
  expect((await next(about("services"))).data).toEqual({ changed: [], gone: ["fresh"] });
});

test("a service that is not there has no row until it comes", async () => {
  const next = await follow("service/later");
  expect((await next()).data).toEqual({ changed: [], gone: ["later"] });
  await served.send("POST", "/v1/services", { service: "//later" });
  expect((await next()).data).toMatchObject({ changed: [{ service: { service: "later" }, declared: true }], gone: [] });
  await served.send("DELETE", "/v1/services/later", {});
  expect((await next()).data).toEqual({ changed: [], gone: ["later"] });
});

test("who comes back is told what changed meanwhile, and all again where that is not known", async () => {
  const first = await follow("services");
  const { id } = await first();
  await served.send("POST", "/v1/services", { service: "//meanwhile" });
  const back = await follow("services,callers", { "last-event-id": id });
  const missed = await back();
  expect(missed.data["changed"]).toContainEqual(expect.objectContaining({ service: "meanwhile", status: "down" }));
  expect(missed.data["changed"]).not.toContainEqual(expect.objectContaining({ service: "barker", status: "live" }));
  expect((await back()).data).toHaveProperty("callers");
  const stranger = await follow("services", { "last-event-id": "another-life.3" });
  expect((await stranger()).data).toHaveProperty("services");
  await served.send("DELETE", "/v1/services/meanwhile", {});
});

test("instances=none leaves lists of instances empty, which their counts stand for", async () => {
  const next = await follow("services&instances=none");
  const [barker] = (await next()).data["services"] as unknown[];
  expect(barker).toMatchObject({ service: "barker", instances: [], counts: { instances: 2, live: 2 } });
  const { body } = await served.get("/v1/services?instances=none");
  expect(body["services"]).toMatchObject([{ service: "barker", instances: [], counts: { live: 2 } }]);
});

test("a rollout is followed from its start on", async () => {
  const next = await follow("rollouts");
  expect((await next()).data).toMatchObject({ rollouts: [] });
  const started = await served.send("POST", "/v1/rollouts", { target: "//barker(2)" });
  expect(started).toMatchObject({ status: 200 });
  const [{ id }] = started.body["rollouts"] as [{ id: string }];
  expect((await next()).data).toMatchObject({ changed: [{ id, state: "running" }], gone: [] });
  const one = await follow(`rollout/${id}`);
  expect((await one()).data).toMatchObject({ rollouts: [{ id }] });
  await served.send("POST", `/v1/rollouts/${id}/abort`, {});
  // How it goes on is told too, which may be before it is aborted.
  const isOver = ({ data }: StreamEvent): boolean =>
    ((data["changed"] ?? []) as { state: string }[]).some(({ state }) => state !== "running");
  expect((await one(isOver)).data).toMatchObject({ changed: [{ id, state: "aborted" }] });
  expect((await served.get("/v1/stream?topics=rollout/999")).status).toBe(404);
});

test("callers come and go", async () => {
  const next = await follow("callers");
  await next();
  const sherlock = await sherlockOf(served, "shop");
  expect((await next()).data).toMatchObject({ changed: [{ name: "shop", id: "identity-of-shop" }], gone: [] });
  sherlock.socket.close();
  expect((await next(({ data }) => (data["gone"] as unknown[]).length > 0)).data).toEqual({
    changed: [],
    gone: ["identity-of-shop"],
  });
});

const otlp = (path: "traces" | "logs", items: readonly object[]) => {
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] };
  const body =
    path === "traces"
      ? { resourceSpans: [{ resource, scopeSpans: [{ spans: items }] }] }
      : { resourceLogs: [{ resource, scopeLogs: [{ logRecords: items }] }] };
  return served.send("POST", `/v1/${path}`, body);
};
const span = (number: number, fields: object = {}) => ({
  traceId: number.toString(16).padStart(32, "0"),
  spanId: number.toString(16).padStart(16, "0"),
  name: `work ${number}`,
  startTimeUnixNano: `${Date.now()}000000`,
  endTimeUnixNano: `${Date.now() + 5}000000`,
  ...fields,
});
const entry = (text: string, severityNumber: number) => ({
  timeUnixNano: `${Date.now()}000000`,
  severityNumber,
  body: { stringValue: text },
});

test("traces and logs are followed as they are chosen: those there are, then each that comes or gains something", async () => {
  const failed = { status: { code: 2 } };
  await otlp("traces", [span(1, failed), span(2)]);
  await otlp("logs", [entry("before", 17), entry("idle", 9)]);
  const next = await follow("traces,logs&error=true&service=shop&limit=50&since=1h");
  const [traces, logs] = [await next(about("traces")), await follow("logs&level=warn&q=tea").then((it) => it())];
  expect(traces.data["traces"]).toMatchObject([{ name: "work 1", errors: 1 }]);
  expect(logs.data["events"]).toEqual([]);

  await otlp("traces", [span(3), span(4, failed)]);
  const come = await next(about("traces"));
  expect(come.data).toMatchObject({ changed: [{ name: "work 4" }], gone: [] });
  // One that is known gains a span.
  await otlp("traces", [span(5, { ...failed, traceId: span(4).traceId, parentSpanId: span(4).spanId })]);
  expect((await next(about("traces"))).data).toMatchObject({ changed: [{ name: "work 4", spans: 2, errors: 2 }] });

  const texts = await follow("logs&level=error&service=shop");
  expect((await texts()).data["events"]).toMatchObject([{ text: "before" }]);
  await otlp("logs", [entry("unimportant", 9), entry("worse", 21), entry("bad", 17)]);
  expect((await texts()).data).toMatchObject({ changed: [{ text: "worse" }, { text: "bad" }], gone: [] });
});

test("more events at once than an answer holds are all told, though nothing comes after them", async () => {
  const next = await follow("logs&level=critical&q=flood");
  expect((await next()).data["events"]).toEqual([]);
  const count = 1_200;
  await otlp(
    "logs",
    Array.from({ length: count }, (_, i) => entry(`flood ${i}`, 21)),
  );
  const texts: string[] = [];
  while (texts.length < count) {
    const { changed } = (await next()).data as { readonly changed: readonly { readonly text: string }[] };
    texts.push(...changed.map(({ text }) => text));
  }
  expect(new Set(texts).size).toBe(count);
});

test("of the status those fields alone are told that have changed", async () => {
  const next = await follow("status");
  expect((await next()).data).toHaveProperty("watsons");
  await served.send("POST", "/v1/services", { service: "//counted" });
  const { changed } = (await next()).data as { readonly changed: readonly object[] };
  expect(changed).toMatchObject([{ directory: { revision: expect.any(Number) as number }, counts: {} }]);
  expect(changed[0]).not.toHaveProperty("watsons");
  await served.send("DELETE", "/v1/services/counted", {});
});

test.each([
  ["gzip, deflate, br", "gzip"],
  ["gzip;q=0", null],
  ["identity", null],
])("with Accept-Encoding %s a stream is packed by %s, and says the same", async (accepted, packed) => {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const url = `http://127.0.0.1:${served.port}/v1/stream?topics=services`;
  const response = await fetch(url, { headers: { "accept-encoding": accepted }, signal: stop.signal });
  expect(response.headers.get("content-encoding")).toBe(packed);
  expect(response.headers.get("vary")).toBe("Accept-Encoding");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader.read()).value).toMatch(/^event: services\nid: \S+\ndata: \{.*"service":"barker"/);
});

test("an instance that goes down is told at once", async () => {
  const next = await follow("services,status");
  await next(about("status"));
  watson.send({
    type: "update",
    seq: 2,
    instances: [registration("barker@a:1", { state: "down", reason: "503" })],
    gone: [],
  });
  expect((await next(about("services"))).data).toMatchObject({ changed: [{ service: "barker", counts: { live: 1 } }] });
  watson.send({ type: "update", seq: 3, instances: [registration("barker@a:1")], gone: [] });
  expect((await next(about("services"))).data).toMatchObject({ changed: [{ counts: { live: 2 } }] });
});

test.each([
  ["/v1/stream", "wanted topics=status, services"],
  ["/v1/stream?topics=nonsense", '"nonsense"'],
  ["/v1/stream?topics=service/No%20name", "No name"],
  ["/v1/stream?topics=map&seconds=0", "seconds"],
  ["/v1/stream?topics=services&instances=some", "instances"],
  ["/v1/stream?topics=history,logs&level=loud", "level"],
  [`/v1/stream?topics=${Array.from({ length: 21 }, (_, i) => `service/s${i}`).join()}`, "20 at the most"],
  ["/v1/series", "service=NAME"],
  ["/v1/series?service=barker&by=colour", "version, instance or caller"],
  ["/v1/series?service=barker&seconds=3601", "1 to 3600"],
  ["/v1/map?seconds=", "1 to 3600"],
])("GET %s is refused with why", async (path, message) => {
  expect(await served.get(path)).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringContaining(message) } },
  });
});

test("a change on the condition of a revision is refused once the routes of the service have changed since", async () => {
  const { body } = await served.get("/v1/services");
  const seen = { "if-match": `"${String(body["epoch"])}.${String(body["revision"])}"` };
  await served.send("POST", "/v1/services", { service: "//elsewhere" });
  expect(
    await served.send("POST", "/v1/routes", { ...route(20), ahead: true, source: "//barker" }, seen),
  ).toMatchObject({ status: 200 });
  const late = await served.send("POST", "/v1/routes", { ...route(30), source: "//barker" }, seen);
  expect(late).toMatchObject({ status: 409, body: { error: { code: "conflict" } } });
  const dry = await served.send("POST", "/v1/routes", { ...route(30), source: "//barker", dryRun: true }, seen);
  expect(dry.status).toBe(409);
  const other = { "if-match": '"another-life.1"' };
  expect((await served.send("POST", "/v1/routes", { ...route(30), source: "//barker" }, other)).status).toBe(409);
  const nonsense = { "if-match": '"nonsense"' };
  expect((await served.send("POST", "/v1/routes", { ...route(30), source: "//barker" }, nonsense)).status).toBe(400);
  expect(
    (await served.send("POST", "/v1/routes", { ...route(30), source: "//barker" }, { "if-match": "*" })).status,
  ).toBe(200);
  expect((await served.send("DELETE", "/v1/services/elsewhere", {}, seen)).status).toBe(200);
});

test("a rollout is started and commanded on the same condition", async () => {
  const { body } = await served.get("/v1/services");
  const seen = { "if-match": `"${String(body["epoch"])}.${String(body["revision"])}"` };
  const rollout = { target: "//barker(2)", from: "//elsewhere" };
  const started = await served.send("POST", "/v1/rollouts", rollout, seen);
  expect(started.status).toBe(200);
  const [{ id }] = started.body["rollouts"] as [{ id: string }];
  // Its own first step has changed them.
  for (const verb of ["pause", "abort"])
    expect((await served.send("POST", `/v1/rollouts/${id}/${verb}`, {}, seen)).status).toBe(409);
  expect((await served.send("POST", `/v1/rollouts/${id}/abort`, {}, { "if-match": "*" })).status).toBe(200);
  expect((await served.send("POST", "/v1/rollouts", rollout, seen)).status).toBe(409);
});
