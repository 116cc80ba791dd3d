import { Client, type Dispatcher } from "undici";
import type { Probe } from "../../core/belief.ts";
import type { HttpProbe } from "../../core/instance.ts";
import { BODY_BYTES_MAX, createExpectation } from "./expectation.ts";
import type { Prober, ProberDeps } from "./prober.ts";
import { failureReason } from "./reason.ts";
import { tlsOptions } from "./tls.ts";

/**
 * Makes the prober of an HTTP/1.1 check.
 *
 * Every probe opens a connection of its own (`pipelining: 0` makes undici close each after its answer): a server that
 * has closed its port goes on answering over connections that it has, and would be found live for as long as one is
 * kept. Redirects are not followed: `request` does not.
 */
export function createHttpProber(settings: HttpProbe, deps: ProberDeps): Prober {
  const url = new URL(settings.url);
  const judge = createExpectation(settings);
  const client = new Client(url.origin, {
    pipelining: 0,
    // The check's own time-out is the only one.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { lookup: deps.lookup, timeout: 0, ...tlsOptions(settings, deps) },
  });
  const request: Dispatcher.RequestOptions = {
    path: `${url.pathname}${url.search}`,
    method: settings.method,
    headers: { "user-agent": "datawire-watson", ...settings.headers },
  };
  return {
    async probe(signal): Promise<Probe> {
      try {
        const { statusCode, body } = await client.request({ ...request, signal });
        if (settings.body !== null) return judge({ status: statusCode, body: await readStart(body) });
        // The answer is in; how the rest of it fares is no part of the check.
        body.dump({ limit: BODY_BYTES_MAX }).catch(() => {});
        return judge({ status: statusCode, body: null });
      } catch (error) {
        return { ok: false, reason: failureReason(error, url.host) };
      }
    },
    close: () => void client.destroy().catch(() => {}),
  };
}

async function readStart(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= BODY_BYTES_MAX) break;
  }
  return Buffer.concat(chunks).subarray(0, BODY_BYTES_MAX).toString("utf8");
}
