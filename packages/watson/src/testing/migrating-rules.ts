import type { Rule } from "./migrating-meaning.ts";
import { haproxy, traefik } from "./migrating-proxies.ts";
import { consul, consulTemplate, eureka, fabio, nerve, synapse } from "./migrating-registries.ts";

/**
 * The rules of docs/migrating.md, as code: each reads an old configuration by its own program's defaults, and says what
 * the service file that it became has to mean. By the name of the file that the rule reads.
 */
export const RULES: Readonly<Record<string, Rule>> = {
  nerve,
  synapse,
  consul,
  "consul-template": consulTemplate,
  "haproxy-shop": haproxy,
  "haproxy-routing": haproxy,
  "haproxy-tcp": haproxy,
  fabio,
  traefik,
  eureka,
};
