import { describe, expect, test } from "vitest";
import { Latencies } from "./latencies.ts";

function read(text: string, oneIn = 1): Record<string, readonly number[]> {
  const latencies = new Latencies(oneIn);
  latencies.add(text);
  return Object.fromEntries(latencies.take());
}

const access = (fields: object): string =>
  `${JSON.stringify({ backend: "s:v1", instance: "vm1:80", path: "/a b", queueMs: 0, connectMs: 1, responseMs: 12, totalMs: 5_000, ...fields })}\n`;

describe("Latencies", () => {
  test("adds up by server", () => {
    expect(read("s:v1 vm1:80 +0\ns:v1 vm2:80 +3\ns:v1 vm1:80 +0\ns:v1 vm1:80 504\n")).toEqual({
      "s:v1/vm1:80": [0, 2, 480, 1],
      "s:v1/vm2:80": [3, 1],
    });
  });

  test("counts one of a sample for all that it stands for", () => {
    expect(read("s:v1 vm1:80 +7\n", 10)).toEqual({ "s:v1/vm1:80": [7, 10] });
  });

  test("puts lines together that came in pieces", () => {
    const latencies = new Latencies(1);
    for (const piece of ["s:v1 vm", "1:80 +1", "2\ns:v1", " vm1:80 +12", "\ns:v1 vm1:80 +1"]) latencies.add(piece);
    expect(latencies.take()).toEqual(new Map([["s:v1/vm1:80", [12, 2]]]));
    expect(latencies.take()).toEqual(new Map());
  });

  test.each([
    ["the way to the fallback", "s:v1 FB.s:v1 +3\n"],
    ["what no server was asked for", "s:v1 <NOSRV> 0\nhttp_in <NOSRV> +0\n"],
    ["the list of services", "pages sherlock +3\n"],
    [
      "what HAProxy tells of itself",
      "Proxy s:v1 stopped (cumulated conns: FE: 0, BE: 3).\nServer s:v1/vm1:80 is DOWN\n",
    ],
    ["what was cut", '{"time":"1.2","backend":"s:v1","instance":"vm1:80"\n1:80 +3\n s:v1 vm1:80 3\n'],
    ["a TCP connection", access({ responseMs: undefined })],
    ["nonsense", '{"backend":1}\n[]\nnull\ns:v1 vm1:80 -1\ns:v1 vm1:80 3 4\n'],
  ])("passes over %s", (_, text) => {
    expect(read(text)).toEqual({});
  });

  test("takes the head of the response from the access log, and the end where none came", () => {
    expect(read(access({}) + access({ responseMs: -1 }) + access({ instance: "FB.s:v1" }))).toEqual({
      "s:v1/vm1:80": [13, 1, 4_608, 1],
    });
  });

  test("forgets what goes on without an end", () => {
    const latencies = new Latencies(1);
    latencies.add("x".repeat(10_000));
    latencies.add("s:v1 vm1:80 +1\n");
    expect(latencies.take().size).toBe(1);
  });
});
