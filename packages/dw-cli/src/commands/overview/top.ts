import { type ApiClient, endpoints } from "@datawire/api";
import { formatDirectoryAddress } from "@datawire/protocol";
import { describeError } from "@datawire/runtime";
import { pageOf, topFrame } from "../../core/top-frame.ts";
import { FIRST_STATE, press } from "../../core/top-state.ts";
import { type Traffic, trafficOf } from "../../core/traffic.ts";
import { type Dw, type RunCommand, flag } from "../../context/dw.ts";
import { readService } from "../../context/operands.ts";
import { printTraffic } from "./print-traffic.ts";
import type { Screen } from "../../context/screen.ts";

const REFRESH_MS = 2_000;
/** Three reports of each Sherlock: steady, and still of now. */
const SPAN_SECONDS = 15;

/** Shares, requests, errors and latency by service, version and instance, live; without a terminal, once. */
export const run: RunCommand = async (dw, input) => {
  // An unreachable directory is an error before the screen is taken; a connection that is lost later is awaited.
  const service = input.operands[0] === undefined ? null : readService(input.operands[0]);
  const read = (): Promise<Traffic> => readTraffic(dw.client, service);
  const traffic = await read();
  if (flag(input, "json")) return dw.output.json(traffic);
  const screen = flag(input, "once") ? null : dw.openScreen();
  if (screen === null) return printTraffic(dw.output, traffic);
  try {
    await follow(dw, screen, { first: traffic, read });
  } finally {
    screen.close();
  }
};

async function follow(
  dw: Dw,
  screen: Screen,
  { first, read }: { readonly first: Traffic; readonly read: () => Promise<Traffic> },
): Promise<void> {
  const quit = new AbortController();
  const signal = AbortSignal.any([dw.signal, quit.signal]);
  const directory = dw.directories.map(formatDirectoryAddress).join(" ");
  let [traffic, state, error]: [Traffic, typeof FIRST_STATE, string | null] = [first, FIRST_STATE, null];
  const show = (): void => {
    const { width, height } = screen;
    const paint: Screen["paint"] = (style, text) => screen.paint(style, text);
    screen.draw(topFrame(state, { traffic, error, directory }, { width, height, paint }));
  };
  screen.onResize(show);
  screen.onKey((key) => {
    const next = press(state, key, { traffic, page: pageOf(screen.height) });
    if (next === null) return quit.abort();
    state = next;
    show();
  });
  for (;;) {
    show();
    await dw.clock.sleep(REFRESH_MS, signal);
    if (signal.aborted) return;
    try {
      traffic = await read();
      error = null;
    } catch (failure) {
      error = describeError(failure);
    }
  }
}

async function readTraffic(client: ApiClient, service: string | null): Promise<Traffic> {
  const [table, counters] = await Promise.all([
    service === null ? readTable(client) : readOne(client, service),
    client.ask(endpoints.counters, { query: { seconds: String(SPAN_SECONDS) } }),
  ]);
  if (service === null) return trafficOf({ ...table, counters });
  const own = counters.counters.filter((line) => line.service === service);
  return trafficOf({ ...table, counters: { ...counters, counters: own } });
}

type Table = Pick<Parameters<typeof trafficOf>[0], "services" | "distributions">;

async function readTable(client: ApiClient): Promise<Table> {
  const [{ services }, { distributions }] = await Promise.all([
    client.ask(endpoints.listServices),
    client.ask(endpoints.listDistributions),
  ]);
  return { services, distributions };
}

async function readOne(client: ApiClient, name: string): Promise<Table> {
  const { service, distributions = [] } = await client.ask(endpoints.showService, { params: { service: name } });
  return { services: [service], distributions };
}
