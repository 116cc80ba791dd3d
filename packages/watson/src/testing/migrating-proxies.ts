import { parseDuration } from "@datawire/protocol";
import { parseYamlFile } from "@datawire/runtime";
import { expect } from "vitest";
import { z } from "zod";
import { type Meaning, type Rule, tcp } from "./migrating-meaning.ts";

interface TraefikService {
  readonly loadBalancer?: {
    readonly servers: readonly { readonly url: string }[];
    readonly healthCheck?: {
      readonly path: string;
      readonly interval?: string;
      readonly timeout?: string;
      readonly hostname?: string;
    };
  };
}

/** Traefik's own defaults: 30 s, 5 s, out at the first failure; 2xx and 3xx pass. What has no check stands by. */
export const traefik: Rule = (before) => {
  const parsed = parseYamlFile(before, "traefik.yaml", { schema: z.unknown(), env: {} });
  const { http } = (parsed.ok ? parsed.value : {}) as {
    readonly http: { readonly services: Readonly<Record<string, TraefikService>> };
  };
  const names: Readonly<Record<string, Pick<Meaning, "service" | "version">>> = {
    "pay-1": { service: "pay", version: "1" },
    "pay-2": { service: "pay", version: "2" },
    "portal-main": { service: "portal.example.com", version: null },
  };
  return Object.entries(http.services).flatMap(([name, { loadBalancer }]) => {
    const { healthCheck, servers } = loadBalancer ?? {};
    if (healthCheck === undefined) return [];
    const { path, interval = "30s", timeout = "5s", hostname } = healthCheck;
    return (servers ?? []).map(({ url }): Meaning => {
      const headers = hostname === undefined ? {} : { Host: hostname };
      const probe = { kind: "http", url: `${url}${path}`, headers, status: [[200, 399]] };
      const pace = { intervalMs: parseDuration(interval), timeoutMs: parseDuration(timeout), rise: 1, fall: 1 };
      return { service: "", ...names[name], url, checks: [{ probe, ...pace }] };
    });
  });
};

/** HAProxy's own defaults: 2 s, up at the second, down at the third, `timeout check` or `inter`; 2xx and 3xx pass. */
export const haproxy: Rule = (before) =>
  before
    .split(/^(?=backend |listen )/m)
    .slice(1)
    .flatMap((section) => {
      const word = (pattern: RegExp): string | undefined => pattern.exec(section)?.[1];
      const checked = [...section.matchAll(/^ +server (\S+) (\S+?):(\d+)(.*)$/gm)].filter(
        ([line]) => !line.includes("no-check"),
      );
      return checked.map(([, name = "", host = "", port = "", options = ""]): Meaning => {
        const said = `${options} ${word(/default-server (.*)/) ?? ""}`;
        const option = (key: string): string | undefined => new RegExp(`\\b${key} (\\S+)`).exec(said)?.[1];
        const at = `${host}:${option("port") ?? port}`;
        const isTcp = !/httpchk/.test(section);
        const asks = word(/option httpchk (\S+) /) ?? word(/ meth (\S+)/) ?? "GET";
        const path = word(/option httpchk \S+ (\S+)/) ?? word(/ uri (\S+)/);
        const status = word(/expect status (\d+)/);
        const string = word(/expect string "([^"]*)"/);
        const http = {
          kind: "http",
          url: `http://${at}${path}`,
          method: asks,
          headers: word(/ hdr Host (\S+)/) === undefined ? {} : { Host: word(/ hdr Host (\S+)/) },
          status:
            string !== undefined
              ? [[100, 599]]
              : status === undefined
                ? [[200, 399]]
                : [[Number(status), Number(status)]],
          body: string ?? null,
        };
        const pace = {
          ...(option("inter") === undefined ? {} : { intervalMs: parseDuration(option("inter") as string) }),
          rise: Number(option("rise") ?? 2),
          fall: Number(option("fall") ?? 3),
        };
        // A server without `check` was never looked at; here a connection is the least that is asked.
        const isChecked = /\bcheck\b/.test(said);
        const probe = !isTcp ? http : /-check/.test(section) ? { kind: "exec" } : tcp(at);
        return {
          service: expect.any(String) as string,
          name,
          url: expect.stringContaining(`${host}:${port}`) as string,
          ...(option("weight") === undefined ? {} : { weight: Number(option("weight")) }),
          checks: [{ probe, ...(isChecked ? pace : {}) }],
        };
      });
    });
