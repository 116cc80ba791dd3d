import type { HttpProbe } from "../../core/instance.ts";
import { BODY_BYTES_MAX, createExpectation } from "./expectation.ts";
import { exchangeHttp2 } from "./http2-exchange.ts";
import type { Prober, ProberDeps } from "./prober.ts";
import { failure } from "./reason.ts";

/** Makes the prober of an HTTP/2 check. */
export function createHttp2Prober(settings: HttpProbe, deps: ProberDeps): Prober {
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
    tlsVerify: settings.tlsVerify,
    bodyBytesMax: BODY_BYTES_MAX,
  };
  return {
    async probe(signal) {
      try {
        const response = await exchangeHttp2(request, deps, signal);
        return judge({ status: Number(response.headers[":status"]), body: response.body.toString("utf8") });
      } catch (error) {
        return failure(error, origin.host);
      }
    },
    close() {},
  };
}
