import { requireApplication } from "../app/require-application.ts";
import type { Mdk } from "../app/types.ts";
import { MdkError } from "../session/mdk-error.ts";
import { OtlpExporter } from "./exporter.ts";
import { createSdkObserver } from "./sdk-observer.ts";

/** Where to export to. */
export interface OtelOptions {
  /** Base URL of OTLP over HTTP. `OTEL_EXPORTER_OTLP_ENDPOINT`; default: no export but to the SDK of the application. */
  readonly endpoint?: string;
  /** Headers of each request, such as a key. `OTEL_EXPORTER_OTLP_HEADERS`; default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What this process is called; by the name of its registered instance, traces lead to it. Default: the library's `id`. */
  readonly instance?: string;
  /** False for spans alone, where the endpoint is a directory, which has the logs already. Default: true. */
  readonly logs?: boolean;
}

/**
 * Exports what sessions log, with severities 21, 17, 13, 9 and 5, and interactions as spans: to the endpoint in OTLP, and
 * to the OpenTelemetry SDK that the application has registered. The function returned ends it.
 * @throws MdkError `invalid_argument` for an endpoint that is no URL
 */
export function exportTelemetry(mdk: Mdk, options: OtelOptions = {}): () => void {
  const application = requireApplication(mdk);
  const endpoint = options.endpoint ?? (process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] || null);
  const observers = [createSdkObserver()];
  if (endpoint !== null) {
    if (!URL.canParse(endpoint) || !/^https?:/.test(endpoint))
      throw new MdkError("invalid_argument", `Cannot export to ${JSON.stringify(endpoint)}: wanted http://HOST:PORT`);
    const headers = options.headers ?? parseHeaders(process.env["OTEL_EXPORTER_OTLP_HEADERS"] ?? "");
    const resource = {
      service: process.env["OTEL_SERVICE_NAME"] || application.name,
      instance: options.instance ?? application.id,
    };
    observers.push(new OtlpExporter({ endpoint, headers, resource, hasLogs: options.logs ?? true }));
  }
  for (const observer of observers) application.observers.add(observer);
  return () => {
    for (const observer of observers) {
      application.observers.delete(observer);
      void observer.stopping();
    }
  };
}

/** `name=value,name=value`, values percent-encoded, as W3C Baggage has them. */
function parseHeaders(text: string): Record<string, string> {
  const pairs = text.split(",").flatMap((part): [string, string][] => {
    const [name = "", ...rest] = part.split("=");
    return name.trim() === "" || rest.length === 0 ? [] : [[name.trim(), decode(rest.join("=").trim())]];
  });
  return Object.fromEntries(pairs);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
