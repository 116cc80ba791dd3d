import { Typed, type Message } from "@datawire/amqp";
import { parseTimeLimit } from "@datawire/protocol";
import { type ExitCode, exitCodes, systemClock } from "@datawire/runtime";
import { bodyText, messageView } from "../../core/message-view.ts";
import { flag, type Input, operand, optionList, optionText } from "../../context/dw.ts";
import { misuse, typed } from "../../context/operands.ts";
import type { RunLocal } from "../../grammar/command.ts";
import { linesOf } from "../../io/lines.ts";
import { openRouter } from "./open-router.ts";
import { tellStall } from "./tell-stall.ts";

/** Messages that are sent and not answered yet. */
const WINDOW = 100;

/** Sends messages, and says what became of them. */
export const run: RunLocal = async (local, input) => {
  const address = operand(input, 0);
  const make = messageMaker(input);
  const count = readCount(optionText(input, "count"));
  const session = await openRouter(local, input);
  const totals = { sent: 0, accepted: 0, rejected: 0, released: 0 };
  const ended = new AbortController();
  const stall = {
    clock: systemClock,
    wantsAnswer: flag(input, "request"),
    hasMoved: () => totals.accepted + totals.rejected + totals.released > 0,
    ask: () => session.manage("why", { address }),
    note: (text: string) => local.output.note(text),
  };
  void tellStall(address, stall, ended.signal);
  try {
    if (flag(input, "request")) {
      const answer = await session.request(address, make(input.operands[1] ?? ""));
      const view = messageView(answer, address, Date.now());
      if (flag(input, "json")) local.output.json(view);
      else local.output.line(bodyText(view.body));
      return exitCodes.done;
    }
    const send = await session.sender(address, { presettled: flag(input, "presettled") });
    let first: string | null = null;
    const underWay = new Set<Promise<void>>();
    for await (const body of bodies(input, count)) {
      const nth = ++totals.sent;
      const one = send(make(body)).then(({ state, reason }) => {
        totals[state]++;
        if (state !== "accepted") first ??= `message ${nth} was ${state}${reason === null ? "" : `: ${reason}`}`;
        underWay.delete(one);
      });
      underWay.add(one);
      if (underWay.size >= WINDOW) await Promise.race(underWay);
    }
    await Promise.all(underWay);
    return report(totals, first);
  } finally {
    ended.abort();
    await session.close();
  }

  function report(totals: Readonly<Record<string, number>>, first: string | null): ExitCode {
    if (flag(input, "json")) local.output.json(totals);
    else if (first === null) local.output.note(`${totals["accepted"]} accepted`);
    if (first === null) return exitCodes.done;
    local.output.note(first);
    return exitCodes.failed;
  }
};

async function* bodies({ operands }: Input, count: number): AsyncGenerator<string> {
  const given = operands.slice(1).filter((one) => one !== undefined);
  if (given.length === 1 && given[0] === "-") {
    yield* linesOf(process.stdin);
    return;
  }
  for (let i = 0; i < count; i++) yield* given.length === 0 ? [""] : given;
}

function messageMaker(input: Input): (body: string) => Message {
  const [subject, ttl] = [optionText(input, "subject"), optionText(input, "ttl")];
  const ttlMs = typeof ttl === "string" ? typed(() => parseTimeLimit(ttl)) : null;
  const properties = new Map((optionList(input, "property") ?? []).map(readProperty));
  return (body) => ({
    header: { durable: true, ...(ttlMs !== null && { ttl: ttlMs }) },
    properties: { ...(typeof subject === "string" && { subject }), creationTime: new Date() },
    ...(properties.size > 0 && { applicationProperties: properties }),
    body: { type: "value", value: new Typed("string", body) },
  });
}

function readProperty(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at <= 0) throw misuse(`Cannot read the property ${JSON.stringify(text)}: wanted KEY=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function readCount(text: string | null | undefined): number {
  if (typeof text !== "string") return 1;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw misuse(`Cannot use ${JSON.stringify(text)} as a count: wanted a number, 1 or more`);
}
