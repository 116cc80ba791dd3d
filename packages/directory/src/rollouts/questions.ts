import type { QueryCheck } from "@datawire/rollout";
import { Agent, request } from "undici";

/** Asks what others know of a version. */
export interface Questions {
  /** The number that a query gives; null where there is none, for whatever reason. */
  query(check: QueryCheck, version: string, signal: AbortSignal): Promise<number | null>;
  /** Whether a gate agrees: it is posted the rollout, and answers with 2xx. */
  agrees(gate: string, rollout: unknown, signal: AbortSignal): Promise<boolean>;
}

/** An answer has so long to come, and no more bytes. */
const ANSWER_MS_MAX = 4_000;
const ANSWER_BYTES_MAX = 1_048_576;

/** Asks over HTTP. */
export function createQuestions(): Questions {
  const dispatcher = new Agent({
    connectTimeout: ANSWER_MS_MAX,
    headersTimeout: ANSWER_MS_MAX,
    bodyTimeout: ANSWER_MS_MAX,
    maxResponseSize: ANSWER_BYTES_MAX,
  });
  const bounded = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]);
  return {
    async query({ prometheus, query }, version, signal) {
      try {
        const words = new URLSearchParams({ query: query.replaceAll("$version", version) });
        const url = `${prometheus.replace(/\/+$/, "")}/api/v1/query?${words.toString()}`;
        const answer = await request(url, {
          headers: { accept: "application/json" },
          dispatcher,
          signal: bounded(signal),
        });
        const text = await answer.body.text();
        return answer.statusCode === 200 ? readNumber(text) : null;
      } catch {
        return null; // no data, which the check says
      }
    },
    async agrees(gate, rollout, signal) {
      try {
        const headers = { "content-type": "application/json" };
        const body = JSON.stringify(rollout);
        const answer = await request(gate, { method: "POST", headers, body, dispatcher, signal: bounded(signal) });
        await answer.body.dump();
        return answer.statusCode >= 200 && answer.statusCode < 300;
      } catch {
        return false;
      }
    },
  };
}

/**
 * Reads an answer of Prometheus (HTTP API, "Instant queries"): a scalar, or a vector of one sample. More than one is no
 * number, and neither are NaN and infinity.
 */
export function readNumber(text: string): number | null {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return null;
  }
  const data = fieldOf(answer, "data");
  const result = fieldOf(data, "result");
  if (!Array.isArray(result)) return null;
  const list: readonly unknown[] = result;
  const sample = fieldOf(data, "resultType") === "scalar" ? list : list.length === 1 ? fieldOf(list[0], "value") : null;
  const value: unknown = Array.isArray(sample) ? sample[1] : null;
  if (typeof value !== "string" || value.trim() === "") return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value as unknown;
}
