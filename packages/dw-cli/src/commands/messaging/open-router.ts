import { endpoints } from "@datawire/api";
import { loadCredentials } from "@datawire/link/client";
import { parseRouterUrl, type RouterUrl } from "@datawire/microserver/transport";
import { own } from "@datawire/protocol";
import { ExitError, exitCodes, systemClock } from "@datawire/runtime";
import { flag, type Input, optionText } from "../../context/dw.ts";
import { misuse } from "../../context/operands.ts";
import { loadDwSettings } from "../../context/settings.ts";
import type { Local } from "../../grammar/command.ts";
import { remedyOfUp } from "../../io/background/remedy-of-up.ts";
import { type ManageAbout, RouterSession } from "../../io/router-session.ts";

const DEFAULT_ROUTER = "localhost:5672";
/** How long a directory may take to say where the routers are. */
const ASK_MS_MAX = 2_000;

/** Connects to the router of `-r`, of `DATAWIRE_ROUTER`, the first that the directory knows, or the one on this machine. */
export async function openRouter(local: Local, input: Input, container = `dw-${process.pid}`): Promise<RouterSession> {
  const { env, systemFolder, directories, configFile } = local;
  const named = optionText(input, "router") ?? (own(env as Record<string, string>, "DATAWIRE_ROUTER") || null);
  const url = named === null ? null : readUrl(named);
  const settings = await loadDwSettings(configFile, { env, systemFolder, directories });
  const { token, tls } = await loadCredentials(settings.value, { file: "dw.yaml", locate: settings.locate });
  const router = url ?? (await routerOfDirectory(local)) ?? readUrl(DEFAULT_ROUTER);
  return RouterSession.open(router, { container, token, ca: tls?.ca ?? null }).catch(async (error: unknown) => {
    if (!(error instanceof ExitError) || error.exitCode !== exitCodes.unreachable) throw error;
    throw new ExitError(error.exitCode, `${error.message}; ${await remedyFor(router, local)}`);
  });
}

async function remedyFor({ isTls, host, port }: RouterUrl, { env }: Pick<Local, "env">): Promise<string> {
  const ended = !isTls && `${host}:${port}` === DEFAULT_ROUTER ? await remedyOfUp("router", env) : null;
  return ended ?? "is it running there? -r or DATAWIRE_ROUTER name another";
}

/** Asks the router one thing. */
export async function manage(local: Local, input: Input, operation: string, about: ManageAbout = {}): Promise<unknown> {
  const session = await openRouter(local, input);
  try {
    return await session.manage(operation, about);
  } finally {
    await session.close();
  }
}

/** What a trial says first. */
const NOTHING = "Nothing is changed; ";

/**
 * Has the router change something, or with `--dry-run` say what that would do.
 * @param say what was done, and what would be, in the words for `N messages`.
 */
export async function change<Answer extends object>(
  local: Local,
  input: Input,
  { operation, about, say }: Change<Answer>,
): Promise<void> {
  const isDry = flag(input, "dryRun");
  const answer = (await manage(local, input, isDry ? `try:${operation}` : operation, about)) as Answer;
  if (flag(input, "json")) return local.output.json(answer);
  const { done, wouldBe } = say(answer);
  local.output.note(isDry ? `${NOTHING}${wouldBe}` : done);
}

/** A change that a router is asked for. */
interface Change<Answer> {
  readonly operation: string;
  readonly about: ManageAbout;
  readonly say: (answer: Answer) => { readonly done: string; readonly wouldBe: string };
}

function readUrl(text: string): RouterUrl {
  try {
    return parseRouterUrl(text);
  } catch (error) {
    throw misuse(error instanceof Error ? error.message : String(error));
  }
}

/** Where the first of its routers is; null where there is no directory, or it knows of none. */
async function routerOfDirectory(local: Local): Promise<RouterUrl | null> {
  const giveUp = new AbortController();
  const late = systemClock.sleep(ASK_MS_MAX, giveUp.signal).then(() => null);
  try {
    const dw = await local.connect();
    const answer = await Promise.race([dw.client.ask(endpoints.findRouters), late]);
    for (const { ports } of answer?.routers ?? []) {
      if (ports.amqps !== null) return readUrl(`amqps://${ports.amqps}`);
      if (ports.amqp !== null) return readUrl(`amqp://${ports.amqp}`);
    }
    return null;
  } catch {
    // A router works without a directory, and so does this.
    return null;
  } finally {
    giveUp.abort();
  }
}
