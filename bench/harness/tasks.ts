import type { Browser, Page } from "playwright-core";
import { quantile } from "../stats.ts";

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Of a span, in microseconds: how long it lasted, and how much of that its thread had a core. */
  readonly dur?: number;
  readonly tdur?: number;
}

const LONG_MS = 50;

/**
 * What the main thread of a page is kept busy by while something is done: the browser's own account of its tasks, how long
 * each lasted and how much of that it had a core. On a machine with other work the first has the wait for a core in it.
 * @returns one line
 */
export async function tasksDuring(browser: Browser, page: Page, work: () => Promise<void>): Promise<string> {
  await browser.startTracing(page, { categories: ["toplevel"] });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const threads = Map.groupBy(
    traceEvents.filter(({ name, tdur }) => name.endsWith("RunTask") && tdur !== undefined),
    ({ pid, tid }) => `${pid}.${tid}`,
  );
  const cpuOf = (events: readonly TraceEvent[]): number => events.reduce((sum, { tdur = 0 }) => sum + tdur, 0);
  const mains = new Set(traceEvents.filter(isRendererMain).map(({ pid, tid }) => `${pid}.${tid}`));
  const [busiest = []] = [...threads]
    .filter(([thread]) => mains.has(thread))
    .map(([, events]) => events)
    .toSorted((a, b) => cpuOf(b) - cpuOf(a));
  const cpu = busiest.map(({ tdur = 0 }) => tdur / 1_000);
  const long = busiest.filter(({ dur = 0 }) => dur / 1_000 > LONG_MS).length;
  const longCpu = cpu.filter((ms) => ms > LONG_MS).length;
  const top = Math.max(0, ...cpu).toFixed(1);
  return `of ${cpu.length} tasks ${longCpu} had a core for over ${LONG_MS} ms, the longest for ${top} ms, 99.9% for ${quantile(cpu, 0.999).toFixed(1)} ms; ${long} lasted over ${LONG_MS} ms with their wait for one`;
}

/** The event that names a thread. */
function isRendererMain(event: TraceEvent): boolean {
  const { args } = event as { readonly args?: { readonly name?: unknown } };
  return event.name === "thread_name" && args?.name === "CrRendererMain";
}
