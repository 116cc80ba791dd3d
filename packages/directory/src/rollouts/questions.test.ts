import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { QueryCheck } from "@datawire/rollout";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createQuestions, readNumber } from "./questions.ts";

let server: Server;
let asked: { readonly url: string; readonly method: string; readonly body: string }[];
let answer: { readonly status: number; readonly body: string };
beforeEach(async () => {
  asked = [];
  server = createServer((req: IncomingMessage, res) => {
    let body = "";
    req.setEncoding("utf8");
    req.on("data", (part: string) => (body += part));
    req.on("end", () => {
      asked.push({ url: req.url ?? "", method: req.method ?? "", body });
      res.writeHead(answer.status).end(answer.body);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const base = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const check = (): QueryCheck => ({
  kind: "query",
  name: "checkout",
  prometheus: `${base()}/prom/`,
  query: 'up{version="$version"}',
  compare: "<=",
  value: 0.5,
  failures: 2,
});
const { signal } = new AbortController();
const vector = (...samples: unknown[]): string =>
  JSON.stringify({ status: "success", data: { resultType: "vector", result: samples } });

test("query() asks for the version that is rolled out, and reads the number", async () => {
  answer = { status: 200, body: vector({ metric: {}, value: [1_700_000_000.1, "0.25"] }) };
  expect(await createQuestions().query(check(), "2", signal)).toBe(0.25);
  const [{ url, method } = { url: "", method: "" }] = asked;
  expect(method).toBe("GET");
  const { pathname, searchParams } = new URL(url, base());
  expect([pathname, searchParams.get("query")]).toEqual(["/prom/api/v1/query", 'up{version="2"}']);
});

test.each([
  [500, vector({ value: [0, "1"] }), "is answered with 500"],
  [200, "no JSON", "is answered with what is no JSON"],
  [200, " ".repeat(2_000_000), "is not answered: the answer is too large"],
])("query() says of an answer of %d why it is of no use", async (status, body, why) => {
  answer = { status, body };
  expect(await createQuestions().query(check(), "2", signal)).toEqual({ why });
});

test("query() and agrees() say no of a place where nobody is", async () => {
  const [nowhere, one] = [base(), check()];
  await new Promise((resolve) => server.close(resolve));
  const questions = createQuestions();
  expect(await questions.query({ ...one, prometheus: nowhere }, "2", signal)).toEqual({
    why: expect.stringMatching(/^is not answered: connection refused: nothing listens there/) as string,
  });
  expect(await questions.agrees(nowhere, {}, signal)).toEqual({
    why: expect.stringMatching(/^is not answered: connection refused: nothing listens there/) as string,
    isSilent: true,
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

test.each([
  [200, true],
  [204, true],
  [302, { why: "is answered with 302", isSilent: false }],
  [409, { why: "is answered with 409", isSilent: false }],
])("agrees() posts the rollout; %d says %j", async (status, agreed) => {
  answer = { status, body: "" };
  expect(await createQuestions().agrees(`${base()}/ok`, { id: "7" }, signal)).toEqual(agreed);
  expect(asked).toEqual([{ url: "/ok", method: "POST", body: '{"id":"7"}' }]);
});

test.each([
  [vector({ value: [0, "1e3"] }), 1_000],
  [JSON.stringify({ data: { resultType: "scalar", result: [0, "-2"] } }), -2],
])("readNumber() reads %s as %s", (text, number) => {
  expect(readNumber(text)).toBe(number);
});

test.each([
  [vector(), "gives 0 samples, wanted one"],
  [vector({ value: [0, "1"] }, { value: [0, "2"] }), "gives 2 samples, wanted one"],
  [vector({ value: [0, "NaN"] }), 'gives "NaN"'],
  [vector({ value: [0, "+Inf"] }), 'gives "+Inf"'],
  [vector({ value: [0, ""] }), "is answered with what is no result of Prometheus"],
  [vector({ value: [0, 1] }), "is answered with what is no result of Prometheus"],
  ["null", "is answered with what is no result of Prometheus"],
  ["[]", "is answered with what is no result of Prometheus"],
  ['{"data":{"result":{}}}', "is answered with what is no result of Prometheus"],
])("readNumber() says of %s that it %s", (text, why) => {
  expect(readNumber(text)).toEqual({ why });
});

test("agrees() needs no more of an answer than its status", async () => {
  answer = { status: 200, body: " ".repeat(2_000_000) };
  expect(await createQuestions().agrees(base(), {}, signal)).toBe(true);
});
