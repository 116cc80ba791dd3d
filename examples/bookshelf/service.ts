// What every service of the shelf does: it answers HTTP, is registered while it is ready, and is reached by its name.
import { createServer, type IncomingMessage } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Mdk, start } from "@datawire/mdk";
import { mdkMiddleware } from "@datawire/mdk/connect";
import { exportTelemetry } from "@datawire/mdk/otel";
import { connect, type Microserver } from "@datawire/microserver";

/** A request, read. */
export interface Asked {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Of JSON; null without. */
  readonly body: unknown;
  readonly idempotencyKey: string | null;
}

/** An answer; bodies are JSON but for texts, which are pages. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a service is made with. */
export interface Parts {
  readonly mdk: Mdk;
  readonly microserver: Microserver;
  readonly version: string;
}

export const problem = (status: number, error: string): Answer => ({ status, body: { error } });

const BODY_BYTES_MAX = 65_536;
/** How long it goes on to answer when it is registered no more: until everybody has heard of it. */
const LEAVE_MS = 500;

/**
 * Runs a service until SIGTERM: `--port N` (any), `--host H` (127.0.0.1), `--version V` (1.0), `--instance NAME`.
 * @param prepare makes what answers; the service is registered when it resolves.
 */
export async function serve(
  { name, base = "", tags }: { readonly name: string; readonly base?: string; readonly tags: readonly string[] },
  prepare: (parts: Parts) => Promise<(asked: Asked) => Promise<Answer>>,
): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "0" },
      host: { type: "string", default: "127.0.0.1" },
      version: { type: "string", default: "1.0" },
      instance: { type: "string" },
    },
  });
  const { version, host, instance } = values;
  const mdk = start({ name });
  mdk.setDefaultDeadline(10);
  // What sessions log, the directory has already.
  exportTelemetry(mdk, {
    endpoint: process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] || directoryUrl(),
    logs: false,
    ...(instance !== undefined && { instance }),
  });
  const microserver = await connect({ name: instance ?? name, version });
  const stopped = once(process, "SIGTERM");
  const answer = await Promise.race([prepare({ mdk, microserver, version }), stopped.then(() => null)]);
  if (answer === null) {
    await Promise.all([microserver.close(), mdk.stop()]);
    return;
  }

  const withSession = mdkMiddleware(mdk);
  const server = createServer((req, res) =>
    withSession(req, res, async () => {
      const { status, body, headers } = await read(req).then(answer, refused).catch(failed);
      const text = typeof body === "string" ? body : `${JSON.stringify(body)}\n`;
      const type = typeof body === "string" ? "text/html; charset=utf-8" : "application/json";
      res.writeHead(status, { ...(body !== undefined && { "content-type": type }), ...headers });
      res.end(body === undefined ? "" : text);
    }),
  ).listen(Number(values.port), host);
  await once(server, "listening");
  const url = `http://${host}:${(server.address() as AddressInfo).port}${base}`;
  const registration = mdk.register(name, version, url, { tags, ...(instance !== undefined && { instance }) });
  registration.registered.then(
    () => console.log(`${name} ${version} is registered at ${url}`),
    (error: Error) => console.error(error.message),
  );

  await stopped;
  // First nobody finds it any more, then it stops.
  await registration.deregister();
  await sleep(LEAVE_MS);
  server.close().closeIdleConnections();
  await once(server, "close");
  await microserver.close();
  await mdk.stop();
}

class Refusal extends Error {}

async function read(req: IncomingMessage): Promise<Asked> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of req as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > BODY_BYTES_MAX) throw new Refusal(`a body of more than ${BODY_BYTES_MAX} bytes`);
    parts.push(part);
  }
  const key = req.headers["idempotency-key"];
  const [path = "/"] = (req.url ?? "/").split("?");
  return {
    method: req.method ?? "GET",
    path,
    body: bytes === 0 ? null : parse(Buffer.concat(parts).toString()),
    idempotencyKey: typeof key === "string" && key !== "" ? key : null,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal("a body that is no JSON");
  }
}

function refused(error: unknown): Answer {
  if (error instanceof Refusal) return problem(400, `Cannot take ${error.message}`);
  throw error;
}

const failed = (error: unknown): Answer => problem(503, error instanceof Error ? error.message : String(error));

/** Where the directory takes traces. */
function directoryUrl(): string {
  const [first = ""] = (process.env["DATAWIRE_DIRECTORY"] ?? "").split(",");
  const [, host = "localhost", port = "5430"] =
    /^(?:https?:)?\/\/([^:/]+|\[[^\]]+\])(?::(\d+))?/.exec(first.trim()) ?? [];
  return `http://${host}:${port}`;
}
