import { createFakeClock } from "@datawire/runtime/testing";
import { ProblemBoard } from "@datawire/runtime";
import { expect, test } from "vitest";
import { ProblemTeller } from "./problem-teller.ts";

function fixture() {
  const [clock, board, sent] = [createFakeClock(), new ProblemBoard(), [] as string[]];
  const teller = new ProblemTeller({ clock, board });
  let takes = true;
  const session = {
    send(message: object): boolean {
      if (takes) sent.push(JSON.stringify(message));
      return takes;
    },
  };
  const set = (...subjects: string[]): void =>
    board.set(
      "test",
      subjects.map((subject) => ({ subject, message: "is wrong" })),
    );
  return { clock, teller, session, sent, set, refuse: (refuses: boolean) => (takes = !refuses) };
}

test("ProblemTeller tells each list once a connection, and an empty one only after another", () => {
  const { teller, session, sent, set } = fixture();
  set("a");
  teller.tell();
  expect(sent).toEqual([]);
  teller.connected(session);
  teller.tell();
  teller.tell();
  expect(sent).toEqual(['{"type":"problems","problems":[{"subject":"a","message":"is wrong"}]}']);
  set();
  teller.tell();
  expect(sent.at(-1)).toBe('{"type":"problems","problems":[]}');
  teller.disconnected();
  teller.connected(session);
  teller.tell();
  expect(sent).toHaveLength(2);
});

test("ProblemTeller.tellSoon() tells what changes within 50 ms in one message, and nothing after close()", async () => {
  const { clock, teller, session, sent, set } = fixture();
  teller.connected(session);
  set("a");
  teller.tellSoon();
  await clock.advance(49);
  set("a", "b");
  teller.tellSoon();
  expect(sent).toEqual([]);
  await clock.advance(1);
  expect(sent).toHaveLength(1);
  set("c");
  teller.tellSoon();
  teller.close();
  teller.tellSoon();
  await clock.advance(1_000);
  expect(clock.pending()).toBe(0);
  expect(sent).toHaveLength(1);
});

test("ProblemTeller tells again what the session did not take, and not what another message has told", () => {
  const { teller, session, sent, set, refuse } = fixture();
  teller.connected(session);
  set("a");
  refuse(true);
  teller.tell();
  refuse(false);
  teller.tell();
  expect(sent).toHaveLength(1);
  set("b");
  teller.wasTold([{ subject: "b", message: "is wrong" }]);
  teller.tell();
  expect(sent).toHaveLength(1);
});
