/** Whether a host is this machine's own. */
export function isLoopbackHost(host: string): boolean {
  const plain = host.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  return (
    plain === "localhost" || plain.endsWith(".localhost") || plain === "::1" || /^127(?:\.\d{1,3}){3}$/.test(plain)
  );
}

/** Whether a host is one of the patterns: itself, or below the domain of `*.example.com`. */
export function matchesHost(host: string, patterns: readonly string[]): boolean {
  const lower = host.toLowerCase();
  return patterns.some((pattern) => (pattern.startsWith("*.") ? lower.endsWith(pattern.slice(1)) : lower === pattern));
}
