import { ProtocolError } from "@datawire/protocol";
import { expect, test } from "vitest";
import type { Dw, Input } from "../context/dw.ts";
import { requireAuthorities } from "./authorities.ts";

/** A directory that is called `services` and has the service `barker` alone. */
function dw(asked: string[]): Dw {
  const ask = (_: unknown, { params }: { params: { service: string } }): Promise<unknown> => {
    asked.push(params.service);
    if (!params.service.startsWith("//services/"))
      return Promise.reject(new ProtocolError("invalid_argument", '"foo" is none of the directories'));
    if (params.service === "//services/barker") return Promise.resolve({});
    return Promise.reject(new ProtocolError("not_found", "there is no such service"));
  };
  return { client: { ask } } as unknown as Dw;
}

test.each([
  ["service", "//services/barker", ["//services/barker"], null],
  ["service", "//services/fresh", ["//services/fresh"], null],
  ["versions", "//services/barker(2)", ["//services/barker"], null],
  ["instance", "//services/barker@vm102", ["//services/barker"], null],
  ["service", "//barker", [], null],
  ["service", "barker", [], null],
  ["target", "//foo/barker:2", [], null],
  ["service", "//foo/barker", ["//foo/barker"], /none of the directories/],
  ["versions", "//foo/barker:2", ["//foo/barker"], /none of the directories/],
] as const)("requireAuthorities() of the %s %s", async (kind, text, wanted, refusal) => {
  const asked: string[] = [];
  const input = { operands: [text], options: {} } as Input;
  const done = requireAuthorities(dw(asked), [{ text: "<x>", kind }], input);
  if (refusal === null) await done;
  else await expect(done).rejects.toMatchObject({ exitCode: 64, message: expect.stringMatching(refusal) as string });
  expect(asked).toEqual(wanted);
});
