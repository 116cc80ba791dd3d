/** The command as root runs it: with sudo, which must not ask for a password, where the test is somebody else. */
export function asRoot(command: readonly string[]): [string, ...string[]] {
  return process.getuid?.() === 0 ? (command as [string, ...string[]]) : ["sudo", "-n", ...command];
}
