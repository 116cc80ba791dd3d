import type { Answer } from "@datawire/api";

/** A directory, a Watson, a Sherlock or a router in one row. */
export interface AgentRow {
  /** `directory:ADDRESS`, `watson:NAME`, `sherlock:NAME`, `router:NAME` */
  readonly key: string;
  readonly kind: "directory" | "Watson" | "Sherlock" | "router";
  readonly name: string;
  readonly state: string;
  readonly version: string;
  readonly revision: number | null;
  readonly lag: number | null;
  readonly problems: readonly string[];
}

/** All processes that the directory knows: the directories first, then Watsons, Sherlocks and routers. */
export function agentRows({
  directory,
  replicas = [],
  watsons,
  sherlocks,
  routers = [],
}: Answer<"status">): AgentRow[] {
  const others = replicas.filter(({ self }) => !self);
  const messages = (problems: readonly { readonly message: string }[]): string[] =>
    problems.map((each) => each.message);
  return [
    {
      key: `directory:${directory.address}`,
      kind: "directory",
      name: directory.address,
      state: directory.state,
      version: directory.version,
      revision: directory.revision,
      lag: 0,
      problems: [],
    },
    ...others.map(({ address, version }): AgentRow => ({
      key: `directory:${address}`,
      kind: "directory",
      name: address,
      state: "connected",
      version,
      revision: null,
      lag: null,
      problems: [],
    })),
    ...watsons.map(({ name, state, version, problems }): AgentRow => ({
      key: `watson:${name}`,
      kind: "Watson",
      name,
      state,
      version,
      revision: null,
      lag: null,
      problems: messages(problems),
    })),
    ...sherlocks.map(({ name, version, revision, lag, problems }): AgentRow => ({
      key: `sherlock:${name}`,
      kind: "Sherlock",
      name,
      state: "connected",
      version,
      revision,
      lag,
      problems: messages(problems),
    })),
    ...routers.map(({ name, version, problems }): AgentRow => ({
      key: `router:${name}`,
      kind: "router",
      name,
      state: "connected",
      version,
      revision: null,
      lag: null,
      problems: messages(problems),
    })),
  ];
}
