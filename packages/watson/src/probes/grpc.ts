import type { Probe } from "../model/belief.ts";
import { decodeHealthResponse, encodeHealthRequest } from "./grpc-health.ts";
import type { GrpcProbe } from "../model/service-definition.ts";
import { PASS } from "./expectation.ts";
import { exchangeHttp2, type Http2Response } from "./http2-exchange.ts";
import type { Network, Prober } from "./prober.ts";
import { failure } from "./reason.ts";

/** Far more than a health answer has. */
const BODY_BYTES_MAX = 4 * 1024;

/** Makes the prober that asks `grpc.health.v1.Health/Check`. */
export function createGrpcProber(settings: GrpcProbe, network: Network): Prober {
  const host = settings.host.includes(":") ? `[${settings.host}]` : settings.host;
  const origin = new URL(`${settings.secure ? "https" : "http"}://${host}:${settings.port}`);
  const request = {
    origin,
    headers: {
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
      "user-agent": "datawire-watson",
    },
    body: encodeHealthRequest(settings.service),
    tls: settings.tls,
    bodyBytesMax: BODY_BYTES_MAX,
  };
  return {
    async probe(signal) {
      try {
        return judge(await exchangeHttp2(request, network, signal), settings.service);
      } catch (error) {
        return failure(error, origin.host, network.note(origin.hostname));
      }
    },
    close() {},
  };
}

function judge({ headers, trailers, body }: Http2Response, service: string): Probe {
  const about = service === "" ? "the server" : JSON.stringify(service);
  const http = Number(headers[":status"]);
  if (http !== 200) return { ok: false, reason: `${http} from the gRPC health check, wanted 200` };
  // An answer that is an error alone has its status in the only headers there are.
  const status = trailers["grpc-status"] ?? headers["grpc-status"];
  if (status !== undefined && status !== "0") {
    const message = trailers["grpc-message"] ?? headers["grpc-message"];
    const told = message === undefined ? "" : ` (${String(message)})`;
    return { ok: false, reason: `gRPC status ${String(status)}${told} for ${about}, wanted 0` };
  }
  const serving = decodeHealthResponse(body);
  if (serving === "SERVING") return PASS;
  const found = serving ?? "an answer that is no HealthCheckResponse";
  return { ok: false, reason: `${found} from the gRPC health check of ${about}, wanted SERVING` };
}
