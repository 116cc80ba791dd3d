import { once } from "node:events";
import { type IncomingMessage, request as overHttp } from "node:http";
import { request as overHttps } from "node:https";
import type { QueryCheck, Refusal } from "@datawire/rollout";
import { describeError } from "@datawire/runtime";

/** Why a query gives no number, after "it". */
export interface NoNumber {
  readonly why: string;
}

/** Asks what others know of a version. */
export interface Questions {
  /** The number that a query gives, or why there is none. */
  query(check: QueryCheck, version: string, signal: AbortSignal): Promise<number | NoNumber>;
  /** Whether a gate agrees: it is posted the rollout, and answers with 2xx. */
  agrees(gate: string, rollout: unknown, signal: AbortSignal): Promise<true | Disagreement>;
}

/** What a gate says that does not agree. */
export interface Disagreement extends Refusal {
  /** Whether it says nothing, which is a problem, where a no is none. */
  readonly isSilent: boolean;
}

/** An answer has so long to come, and no more bytes. */
const ANSWER_MS_MAX = 4_000;
const ANSWER_BYTES_MAX = 1_048_576;

/** Asks over HTTP, by Node's own client: another would be half of what a directory loads, for a question now and then. */
export function createQuestions(): Questions {
  return {
    async query({ prometheus, query }, version, signal) {
      try {
        const words = new URLSearchParams({ query: query.replaceAll("$version", version) });
        const url = `${prometheus.replace(/\/+$/, "")}/api/v1/query?${words.toString()}`;
        const answer = await ask(url, { signal });
        const text = await textOf(answer);
        return answer.statusCode === 200 ? readNumber(text) : none(`is answered with ${answer.statusCode}`);
      } catch (error) {
        return none(`is not answered: ${describeError(error)}`);
      }
    },
    async agrees(gate, rollout, signal) {
      try {
        const answer = await ask(gate, { signal, body: JSON.stringify(rollout) });
        answer.destroy(); // its status is all that counts
        const { statusCode = 0 } = answer;
        if (statusCode >= 200 && statusCode < 300) return true;
        return { why: `is answered with ${statusCode}`, isSilent: false };
      } catch (error) {
        return { why: `is not answered: ${describeError(error)}`, isSilent: true };
      }
    },
  };
}

/** Posts what there is to post, over a connection of its own, and gives the answer once its head is there. */
async function ask(
  url: string,
  { signal, body }: { readonly signal: AbortSignal; readonly body?: string },
): Promise<IncomingMessage> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]);
  const kind = body === undefined ? { accept: "application/json" } : { "content-type": "application/json" };
  const options = {
    method: body === undefined ? "GET" : "POST",
    headers: kind,
    signal: bounded,
    agent: false,
  } as const;
  const asking = url.startsWith("https:") ? overHttps(url, options) : overHttp(url, options);
  // What fails once there is an answer fails that too, and is seen there.
  asking.on("error", () => {});
  asking.end(body);
  const [answer] = (await once(asking, "response")) as [IncomingMessage];
  return answer;
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error("the answer is too large");
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

/**
 * Reads an answer of Prometheus (HTTP API, "Instant queries"): a scalar, or a vector of one sample. More than one is no
 * number, and neither are NaN and infinity.
 */
export function readNumber(text: string): number | NoNumber {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return none("is answered with what is no JSON");
  }
  const data = fieldOf(answer, "data");
  const result = fieldOf(data, "result");
  if (!Array.isArray(result)) return none("is answered with what is no result of Prometheus");
  const list: readonly unknown[] = result;
  const isScalar = fieldOf(data, "resultType") === "scalar";
  if (!isScalar && list.length !== 1) return none(`gives ${list.length} samples, wanted one`);
  const sample = isScalar ? list : fieldOf(list[0], "value");
  const value: unknown = Array.isArray(sample) ? sample[1] : null;
  if (typeof value !== "string" || value.trim() === "") return none("is answered with what is no result of Prometheus");
  const number = Number(value);
  return Number.isFinite(number) ? number : none(`gives ${JSON.stringify(value.slice(0, VALUE_CHARACTERS))}`);
}

/** How much of a value is quoted. */
const VALUE_CHARACTERS = 30;

const none = (why: string): NoNumber => ({ why });

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value as unknown;
}
