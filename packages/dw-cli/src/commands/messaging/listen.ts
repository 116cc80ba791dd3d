import { Described, type IncomingDelivery, Typed } from "@datawire/amqp";
import { parseTimeLimit } from "@datawire/protocol";
import { type ExitCode, exitCodes } from "@datawire/runtime";
import { bodyText, messageView } from "../../core/message-view.ts";
import { flag, type Input, operand, optionText } from "../../context/dw.ts";
import { misuse, typed } from "../../context/operands.ts";
import type { RunLocal } from "../../grammar/command.ts";
import { openRouter } from "./open-router.ts";

/** Messages that may be on their way, where nobody said how many are wanted. */
const CREDIT = 100;
/** What finds a subscription that is kept again: its name on the command line, and this. */
const CONTAINER = "dw";

/** Prints what comes, a message a line. */
export const run: RunLocal = async (local, input) => {
  const options = readOptions(input);
  const session = await openRouter(local, input, options.name === null ? undefined : CONTAINER);
  const kept: IncomingDelivery[] = [];
  let count = 0;
  let finish: (code: ExitCode) => void = () => {};
  const finished = new Promise<ExitCode>((resolve) => (finish = resolve));
  const interrupted = (): void => finish(exitCodes.done);
  process.once("SIGINT", interrupted);
  process.once("SIGTERM", interrupted);
  const timer = options.timeoutMs === null ? undefined : setTimeout(() => finish(exitCodes.failed), options.timeoutMs);
  try {
    const listening = await session.listen({
      name: options.name ?? `dw-${process.pid}`,
      source: {
        address: options.address,
        ...(options.name !== null && { durable: 2, expiryPolicy: "never" as const }),
        ...(options.selector !== null && { filter: selectorOf(options.selector) }),
      },
      onMessage(delivery, message) {
        if (options.count !== null && count >= options.count) return delivery.release();
        const view = messageView(message, operand(input, 0), Date.now());
        if (flag(input, "json")) local.output.jsonLine(view);
        else local.output.line(bodyText(view.body));
        if (options.keeps) kept.push(delivery);
        else delivery.accept();
        count++;
        if (count === options.count) finish(exitCodes.done);
        // What is kept is counted too: released at once, it would come again.
        else if (options.count === null && !options.keeps) delivery.receiver.keepCredit(CREDIT);
      },
    });
    listening.allow(options.count ?? CREDIT);
    const code = await Promise.race([finished, listening.ended]);
    for (const delivery of kept) delivery.release();
    listening.detach(options.name === null);
    return code;
  } finally {
    clearTimeout(timer);
    process.off("SIGINT", interrupted);
    process.off("SIGTERM", interrupted);
    await session.close();
  }
};

interface ListenSettings {
  readonly address: string;
  readonly count: number | null;
  readonly timeoutMs: number | null;
  readonly selector: string | null;
  readonly name: string | null;
  readonly keeps: boolean;
}

function readOptions(input: Input): ListenSettings {
  const text = (name: string): string | null => optionText(input, name) ?? null;
  const [count, timeout, from] = [text("count"), text("timeout"), text("from")];
  if (count !== null && !/^[1-9]\d{0,8}$/.test(count))
    throw misuse(`Cannot use ${JSON.stringify(count)} as a count: wanted a number, 1 or more`);
  const address = operand(input, 0);
  return {
    address: from === null ? address : `${address}?from=${from}`,
    count: count === null ? null : Number(count),
    timeoutMs: timeout === null ? null : typed(() => parseTimeLimit(timeout)),
    selector: text("selector"),
    name: text("name"),
    keeps: flag(input, "keep"),
  };
}

const SELECTOR = "apache.org:selector-filter:string";

const selectorOf = (text: string) => new Map([["selector", new Described(new Typed("symbol", SELECTOR), text)]]);
