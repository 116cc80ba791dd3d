import { exchangeHttp1, isOwnAddress } from "@datawire/runtime";
import { z } from "zod";
import type { Probe } from "../model/belief.ts";
import type { ConsumersProbe } from "../model/service-definition.ts";
import { PASS } from "./expectation.ts";
import { openSocket } from "./open-socket.ts";
import { networkOf, type Prober, type ProberDeps } from "./prober.ts";
import { failure } from "./reason.ts";

/** What a router answers: a line for each host that listens. */
const answerSchema = z.object({
  consumers: z.array(z.object({ host: z.string(), links: z.number() })),
});
/** Thousands of hosts. */
const BODY_BYTES_MAX = 1024 * 1024;
const NO_TLS = { verify: true, serverName: null };

/** Makes the prober that asks a router how many links of this machine listen at an address. */
export function createConsumersProber(settings: ConsumersProbe, deps: ProberDeps): Prober {
  const host = settings.host.includes(":") ? `[${settings.host}]` : settings.host;
  const target = `${host}:${settings.port}`;
  const request = {
    method: "GET",
    path: `/v1/consumers?address=${encodeURIComponent(settings.address)}`,
    headers: { host: target, "user-agent": "datawire-watson" },
    bodyBytesMax: BODY_BYTES_MAX,
  };
  return {
    async probe(signal) {
      try {
        const network = networkOf({ asTraffic: false }, deps);
        const socket = openSocket({ origin: new URL(`http://${target}`), tls: NO_TLS, alpn: "http/1.1" }, network);
        const { status, body } = await exchangeHttp1(request, socket, signal);
        const counted = status === 200 ? linksHere(body?.toString("utf8") ?? "") : null;
        if (counted !== null) return judge(counted, settings, target);
        const reason = `${status} from ${target} is no answer of a router to who listens at ${settings.address}`;
        return { ok: false, reason: `${reason}, wanted the admin port of a router` };
      } catch (error) {
        return failure(error, target);
      }
    },
    close() {},
  };
}

function judge(counted: number, { consumers, address }: ConsumersProbe, target: string): Probe {
  if (counted >= consumers) return PASS;
  const links = counted === 1 ? "1 link" : `${counted} links`;
  const reason = `${links} of this machine at ${address} of the router at ${target}, wanted ${consumers}`;
  return { ok: false, reason };
}

/** How many links of this machine an answer has; null for what is none. */
function linksHere(text: string): number | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = answerSchema.safeParse(value);
  if (!parsed.success) return null;
  return parsed.data.consumers.reduce((sum, { host, links }) => sum + (isOwnAddress(host) ? links : 0), 0);
}
