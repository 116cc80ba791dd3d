import { setTimeout as sleep } from "node:timers/promises";
import type { Machine } from "./machine.ts";

const UP_WITHIN_MS = 60_000;

/** What is done next. */
export function say(text: string): void {
  print(`\n# ${text}`);
}

/** A command, as one would type it. */
export function command(text: string): void {
  print(`\n$ ${text}`);
}

/** A line of what comes of it. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Ends the demo where something that it shows did not hold. */
export function check(holds: boolean, wanted: string): void {
  if (!holds) throw new Error(`wanted: ${wanted}`);
}

/** Shows a `dw` command with what it prints. @param wanted its exit code */
export async function dw(machine: Machine, args: readonly string[], wanted = 0): Promise<string> {
  command(`dw ${args.map((arg) => (/[() ]/.test(arg) ? `'${arg}'` : arg)).join(" ")}`);
  const said = await machine.dw(args, wanted);
  print(said.trimEnd());
  return said;
}

/** Waits until something is so. @param logs of which processes are told where it never is, or one of them has ended */
export async function until(
  what: string,
  isTrue: () => Promise<boolean>,
  {
    machine,
    logs,
    signal,
  }: { readonly machine: Machine; readonly logs: readonly string[]; readonly signal: AbortSignal },
): Promise<void> {
  const end = performance.now() + UP_WITHIN_MS;
  for (;;) {
    signal.throwIfAborted();
    if (await isTrue().catch(() => false)) return;
    const ended = logs.map((name) => machine.ended(name)).find((how) => how !== null);
    if (ended !== undefined || performance.now() > end) {
      const said = logs.map((name) => `--- ${name}\n${machine.log(name)}`).join("\n");
      throw new Error(`${ended ?? `nothing came within ${UP_WITHIN_MS / 1_000} s`}: waited for ${what}\n${said}`);
    }
    await sleep(100);
  }
}
