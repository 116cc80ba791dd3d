import { AnswerError, endpoints } from "@datawire/api";
import { Unreachable } from "@datawire/link/client";
import { own, ProtocolError } from "@datawire/protocol";
import { ExitError, exitCodes } from "@datawire/runtime";
import { parseRouterAddress } from "../../io/router-address.ts";
import { type Input, optionText } from "../../context/dw.ts";
import { misuse } from "../../context/operands.ts";
import type { Local } from "../../grammar/command.ts";
import { RouterSession } from "../../io/router-session.ts";

/** Where a router is when nobody says anything else. */
const DEFAULT_ROUTER = "localhost:5672";

/** Connects to the router of `-r`, of `DATAWIRE_ROUTER`, one of the directory's, or the one on this machine. */
export async function openRouter(
  local: Pick<Local, "env" | "connect">,
  input: Input,
  container = `dw-${process.pid}`,
): Promise<RouterSession> {
  const env = local.env as Record<string, string>;
  const text = optionText(input, "router") ?? (own(env, "DATAWIRE_ROUTER") || null);
  if (text !== null) return RouterSession.open(readAddress(text), container);
  const known = await routersOf(local);
  for (const [index, address] of known.entries()) {
    try {
      return await RouterSession.open(readAddress(address), container);
    } catch (error) {
      const isUnreachable = error instanceof ExitError && error.exitCode === exitCodes.unreachable;
      if (!isUnreachable || index === known.length - 1) throw error;
    }
  }
  return RouterSession.open(readAddress(DEFAULT_ROUTER), container);
}

/** The routers that the directory knows; none where it is not reached, or does not say. */
async function routersOf({ connect }: Pick<Local, "connect">): Promise<string[]> {
  const dw = await connect();
  try {
    const { routers } = await dw.client.ask(endpoints.findRouters);
    return routers.flatMap(({ ports }) => ports.amqp ?? []);
  } catch (error) {
    if (error instanceof Unreachable || error instanceof ProtocolError || error instanceof AnswerError) return [];
    throw error;
  }
}

/** Asks the router one thing. */
export async function manage(
  local: Pick<Local, "env" | "connect">,
  input: Input,
  operation: string,
  about: { readonly address?: string; readonly to?: string } = {},
): Promise<unknown> {
  const session = await openRouter(local, input);
  try {
    return await session.manage(operation, about);
  } finally {
    await session.close();
  }
}

function readAddress(text: string): ReturnType<typeof parseRouterAddress> {
  try {
    return parseRouterAddress(text);
  } catch (error) {
    throw misuse(error instanceof Error ? error.message : String(error));
  }
}
