/** Hands the process over to a daemon, which reads its own command line. */
export async function startDaemon(name: string, args: readonly string[]): Promise<void> {
  process.argv.splice(2, Number.POSITIVE_INFINITY, ...args);
  switch (name) {
    case "agent":
      await import("@datawire/agent/main");
      return;
    case "directory":
      await import("@datawire/directory/main");
      return;
    case "watson":
      await import("@datawire/watson/main");
      return;
    case "sherlock":
      await import("@datawire/sherlock/main");
      return;
    case "router":
      await import("@datawire/router/main");
      return;
    default:
      throw new Error(`Cannot start ${JSON.stringify(name)}: there is no such daemon`);
  }
}
