import { own } from "@datawire/protocol";
import { parseRouterAddress } from "../../io/router-address.ts";
import { type Input, optionText } from "../../context/dw.ts";
import { misuse } from "../../context/operands.ts";
import type { Local } from "../../grammar/command.ts";
import { RouterSession } from "../../io/router-session.ts";

/** Connects to the router of `-r`, of `DATAWIRE_ROUTER`, or the one on this machine. */
export async function openRouter(
  { env }: Pick<Local, "env">,
  input: Input,
  container = `dw-${process.pid}`,
): Promise<RouterSession> {
  const text =
    optionText(input, "router") ?? (own(env as Record<string, string>, "DATAWIRE_ROUTER") || "localhost:5672");
  return RouterSession.open(readAddress(text), container);
}

/** Asks the router one thing. */
export async function manage(
  local: Local,
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
