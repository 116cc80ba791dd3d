import { ERROR_CODES, type ErrorCode, ProtocolError } from "@datawire/protocol";
import type { HttpAnswer } from "../transport/http-exchange.ts";

/** The meaning of an answer for the client. */
export type AnswerRead =
  | { readonly state: "read"; readonly value: unknown }
  | {
      readonly state: "unreachable";
      readonly reason: string;
      /** Whether another address may be asked the same without doing something twice. */
      readonly repeatable: boolean;
    };

/**
 * Reads the answer to a request.
 * @throws ProtocolError with what the directory refused.
 */
export function readAnswer(
  answer: HttpAnswer,
  { method, path }: { readonly method: string; readonly path: string },
): AnswerRead {
  const isRead = method === "GET";
  if (answer.state === "failed") {
    const doubt = answer.sent && !isRead ? "; whether the change was made is not known" : "";
    return { state: "unreachable", reason: `${answer.reason}${doubt}`, repeatable: isRead || !answer.sent };
  }
  const { status } = answer;
  const value = parse(answer.body);
  if (status >= 200 && status < 300 && value !== undefined) return { state: "read", value };
  const refusal = refusalOf(value);
  if (refusal !== null) throw new ProtocolError(refusal.code, refusal.message);
  // Without our form of an error, this is a proxy on the way or another program altogether.
  const reason = `it answered ${method} ${path} with HTTP ${status} and not as a directory does: is this the right address?`;
  return { state: "unreachable", reason, repeatable: isRead || status >= 400 };
}

const CODES: ReadonlySet<string> = new Set(ERROR_CODES);

function refusalOf(value: unknown): { code: ErrorCode; message: string } | null {
  const error = (value as { error?: { code?: unknown; message?: unknown } } | null | undefined)?.error;
  if (typeof error?.message !== "string" || typeof error.code !== "string") return null;
  // A newer directory may know more codes; what it says is worth more than its class.
  return { code: CODES.has(error.code) ? (error.code as ErrorCode) : "internal", message: error.message };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}
