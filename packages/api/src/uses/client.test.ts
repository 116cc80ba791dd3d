import { expect, test } from "vitest";
import { z } from "zod";
import type { Endpoint } from "../definitions/endpoint.ts";
import { endpoints } from "../definitions/endpoints.ts";
import { AnswerError, createApiClient } from "./client.ts";

/** A client whose requests are written down and answered with one value. */
function start(answer: unknown) {
  const asked: string[] = [];
  const client = createApiClient(async (method, path, body) => {
    asked.push(`${method} ${path}${body === undefined ? "" : ` ${JSON.stringify(body)}`}`);
    return answer;
  });
  return { client, asked };
}

test("ask() puts the names of the path, encoded, and the query that is given into the address", async () => {
  const { client, asked } = start({ ok: true });
  const endpoint = {
    method: "GET",
    path: "/v1/things/{thing}/parts/{part}",
    summary: "",
    query: z.object({ q: z.string().optional(), r: z.string().optional() }),
    answer: z.object({ ok: z.boolean() }),
  } as const satisfies Endpoint;
  const params = { thing: "a/b", part: "c d" };
  expect(await client.ask(endpoint, { params, query: { q: "x&y=1", r: undefined } })).toEqual({ ok: true });
  await client.ask(endpoint, { params });
  expect(asked).toEqual(["GET /v1/things/a%2Fb/parts/c%20d?q=x%26y%3D1", "GET /v1/things/a%2Fb/parts/c%20d"]);
});

test("ask() sends a body where the endpoint takes one, also when nothing is to be said", async () => {
  const at = { epoch: "e", revision: 1 };
  const { client, asked } = start({
    ...at,
    action: "undo",
    undone: "route add",
    notes: [],
    changed: true,
    released: 0,
  });
  await client.ask(endpoints.undo);
  await client.ask(endpoints.undo, { body: { dryRun: true } });
  await client.ask(endpoints.releaseGuard);
  expect(asked).toEqual(["POST /v1/routes/undo {}", 'POST /v1/routes/undo {"dryRun":true}', "POST /v1/guard/release"]);
});

test.each([
  [{ epoch: "e", revision: 1, routes: [{ caller: 1 }] }, "GET /v1/routes at routes.0.caller: "],
  [{ epoch: "e", revision: 1 }, "GET /v1/routes at routes: "],
  ["<html>", "GET /v1/routes at its top: "],
  [null, "GET /v1/routes at its top: "],
])("ask() names what differs in an answer of another shape: %j", async (answer, expected) => {
  const asked = start(answer).client.ask(endpoints.listRoutes);
  await expect(asked).rejects.toThrow(AnswerError);
  await expect(asked).rejects.toThrow(expected);
});

test("ask() leaves out what it does not know of an answer, as a newer directory may say more", async () => {
  const { client } = start({ epoch: "e", revision: 1, routes: [], mood: "good" });
  expect(await client.ask(endpoints.listRoutes)).toEqual({ epoch: "e", revision: 1, routes: [] });
});
