import { encodeTraceRequest, spanOf, traceRequest } from "@datawire/telemetry/testing";

/** Spans in one request. */
export const SPANS_A_REQUEST = 500;
const SPANS_A_TRACE = 10;

/** The id of a trace by its number, from 1. */
export function traceIdOf(number: number): string {
  return (number * 2_654_435_761).toString(16).padStart(32, "0");
}

/** Makes spans as those of a busy shop: ten to a trace, with eight attributes each, of twenty services. */
export class SpanMaker {
  /** How many there are by now, and those before the first one. */
  made: number;

  /** @param first how many there are before it, of which others make their traces; a multiple of 500. */
  constructor(first = 0) {
    this.made = first;
  }

  /** The next ones, as protobuf. */
  request(): Uint8Array {
    const service = `service${(this.made / SPANS_A_REQUEST) % 20}`;
    const spans = Array.from({ length: SPANS_A_REQUEST }, () => {
      const number = this.made;
      this.made += 1;
      const trace = Math.floor(number / SPANS_A_TRACE);
      const isRoot = number % SPANS_A_TRACE === 0;
      return spanOf({
        traceId: traceIdOf(trace + 1),
        spanId: (number + 1).toString(16).padStart(16, "0"),
        parentSpanId: isRoot ? "" : (trace * SPANS_A_TRACE + 1).toString(16).padStart(16, "0"),
        name: isRoot ? "GET /checkout" : `step ${number % SPANS_A_TRACE}`,
        startMs: Date.now() - 1_000 + (number % 1_000),
        durationMs: isRoot ? number % 1_000 : number % 50,
        failed: number % 97 === 0,
        attributes: {
          "http.request.method": "GET",
          "http.route": "/checkout",
          "http.response.status_code": number % 97 === 0 ? 500 : 200,
          "url.path": `/checkout/${number % 5_000}`,
          "server.address": `vm${number % 40}.example.com`,
          "network.protocol.version": "1.1",
          "user.id": trace,
          "thread.id": number % 16,
        },
      });
    });
    const resource = {
      "service.name": service,
      "service.version": "1.2.3",
      "service.instance.id": `${service}-vm1`,
      "host.name": "vm1.example.com",
      "telemetry.sdk.language": "nodejs",
      "telemetry.sdk.name": "opentelemetry",
      "telemetry.sdk.version": "3.1.1",
    };
    return encodeTraceRequest(traceRequest(spans, resource));
  }
}
