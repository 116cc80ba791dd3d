import type { HttpProbe } from "../model/service-definition.ts";
import { BODY_BYTES_MAX, createExpectation } from "./expectation.ts";
import { exchangeHttp2 } from "./http2-exchange.ts";
import type { Network, Prober } from "./prober.ts";
import { failure } from "./reason.ts";

/** Makes the prober of an HTTP/2 check. */
export function createHttp2Prober(settings: HttpProbe, network: Network): Prober {
  const origin = new URL(settings.url);
  const judge = createExpectation(settings);
  const { host, ...headers } = Object.fromEntries(
    Object.entries(settings.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const request = {
    origin,
    headers: {
      "user-agent": "datawire-watson",
      ...headers,
      ":method": settings.method,
      ":path": `${origin.pathname}${origin.search}`,
      ...(host === undefined ? {} : { ":authority": host }),
    },
    body: null,
    tls: settings.tls,
    bodyBytesMax: BODY_BYTES_MAX,
  };
  return {
    async probe(signal) {
      try {
        const response = await exchangeHttp2(request, network, signal);
        return judge({ status: Number(response.headers[":status"]), body: response.body.toString("utf8") });
      } catch (error) {
        return failure(error, origin.host, network.note(origin.hostname));
      }
    },
    close() {},
  };
}
