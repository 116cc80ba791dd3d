import type { z } from "zod";
import { type Endpoint, fillPath, type ParamOf, type QueryShape } from "../definitions/endpoint.ts";

/** Sends one request and returns the JSON of its answer. @throws what the directory refused, or why it was not reached. */
export type Exchange = (method: string, path: string, body?: unknown) => Promise<unknown>;

/** An endpoint with JSON for an answer, with all that its types tell. */
type Callable<Path extends string, Query, Body, Answer> = Endpoint & {
  readonly path: Path;
  readonly query?: Query;
  readonly body?: Body;
  readonly answer: Answer;
};

type Params<Path extends string> = [ParamOf<Path>] extends [never]
  ? {}
  : { readonly params: Record<ParamOf<Path>, string> };
type Query<Q> = Q extends QueryShape ? { readonly query?: z.input<Q> } : {};
type Body<B> = B extends z.ZodType
  ? {} extends z.input<B>
    ? { readonly body?: z.input<B> }
    : { readonly body: z.input<B> }
  : {};

/** What a request to an endpoint has to give: the names in its path, its query and its body. */
type Input<Path extends string, Q, B> = Params<Path> & Query<Q> & Body<B>;

/** Asks a directory, each endpoint by its definition. */
export interface ApiClient {
  /**
   * Sends a request to an endpoint.
   * @returns the answer, which has the shape that the endpoint promises.
   * @throws AnswerError for an answer of another shape; and what the exchange throws.
   */
  ask<Path extends string, Q extends QueryShape, B extends z.ZodType, Answer extends z.ZodType>(
    endpoint: Callable<Path, Q, B, Answer>,
    ...input: {} extends Input<Path, Q, B> ? [input?: Input<Path, Q, B>] : [input: Input<Path, Q, B>]
  ): Promise<z.output<Answer>>;
}

/** An answer that is not of the shape that its endpoint promises: another program's, or of a directory that is too old. */
export class AnswerError extends Error {
  override readonly name = "AnswerError";
}

/** Makes a client of a way to send requests. */
export function createApiClient(exchange: Exchange): ApiClient {
  return {
    async ask(endpoint, ...[input]) {
      const { params, query, body }: Given = input ?? {};
      const { method, answer } = endpoint;
      const path = `${fillPath(endpoint.path, params ?? {})}${queryText(query ?? {})}`;
      const json = endpoint.body === undefined ? undefined : (body ?? {});
      const read = answer.safeParse(await exchange(method, path, json));
      if (read.success) return read.data;
      const [issue] = read.error.issues;
      throw new AnswerError(`${method} ${path} at ${issue?.path.join(".") || "its top"}: ${issue?.message ?? ""}`);
    },
  };
}

interface Given {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
}

function queryText(query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).flatMap(([key, value]): [string, string][] =>
    value === undefined ? [] : [[key, value]],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
}
