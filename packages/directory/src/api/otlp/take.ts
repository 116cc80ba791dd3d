import type { IncomingMessage } from "node:http";
import { OTLP_TYPES } from "@datawire/api";
import { readBoundedBody } from "@datawire/http";
import { type ErrorCode, httpStatus } from "@datawire/protocol";
import {
  BODY_BYTES_MAX,
  BUSY,
  type Format,
  refusalBody,
  type Signal,
  type Telemetry,
  type Written,
} from "@datawire/telemetry";
import type { Grant } from "../../access/grant.ts";

/** An answer as it is to be sent. */
export interface OtlpAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

const PAYLOAD_TOO_LARGE = 413;
const UNSUPPORTED_MEDIA_TYPE = 415;

/** Takes what a client of OTLP/HTTP sends (opentelemetry.io/docs/specs/otlp, "OTLP/HTTP Request"). */
export async function take(
  { telemetry }: { readonly telemetry: Telemetry },
  signal: Signal,
  { req, grant }: { readonly req: IncomingMessage; readonly grant: Grant },
): Promise<OtlpAnswer> {
  const type = (req.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const encoding = (req.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  const format = formatOf(type);
  if (format === null) {
    const message = `Cannot take a body of type ${JSON.stringify(type.slice(0, 100))}: wanted ${OTLP_TYPES.protobuf} or ${OTLP_TYPES.json}`;
    return refuse("json", { status: UNSUPPORTED_MEDIA_TYPE, code: "invalid_argument", message });
  }
  if (encoding !== "identity" && encoding !== "gzip") {
    const message = `Cannot take a body packed by ${JSON.stringify(encoding.slice(0, 100))}: wanted gzip, or none`;
    return refuse(format, { status: UNSUPPORTED_MEDIA_TYPE, code: "invalid_argument", message });
  }
  const read = await readBoundedBody(req, { bytesMax: BODY_BYTES_MAX, room: telemetry });
  if (read === "too-large") return answerTo(format, TOO_LARGE);
  if (read === "no-room") return answerTo(format, BUSY);
  try {
    const { bytes } = read;
    const body = { tenant: grant.tenant ?? "", signal, format, gzip: encoding === "gzip", bytes };
    return await answerTo(format, await telemetry.otlp(body));
  } finally {
    read.done();
  }
}

const TOO_LARGE: Written = {
  state: "too-large",
  message: `Cannot take a body of more than ${BODY_BYTES_MAX} bytes; wanted smaller batches`,
};

function formatOf(type: string): Format | null {
  if (type === OTLP_TYPES.protobuf) return "protobuf";
  return type === OTLP_TYPES.json ? "json" : null;
}

function answerTo(format: Format, written: Written): Promise<OtlpAnswer> | OtlpAnswer {
  switch (written.state) {
    case "kept":
      return { status: 200, type: OTLP_TYPES[format], body: written.body };
    case "too-large":
      return refuse(format, { status: PAYLOAD_TOO_LARGE, code: "limit_exceeded", message: written.message });
    case "later": {
      const code = written.why === "rate" ? "limit_exceeded" : "unavailable";
      const retryAfter = String(Math.max(1, Math.ceil(written.afterMs / 1_000)));
      return refuse(format, { status: httpStatus(code), code, message: written.message, retryAfter });
    }
    case "refused": {
      const { code, message } = written;
      // What is not there now may be in a moment: who sent it keeps it.
      const again = code === "unavailable" ? { retryAfter: "1" } : {};
      return refuse(format, { status: httpStatus(code), code, message, ...again });
    }
  }
}

interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfter?: string;
}

async function refuse(format: Format, { retryAfter, ...refusal }: Refusal): Promise<OtlpAnswer> {
  const headers = retryAfter === undefined ? {} : { "retry-after": retryAfter };
  return { status: refusal.status, type: OTLP_TYPES[format], body: await refusalBody(format, refusal), headers };
}
