import { type DirectoryAddress, type ErrorCode, formatDirectoryAddress } from "@datawire/protocol";
import { type Clock, createAttentiveClock, type Logger, type ProblemBoard } from "@datawire/runtime";
import type { Connect } from "../transport/connection.ts";
import {
  type Redial,
  type RedialOptions,
  afterFailure,
  afterLoss,
  attemptMsMax,
  firstDial,
  withLease,
} from "../core/redial.ts";
import { connectWebSocket } from "../transport/web-socket.ts";
import { createLinkReport } from "./link-report.ts";
import type { LinkHandler, Welcome } from "./link-handler.ts";
import { runSession, type SessionConfig, type SessionEnd } from "./session.ts";

/** Which directory a link goes to, and as whom. */
export interface LinkConfig extends Omit<SessionConfig, "replica" | "attemptMsMax"> {
  /** The addresses of one directory; more than one where it is replicated. Never empty. */
  readonly replicas: readonly DirectoryAddress[];
}

/** Where a link stands; for readiness and metrics. */
export type LinkState =
  | { readonly state: "connecting"; readonly directory: string }
  | { readonly state: "connected"; readonly directory: string; readonly welcome: Welcome }
  | {
      readonly state: "waiting";
      /** Each address of the last round with why it did not do. */
      readonly reason: string;
      /** Whether the directory answered and refused the link. */
      readonly refused: boolean;
      /** Whether the refusal is for want of a token, or of a right that the token lacks. */
      readonly denied: boolean;
      /** What the directory calls its refusal, where it said so. */
      readonly code?: ErrorCode;
      readonly retryInMs: number;
    }
  | { readonly state: "stopped" };

/** What a link works with, and whom it tells. */
export interface LinkDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** From 0 to below 1, as `Math.random`. */
  readonly random: () => number;
  readonly handler: LinkHandler;
  /** Told of every change of state. */
  readonly onState?: (state: LinkState) => void;
  /** What an operator should see of this program. */
  readonly board?: Pick<ProblemBoard, "set">;
  /** Default: over WebSocket. */
  readonly connect?: Connect;
}

/**
 * Keeps a link to a directory until the signal aborts, then closes it cleanly and resolves. It never gives up: the
 * next replica is tried at once, a whole round without success is followed by a wait, and the replica that works is
 * stayed with.
 */
export async function runLink(config: LinkConfig, deps: LinkDeps, signal: AbortSignal): Promise<void> {
  const { replicas, ...session } = config;
  const { random, connect = connectWebSocket, onState = () => {} } = deps;
  if (replicas.length === 0) throw new Error("Cannot link to a directory: there is no address");
  // Whether the directory is silent is judged by the time in which this program could have heard it.
  const clock = createAttentiveClock(deps.clock, signal);
  let options: RedialOptions = { replicas: replicas.length, random, leaseMs: null };
  const report = createLinkReport(deps.log);
  let reasons: string[] = [];
  let dial = firstDial(options);

  while (!signal.aborted) {
    const replica = replicas[dial.replica] as DirectoryAddress;
    const directory = formatDirectoryAddress(replica);
    onState({ state: "connecting", directory });
    const onConnected = (welcome: Welcome): void => {
      reasons = [];
      if (welcome.leaseMs !== options.leaseMs) {
        options = { ...options, leaseMs: welcome.leaseMs };
        dial = withLease(dial, options);
      }
      report.connected(directory, welcome);
      onState({ state: "connected", directory, welcome });
    };
    const sessionConfig = { ...session, replica, attemptMsMax: attemptMsMax(options.leaseMs) };
    const end = await runSession(sessionConfig, { ...deps, clock, connect, onConnected }, signal);
    if (end.kind === "stopped" || signal.aborted) break;
    reasons.push(end.reason);
    report.ended(end);
    const next = after(end, dial, options);
    dial = next.dial;
    if (next.delayMs === 0) continue;
    const denied = end.kind === "denied";
    const refused = isRefusal(end);
    const reason = reasons.join("; ");
    reasons = [];
    report.waiting(reason, refused);
    const code = end.code === undefined ? {} : { code: end.code };
    onState({ state: "waiting", reason, refused, denied, ...code, retryInMs: next.delayMs });
    await clock.sleep(next.delayMs, signal);
  }
  onState({ state: "stopped" });
}

function after(
  end: SessionEnd,
  dial: Redial,
  options: RedialOptions,
): { readonly dial: Redial; readonly delayMs: number } {
  if (end.kind === "lost") return { dial: afterLoss(dial, options), delayMs: 0 };
  return afterFailure(dial, isRefusal(end) ? "refused" : "unreachable", options);
}

const isRefusal = ({ kind }: SessionEnd): boolean => kind === "refused" || kind === "denied";
