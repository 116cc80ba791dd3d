import { exchangeHttp1 } from "@datawire/runtime";
import type { HttpProbe } from "../model/service-definition.ts";
import { BODY_BYTES_MAX, createExpectation } from "./expectation.ts";
import { openSocket } from "./open-socket.ts";
import type { Network, Prober } from "./prober.ts";
import { failure } from "./reason.ts";

/**
 * Makes the prober of an HTTP/1.1 check. It accepts the responses that HAProxy accepts, so that an instance that is live
 * for Watson can be reached through HAProxy.
 *
 * Every probe opens a connection of its own: a server that has closed its port goes on answering over connections that
 * it has, and would be found live for as long as one is kept. Redirects are not followed, and no proxy of the
 * environment is asked: neither is what the traffic does.
 */
export function createHttpProber(settings: HttpProbe, network: Network): Prober {
  const url = new URL(settings.url);
  const judge = createExpectation(settings);
  const { method } = settings;
  const headers = { host: url.host, "user-agent": "datawire-watson", ...lowerNames(settings.headers) };
  const bodyBytesMax = settings.body === null ? null : BODY_BYTES_MAX;
  // As it is written: a URL would take %2e%2e for a step upwards.
  const path = /^[^/]*\/\/[^/?#]*([^#]*)/.exec(settings.url)?.[1] || "/";
  const request = { method, path, headers, bodyBytesMax };
  return {
    async probe(signal) {
      try {
        const socket = openSocket({ origin: url, tls: settings.tls, alpn: "http/1.1" }, network);
        const { status, body } = await exchangeHttp1(request, socket, signal);
        return judge({ status, body: body === null ? null : body.toString("utf8") });
      } catch (error) {
        return failure(error, url.host, network.note(url.hostname));
      }
    },
    close() {},
  };
}

/** So that a header which the check names takes the place of its default. */
function lowerNames(headers: HttpProbe["headers"]): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
