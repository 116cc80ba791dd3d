import { randomBytes } from "node:crypto";
import { createDirectoryClient } from "@datawire/link";
import { ProblemBoard } from "@datawire/runtime";
import type { SherlockSettings } from "../config/settings.ts";
import { BackendNames } from "../haproxy/backend-names.ts";
import { openAccessLog } from "../report/access-log.ts";
import { openSampling } from "../report/sampling.ts";
import { SpanReporter } from "../report/span-reporter.ts";
import { openSpanPipe, type SpanPipe } from "../report/spans.ts";
import { assembleSherlock, type SherlockConfig, type SherlockDeps, type SherlockParts } from "./assemble.ts";
import { drive, type DriveDeps } from "./drive.ts";

/** What a Sherlock serves with, and whom it tells. */
export interface ServeDeps extends Omit<SherlockDeps, "sampling" | "names">, DriveDeps {}

/** Follows and drives with one set of settings, until the signal aborts. @throws Error for what keeps it from starting. */
export async function serve(config: SherlockConfig, deps: ServeDeps, signal: AbortSignal): Promise<void> {
  const { settings, dir } = config;
  const { log, clock } = deps;
  const board = new ProblemBoard();
  const leaveBoard = board.include("program", deps.board);
  const names = new BackendNames();
  const sampling = await openSampling(settings.percentiles, { dir, log, board, names });
  const spanPipe = await openSpanPipe(settings.spans, { dir, log, board });
  const possible = {
    ...settings,
    percentiles: sampling === null ? null : settings.percentiles,
    spans: spanPipe === null ? null : settings.spans,
  };
  const accessLog = settings.accessLog ? await openAccessLog({ dir, log, board, names }) : null;
  const ended = new AbortController();
  // Until HAProxy has ended, which logs while it drains.
  const writing = accessLog?.run(clock, ended.signal);
  try {
    const parts = await assembleSherlock({ settings: possible, dir }, { ...deps, board, sampling, names });
    const sampled = [
      ...(sampling === null ? [] : [(until: AbortSignal) => sampling.run(clock, until)]),
      ...(spanPipe === null
        ? []
        : [spanReporting(parts, { pipe: spanPipe, names, settings: possible, deps: { ...deps, board } })]),
    ];
    await drive(parts, { config: { settings: possible, dir }, deps: { ...deps, board }, sampled }, signal);
  } finally {
    ended.abort();
    await writing;
    leaveBoard();
    sampling?.close();
    spanPipe?.close();
  }
}

interface SpanReporting {
  readonly pipe: SpanPipe;
  readonly names: BackendNames;
  readonly settings: SherlockSettings;
  readonly deps: ServeDeps & { readonly board: ProblemBoard };
}

/** Sends spans to the directories that the link is for, with the same token. */
function spanReporting(
  { planning, metrics }: SherlockParts,
  { pipe, names, settings, deps }: SpanReporting,
): (until: AbortSignal) => Promise<void> {
  const { replicas, token, tls, name } = settings;
  const { clock, log, board } = deps;
  return async (until) => {
    const client = createDirectoryClient({ directories: replicas, token, user: null, tls });
    const reporter = new SpanReporter({
      pipe,
      names,
      context: {
        caller: name,
        instanceOf: (backend, server) => planning.serverOf(backend, server)?.instances[0] ?? null,
        newId: () => randomBytes(8).toString("hex"),
      },
      post: (path, body) => client.exchange("POST", path, body),
      metrics,
      clock,
      log,
      board,
    });
    try {
      await reporter.run(until);
    } finally {
      await client.close();
    }
  };
}
