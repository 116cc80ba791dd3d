import { type ApiClient, endpoints } from "@datawire/api";
import { formatServiceAddress, generationOf } from "@datawire/protocol";
import { complete } from "../../grammar/complete.ts";
import type { OperandKind, RunLocal } from "../../grammar/command.ts";

/** Programs that `dw` starts as processes of their own; they parse the rest of the command line themselves. */
const DAEMONS = ["agent", "directory", "watson", "sherlock", "router"] as const;

/** What may follow on a command line, one candidate a line; silent whatever goes wrong, as nobody asked in words. */
export const run: RunLocal = async ({ output, connect, commands }, { operands }) => {
  const words = operands.map((word) => word ?? "");
  const current = words.at(-1) ?? "";
  const completion = complete(words, { commands, others: DAEMONS });
  const candidates =
    completion.kind === "words"
      ? completion.words
      : await connect()
          .then(({ client }) => namesOf(client, completion.of))
          .catch(() => []);
  for (const candidate of candidates) if (candidate.startsWith(current)) output.line(candidate);
};

async function namesOf(client: ApiClient, kind: OperandKind): Promise<string[]> {
  const names = new Set<string>();
  if (kind === "caller" || kind === "source") {
    names.add("//*");
    const { callers } = await client.ask(endpoints.listCallers);
    for (const { name } of callers) names.add(`//${name}`);
  }
  if (kind !== "caller") {
    const { services } = await client.ask(endpoints.listServices);
    for (const { service, instances } of services) {
      if (kind !== "instance" && kind !== "versions") names.add(`//${service}`);
      for (const { name, version } of instances) {
        if (kind === "instance" || kind === "target") names.add(`//${service}@${name}`);
        if ((kind === "versions" || kind === "target") && version !== null) {
          // With a colon, as parentheses would have to be quoted.
          names.add(`//${service}:${generationOf(version)}`);
          if (kind === "target") names.add(`//${service}:${version}`);
        }
      }
      if (kind === "versions") names.add(formatServiceAddress({ service, instance: null, version: null }));
    }
  }
  return [...names].sort();
}
