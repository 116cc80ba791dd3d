import { expect, expectTypeOf, test } from "vitest";
import type * as declared from "../../browser/datawire.d.ts";
import { connect, type ConnectOptions } from "./connect.ts";

type Made = Omit<Awaited<ReturnType<typeof connect>>, "serve">;

test("what pages are told of types is what they get", () => {
  // The classes of AMQP's types have names for these in each of the two.
  expectTypeOf<Omit<declared.ConnectOptions, "outbox">>().toEqualTypeOf<Omit<ConnectOptions, "outbox">>();
  expectTypeOf<Made["status"]>().toExtend<declared.Status>();
  expectTypeOf<keyof Made>().toEqualTypeOf<keyof declared.Microserver>();
  expectTypeOf<Parameters<Made["pipeline"]>[3]>().toExtend<Parameters<declared.Microserver["pipeline"]>[3]>();
  expectTypeOf<keyof NonNullable<Parameters<Made["send"]>[2]>>().toEqualTypeOf<
    keyof NonNullable<Parameters<declared.Microserver["send"]>[2]>
  >();
  expectTypeOf<Made["close"]>().toEqualTypeOf<declared.Microserver["close"]>();
  expectTypeOf<keyof declared.Message>().toEqualTypeOf<keyof Awaited<ReturnType<Made["request"]>>>();
  expect(connect).toBeTypeOf("function");
});
