import { explainSystemError, ownAddresses, systemErrorCode } from "@datawire/runtime";

/** In a few words, for a service that asked for the port. */
export function explainTaken(error: Error): string {
  switch (systemErrorCode(error)) {
    case "EADDRINUSE":
      return "another process has it";
    case "EACCES":
      return "ports below 1024 need root or CAP_NET_BIND_SERVICE";
    case "EADDRNOTAVAIL":
      return "this machine has no such address";
    default:
      return explainSystemError(error);
  }
}

/** Whether the machine has `::1`. */
export function hasIpv6Loopback(): boolean {
  return ownAddresses().includes("::1");
}
