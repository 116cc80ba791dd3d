/** Whose section of a configuration a line stands in: the last `backend` or `frontend` line above it says. */
export function serviceOfLine(config: readonly string[], lineNumber: number): string | null {
  for (let i = Math.min(lineNumber, config.length) - 1; i >= 0; i--) {
    const section = /^(?:backend|frontend|listen)\s+(\S+)/.exec(config[i] as string)?.[1];
    if (section === undefined) continue;
    const colon = section.indexOf(":");
    return colon < 0 ? null : section.slice(0, colon);
  }
  return null;
}

/**
 * Finds services without which a configuration is accepted, by halving: `isRefused` is asked for a list of services
 * whether a configuration of these alone is refused. One that is alone refused is a culprit; about log2(n) questions each.
 */
export async function findCulprits(
  services: readonly string[],
  isRefused: (services: readonly string[]) => Promise<boolean>,
): Promise<string[]> {
  if (services.length === 0 || !(await isRefused(services))) return [];
  if (services.length === 1) return [...services];
  const middle = Math.ceil(services.length / 2);
  const left = await findCulprits(services.slice(0, middle), isRefused);
  const right = await findCulprits(services.slice(middle), isRefused);
  return [...left, ...right];
}
