import { randomBytes } from "node:crypto";
import { sleep } from "../../e2e/harness/wait.ts";

/** One piece of work within a request: where it is done, when it begins and how long it takes, in milliseconds. */
interface Work {
  readonly service: string;
  readonly version: string;
  readonly instance: string;
  readonly name: string;
  readonly start: number;
  readonly duration: number;
  readonly failed?: boolean;
  readonly log?: readonly [severity: number, text: string][];
  readonly below?: readonly Work[];
}

const PACE_MS = 900;

/** Sends requests of the shop as OpenTelemetry would, until the signal. */
export async function sendTraces(base: string, signal: AbortSignal): Promise<void> {
  for (let i = 0; !signal.aborted; i++) {
    const make = REQUESTS[i % REQUESTS.length];
    if (make !== undefined) await send(base, make(i));
    await sleep(i < 40 ? 20 : PACE_MS);
  }
}

const REQUESTS = [browse, browse, (i: number): Work => buy(i, i % 3 === 2), find] as const;

const vary = (i: number, around: number): number => Math.round(around * (0.8 + ((i * 37) % 40) / 100) * 10) / 10;

type Rest = Omit<Work, "service" | "version" | "instance" | "name">;

/** @param where service, version and instance, parted by blanks */
function work(where: string, name: string, rest: Rest): Work {
  const [service = "", version = "", instance = ""] = where.split(" ");
  return { service, version, instance, name, ...rest };
}

function browse(i: number): Work {
  const catalog = `catalog 3.2.0 catalog-32${"abc"[i % 3]}`;
  const select = work(catalog, "SELECT products", { start: 6, duration: vary(i, 8) });
  const get = work(catalog, "GET /products/{id}", { start: 4, duration: vary(i, 14), below: [select] });
  return work("storefront 7.4.0 web-2", "GET /p/{product}", { start: 0, duration: vary(i, 31), below: [get] });
}

function find(i: number): Work {
  const query = work("search 0.9.1 search-09a", "GET /query", {
    start: 5,
    duration: vary(i, 44),
    log: i % 8 === 3 ? [[13, "index shard 4 is slow: 31 ms"]] : [],
  });
  return work("storefront 7.4.0 web-1", "GET /search", {
    start: 0,
    duration: vary(i, 64),
    log: [[9, `query "rain jacket", ${(i * 7) % 90} results`]],
    below: [query],
  });
}

function buy(i: number, failed: boolean): Work {
  const checkout = "checkout 2.0.0 checkout-20a";
  const charge = work("payments 5.1.2 payments-51a", "POST /charges", {
    start: 61,
    duration: vary(i, failed ? 301 : 82),
    failed,
    log: failed
      ? [
          [13, "card issuer answers slowly, trying again"],
          [17, "charge 9f31 failed: issuer timed out after 250 ms"],
        ]
      : [[9, "charge accepted"]],
  });
  const order = work(checkout, "POST /orders", {
    start: 22,
    duration: vary(i, failed ? 371 : 141),
    failed,
    below: [work(checkout, "reserve stock", { start: 30, duration: vary(i, 24) }), charge],
  });
  const account = work("accounts 4.0.1 accounts-40a", "GET /accounts/{id}", { start: 6, duration: vary(i, 11) });
  return work("storefront 7.4.0 web-1", "POST /checkout", {
    start: 0,
    duration: vary(i, failed ? 412 : 186),
    failed,
    log: [[9, "order placed by customer 20117"]],
    below: [account, order],
  });
}

async function send(base: string, request: Work): Promise<void> {
  const traceId = randomBytes(16).toString("hex");
  const at = Date.now() - request.duration - 50;
  const spans: object[] = [];
  const logs: object[] = [];
  const walk = (work: Work, parentSpanId: string): void => {
    const spanId = randomBytes(8).toString("hex");
    const resource = resourceOf(work);
    const [from, to] = [at + work.start, at + work.start + work.duration];
    const span = {
      traceId,
      spanId,
      parentSpanId,
      name: work.name,
      kind: 2,
      startTimeUnixNano: nanos(from),
      endTimeUnixNano: nanos(to),
      status: work.failed === true ? { code: 2 } : {},
    };
    spans.push({ resource, scopeSpans: [{ spans: [span] }] });
    const logRecords = (work.log ?? []).map(([severityNumber, text], i) => ({
      traceId,
      spanId,
      timeUnixNano: nanos(from + ((i + 1) * work.duration) / 4),
      severityNumber,
      body: { stringValue: text },
    }));
    if (logRecords.length > 0) logs.push({ resource, scopeLogs: [{ logRecords }] });
    for (const each of work.below ?? []) walk(each, spanId);
  };
  walk(request, "");
  await post(`${base}/v1/traces`, { resourceSpans: spans });
  if (logs.length > 0) await post(`${base}/v1/logs`, { resourceLogs: logs });
}

function resourceOf({ service, version, instance }: Work): object {
  const all = { "service.name": service, "service.version": version, "service.instance.id": instance };
  return { attributes: Object.entries(all).map(([key, stringValue]) => ({ key, value: { stringValue } })) };
}

const nanos = (ms: number): string => `${Math.round(ms * 1_000)}000`;

async function post(url: string, body: object): Promise<void> {
  const headers = { "content-type": "application/json" };
  await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
}
